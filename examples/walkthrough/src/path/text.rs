//! A measured path as text.

use super::{Crossing, End, Path};
use crate::members::Interface;

/// The path from top to bottom, a line for each interface.
pub fn text(path: &Path) -> String {
    let arrived = format!("arrived, ttl {}", path.ttl);
    let mut lines = vec![
        row("", "", "requests", "replies"),
        end(&path.from, "sent, ttl 64", &arrived),
    ];
    for service in &path.services {
        lines.push("  │".to_owned());
        let first = format!("{} ({})", service.name, service.kind);
        for (leg, name) in service.legs.iter().zip([first.as_str(), ""]) {
            let [requests, replies] = [&leg.seen.requests, &leg.seen.replies].map(crossed);
            lines.push(row(name, &place(&leg.interface), &requests, &replies));
        }
    }
    lines.push("  │".to_owned());
    lines.push(end(&path.to, &arrived, "sent, ttl 64"));
    lines.join("\n")
}

fn end(end: &End, requests: &str, replies: &str) -> String {
    let name = format!("{} ({})", end.name, end.kind);
    row(&name, &place(&end.interface), requests, replies)
}

fn place(interface: &Interface) -> String {
    let Interface { name, network, .. } = interface;
    format!("{name} {network} {}", interface.ip())
}

fn row(name: &str, interface: &str, requests: &str, replies: &str) -> String {
    let line = format!("  {name:<18} {interface:<24} {requests:<18} {replies}");
    line.trim_end().to_owned()
}

/// Packets of one kind, in a few words.
pub fn crossed(crossing: &Crossing) -> String {
    let Crossing {
        received,
        sent,
        ttl,
    } = crossing;
    match (received, sent) {
        (0, sent) => format!("{sent} out, ttl {ttl}"),
        (received, 0) => format!("{received} in, ttl {ttl}"),
        (received, sent) => format!("{received} in, {sent} out, ttl {ttl}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::sample;

    #[test]
    fn each_interface_has_a_line_in_the_order_of_the_requests() {
        let text = text(&sample::path());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 10, "{text}");
        assert_eq!(
            lines[3],
            "  cnmSI (Docker)     eth0 net1 10.1.1.2       3 in, ttl 63       3 out, ttl 61"
        );
        assert!(lines[9].ends_with("arrived, ttl 61    sent, ttl 64"));
    }
}
