//! The shapes of the drawing. Their looks are in the style sheet, by class.

use svg::Node;
use svg::node::Text;
use svg::node::element::{Element, Line, Marker, Path as Outline, Polyline, Rectangle};

/// The head of an arrow, of which the lines of a class get one.
pub fn head(class: &str) -> Marker {
    Marker::new()
        .set("id", format!("{class}-arrow"))
        .set("viewBox", (0, 0, 10, 10))
        .set("refX", 10)
        .set("refY", 5)
        .set("markerWidth", 11)
        .set("markerHeight", 11)
        .set("markerUnits", "userSpaceOnUse")
        .set("orient", "auto")
        .add(
            Outline::new()
                .set("class", format!("{class}-head"))
                .set("d", "M0,0 L10,5 L0,10 z"),
        )
}

/// A line with an arrow head at its end.
pub fn arrow(class: &str, corners: &[[i32; 2]]) -> Polyline {
    let points: Vec<String> = corners.iter().map(|[x, y]| format!("{x},{y}")).collect();
    Polyline::new()
        .set("class", class)
        .set("points", points.join(" "))
        .set("marker-end", format!("url(#{class}-arrow)"))
}

/// A straight line.
pub fn line(class: &str, [x1, y1]: [i32; 2], [x2, y2]: [i32; 2]) -> Line {
    Line::new()
        .set("class", class)
        .set("x1", x1)
        .set("y1", y1)
        .set("x2", x2)
        .set("y2", y2)
}

/// A rectangle with its corner at the top left, and its size.
pub fn rectangle(class: &str, [x, y]: [i32; 2], [width, height]: [i32; 2]) -> Rectangle {
    Rectangle::new()
        .set("class", class)
        .set("x", x)
        .set("y", y)
        .set("width", width)
        .set("height", height)
        .set("rx", 6)
}

/// A text at a point.
pub fn text(class: &str, [x, y]: [i32; 2], text: &str) -> Element {
    let mut element = content("text", text);
    if !class.is_empty() {
        element.assign("class", class);
    }
    element.assign("x", x);
    element.assign("y", y);
    element
}

/// An element that holds only text.
pub fn content(element: &str, text: &str) -> Element {
    let mut element = Element::new(element);
    element.append(Text::new(text));
    element
}
