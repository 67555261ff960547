//! A measured path as a drawing: the networks, the members, and the packets in both directions.

mod shapes;
#[cfg(test)]
mod tests;

use std::path::Path as FilePath;

use shapes::{arrow, content, head, line, rectangle, text};
use svg::Document;
use svg::node::Comment;
use svg::node::element::{Definitions, Group, Style};

use super::text::crossed;
use super::{End, Path, Service};
use crate::members::{Interface, NETWORKS};

/// The width of the drawing; the drawing scales, so its unit is none of the screen.
const WIDTH: i32 = 900;

/// The networks are two vertical bars.
const BARS: [i32; 2] = [230, 670];
const TOP: i32 = 100;

/// The distance of the first service from the top of the bars, and that between two services.
const FIRST: i32 = 60;
const STEP: i32 = 150;

/// The horizontal positions of the ends and of the services between them.
const LEFT: i32 = 95;
const MIDDLE: i32 = WIDTH / 2;
const RIGHT: i32 = WIDTH - LEFT;

/// Half the sizes of the boxes.
const END: i32 = 84;
const SERVICE: i32 = 116;
const HEIGHT: i32 = 36;

/// The distance of the lines of requests and of replies from the line between them.
const OFFSET: i32 = 6;

/// The background makes the drawing readable on dark pages, too.
const STYLE: &str = "\
text { font: 13px sans-serif; fill: #222; text-anchor: middle }
.heading { font-size: 16px; font-weight: bold }
.name { font-weight: bold }
.count { font-size: 11px }
.start { text-anchor: start }
.end { text-anchor: end }
.request-text { fill: #a3201a }
.reply-text { fill: #1a4fa3 }
.background { fill: #fff; stroke: #ccc }
.member { fill: #f7f7f2; stroke: #444; stroke-width: 1.5 }
.network { stroke: #d5dcf0; stroke-width: 28; stroke-linecap: round }
.network-sample { fill: #d5dcf0 }
.request, .reply { fill: none; stroke-width: 2 }
.request { stroke: #c33a33 }
.reply { stroke: #3366bb; stroke-dasharray: 6 4 }
.request-head { fill: #c33a33 }
.reply-head { fill: #3366bb }
";

/// Draws a path as SVG. `file` is where the drawing will be, for the command in its metadata.
pub fn draw(path: &Path, file: &FilePath) -> String {
    let last = row(path.services.len().saturating_sub(1));
    let bottom = last + FIRST;
    let height = bottom + 120;
    let heading = heading(path);
    let mut drawing = Document::new()
        .set("viewBox", (0, 0, WIDTH, height))
        .set("role", "img")
        // XML forbids the two dashes of the command in a comment.
        .add(Comment::new(
            "Drawn from the packets of one real run by the command in the metadata below: do not edit.",
        ))
        .add(content("title", &heading))
        .add(content("desc", &description(path)))
        .add(content(
            "metadata",
            &format!("cargo demo -- --svg {}", file.display()),
        ))
        .add(Style::new(STYLE))
        .add(Definitions::new().add(head("request")).add(head("reply")))
        .add(rectangle("background", [0, 0], [WIDTH, height]))
        .add(text("heading", [MIDDLE, 34], &heading));
    for (network, x) in NETWORKS.iter().zip(BARS) {
        drawing = drawing
            .add(line("network", [x, TOP], [x, bottom]))
            .add(text("name", [x, TOP - 38], network.name))
            .add(text("", [x, TOP - 21], network.subnet));
    }
    for segment in segments(path.services.len(), OFFSET) {
        drawing = drawing.add(arrow("request", &segment));
    }
    for segment in segments(path.services.len(), -OFFSET).iter_mut().rev() {
        segment.reverse();
        drawing = drawing.add(arrow("reply", segment));
    }
    drawing = drawing
        .add(end(&path.from, [LEFT, row(0)]))
        .add(end(&path.to, [RIGHT, last]));
    for (place, service) in path.services.iter().enumerate() {
        drawing = drawing.add(self::service(service, row(place)));
    }
    let measured = format!(
        "ttl {} at both ends, round trip {} µs",
        path.ttl, path.round_trip
    );
    drawing = drawing
        .add(text("", [MIDDLE, bottom + 34], &measured))
        .add(legend(bottom + 66));
    format!("{drawing}\n")
}

fn heading(path: &Path) -> String {
    let names: Vec<&str> = path.services.iter().map(|service| service.name).collect();
    let (from, to) = (path.from.name, path.to.name);
    format!("A ping from {from} to {to} through {}", names.join(" and "))
}

/// The whole drawing in words.
fn description(path: &Path) -> String {
    let (from, to) = (&path.from, &path.to);
    let mut text = format!(
        "{} sends requests from {} ({}), which pass",
        from.name,
        from.interface.ip(),
        from.interface.network
    );
    for service in &path.services {
        let [first, second] = service.legs.each_ref().map(|leg| &leg.interface);
        text += &format!(
            " {} from {} ({}) to {} ({}),",
            service.name, first.name, first.network, second.name, second.network
        );
    }
    text + &format!(
        " to {} at {} ({}). The replies take the same way back. Both arrive with ttl {}.",
        to.name,
        to.interface.ip(),
        to.interface.network,
        path.ttl
    )
}

/// The vertical position of a service.
fn row(place: usize) -> i32 {
    TOP + FIRST + STEP * i32::try_from(place).unwrap_or_default()
}

/// The corners of the way of the requests, a segment from box to box. Between two services it goes from
/// the network on the right to that on the left, where the vRouter hands the packet to the next one.
fn segments(services: usize, offset: i32) -> Vec<Vec<[i32; 2]>> {
    let last = row(services.saturating_sub(1));
    let first = [
        [LEFT + END, row(0) - offset],
        [MIDDLE - SERVICE, row(0) - offset],
    ];
    let mut segments = vec![first.to_vec()];
    for place in 1..services {
        let [above, below] = [row(place - 1), row(place)].map(|y| y - offset);
        let between = i32::midpoint(row(place - 1), row(place)) + offset;
        let [left, right] = BARS.map(|x| x + offset);
        segments.push(vec![
            [MIDDLE + SERVICE, above],
            [right, above],
            [right, between],
            [left, between],
            [left, below],
            [MIDDLE - SERVICE, below],
        ]);
    }
    let end = [
        [MIDDLE + SERVICE, last - offset],
        [RIGHT - END, last - offset],
    ];
    segments.push(end.to_vec());
    segments
}

fn end(end: &End, [x, y]: [i32; 2]) -> Group {
    Group::new()
        .add(rectangle(
            "member",
            [x - END, y - HEIGHT],
            [2 * END, 2 * HEIGHT],
        ))
        .add(text("name", [x, y - 14], end.name))
        .add(text("", [x, y + 4], end.kind))
        .add(text("", [x, y + 24], &label(&end.interface)))
}

/// The box of a service and, at its interfaces, the packets: requests above the lines, replies below.
fn service(service: &Service, y: i32) -> Group {
    let (left, right) = (MIDDLE - SERVICE, MIDDLE + SERVICE);
    let [first, second] = &service.legs;
    let mut group = Group::new()
        .add(rectangle(
            "member",
            [left, y - HEIGHT],
            [2 * SERVICE, 2 * HEIGHT],
        ))
        .add(text("name", [MIDDLE, y - 14], service.name))
        .add(text("", [MIDDLE, y + 4], service.kind))
        .add(text("start", [left + 8, y + 24], &label(&first.interface)))
        .add(text("end", [right - 8, y + 24], &label(&second.interface)));
    for (leg, edge, bar) in [(first, left, BARS[0]), (second, right, BARS[1])] {
        let x = i32::midpoint(edge, bar);
        let [requests, replies] = [&leg.seen.requests, &leg.seen.replies].map(crossed);
        group = group
            .add(text("count request-text", [x, y - 14], &requests))
            .add(text("count reply-text", [x, y + 22], &replies));
    }
    group
}

fn label(interface: &Interface) -> String {
    format!("{} {}", interface.name, interface.ip())
}

fn legend(y: i32) -> Group {
    let sample = |class, x| arrow(class, &[[x, y - 4], [x + 40, y - 4]]);
    Group::new()
        .set("class", "legend")
        .add(sample("request", 130))
        .add(text("start", [180, y], "requests"))
        .add(sample("reply", 280))
        .add(text("start", [330, y], "replies"))
        .add(rectangle("network-sample", [430, y - 16], [40, 22]))
        .add(text("start", [478, y], "virtual network"))
        .add(rectangle("member", [610, y - 16], [40, 22]))
        .add(text("start", [660, y], "member, its interfaces"))
        .add(text(
            "count",
            [MIDDLE, y + 30],
            "“3 in, ttl 63”: 3 packets that the service received on this interface, with this TTL; “out”: sent",
        ))
}
