//! The networks, the members and the measured path, as a drawing.

use std::fmt::{Display, Write};

use crate::containers::NETWORKS;
use crate::member::Member;
use crate::path::{Path, Seen};
use crate::picture::crossed;

/// The width of the drawing, in pixels as all that follows.
const WIDTH: usize = 900;

/// Where the networks are: two bars from top to bottom.
const BARS: [usize; 2] = [230, 670];
const TOP: usize = 60;

/// The first service is so far below the top of the bars, and each other one below the one before.
const FIRST: usize = 70;
const STEP: usize = 140;

/// Half the width and height of a member's box.
const BOX: [usize; 2] = [84, 32];

/// Where the ends and the services stand.
const LEFT: usize = 95;
const MIDDLE: usize = WIDTH / 2;
const RIGHT: usize = WIDTH - LEFT;

/// How far beside a service the path turns to the next one.
const TURN: usize = 102;

const STYLE: &str = "text { font: 13px sans-serif; fill: #222; text-anchor: middle }
text.name { font-weight: bold }
text.seen { font-size: 11px; fill: #b22 }
rect { fill: #fff; stroke: #444; stroke-width: 1.5 }
line.network { stroke: #bbd; stroke-width: 14; stroke-linecap: round }
line.leg { stroke: #88a; stroke-width: 3 }
polyline { fill: none; stroke: #c33; stroke-width: 2.5; stroke-dasharray: 6 4 }";

/// Draws the path.
pub fn draw(path: &Path<'_>) -> String {
    let row = |place: usize| TOP + FIRST + place * STEP;
    let last = row(path.services.len().saturating_sub(1));
    let bottom = last + FIRST;
    let mut drawing = Drawing::default();
    for (network, x) in NETWORKS.iter().zip(BARS) {
        drawing.line("network", [x, TOP], [x, bottom]);
        drawing.text("name", [x, TOP - 32], network.name);
        drawing.text("", [x, TOP - 15], network.subnet);
    }
    drawing.line("leg", [LEFT, row(0)], [BARS[0], row(0)]);
    drawing.line("leg", [RIGHT, last], [BARS[1], last]);
    for place in 0..path.services.len() {
        drawing.line("leg", [BARS[0], row(place)], [BARS[1], row(place)]);
    }
    drawing.path(&route(path.services.len(), row));
    drawing.member(path.from, [LEFT, row(0)]);
    drawing.member(path.to, [RIGHT, last]);
    for (place, service) in path.services.iter().enumerate() {
        let [first, second] = service.legs;
        drawing.member(service.member, [MIDDLE, row(place)]);
        drawing.seen(&first, [(BARS[0] + MIDDLE - BOX[0]) / 2, row(place)]);
        drawing.seen(&second, [(BARS[1] + MIDDLE + BOX[0]) / 2, row(place)]);
    }
    let measured = format!(
        "ttl {} at both ends, round trip {} µs",
        path.ttl, path.round_trip
    );
    drawing.text("", [MIDDLE, bottom + 40], &measured);
    drawing.finish(bottom + 60)
}

/// The corners of the way from the left to the right, through each service in its order.
fn route(services: usize, row: impl Fn(usize) -> usize) -> Vec<[usize; 2]> {
    let mut corners = vec![[LEFT, row(0)]];
    for place in 1..services {
        let between = (row(place - 1) + row(place)) / 2;
        let [left, right] = [MIDDLE - TURN, MIDDLE + TURN];
        corners.extend([[right, row(place - 1)], [right, between]]);
        corners.extend([[left, between], [left, row(place)]]);
    }
    corners.push([RIGHT, row(services.saturating_sub(1))]);
    corners
}

/// The elements so far.
#[derive(Default)]
struct Drawing(String);

impl Drawing {
    fn member(&mut self, member: &Member, [x, y]: [usize; 2]) {
        let [width, height] = BOX;
        self.element(format_args!(
            r#"<rect x="{}" y="{}" width="{}" height="{}" rx="6"/>"#,
            x - width,
            y - height,
            2 * width,
            2 * height
        ));
        self.text("name", [x, y - 12], member.name);
        self.text("", [x, y + 5], member.kind);
        self.text("", [x, y + 22], &member.addresses().join(" "));
    }

    /// The packets on a leg: requests above it, replies below.
    fn seen(&mut self, seen: &Seen, [x, y]: [usize; 2]) {
        self.text("seen", [x, y - 8], &crossed(&seen.requests));
        self.text("seen", [x, y + 17], &crossed(&seen.replies));
    }

    fn line(&mut self, class: &str, [x1, y1]: [usize; 2], [x2, y2]: [usize; 2]) {
        self.element(format_args!(
            r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#
        ));
    }

    fn path(&mut self, corners: &[[usize; 2]]) {
        let points: Vec<String> = corners.iter().map(|[x, y]| format!("{x},{y}")).collect();
        self.element(format_args!(r#"<polyline points="{}"/>"#, points.join(" ")));
    }

    /// The texts are names and addresses of this walk-through: none has to be escaped.
    fn text(&mut self, class: &str, [x, y]: [usize; 2], text: &str) {
        self.element(format_args!(
            r#"<text class="{class}" x="{x}" y="{y}">{text}</text>"#
        ));
    }

    fn element(&mut self, element: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{element}");
    }

    fn finish(self, height: usize) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\">\n\
             <style>{STYLE}</style>\n\
             <rect width=\"100%\" height=\"100%\" style=\"stroke: none\"/>\n{}</svg>\n",
            self.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_turns_between_the_services() {
        let row = |place| 100 * (1 + place);
        assert_eq!(route(1, row), [[LEFT, 100], [RIGHT, 100]]);
        let corners = route(2, row);
        assert_eq!(corners[1], [MIDDLE + TURN, 100]);
        assert_eq!(corners[4], [MIDDLE - TURN, 200]);
        assert_eq!(corners[5], [RIGHT, 200]);
    }
}
