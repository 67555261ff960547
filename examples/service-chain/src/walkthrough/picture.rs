//! The measured path, as text.

use crate::member::Member;
use crate::path::{Crossing, Path, Seen};

/// The path from top to bottom, a line for each interface.
pub fn picture(path: &Path<'_>) -> String {
    let mut lines = vec![
        row("", "", "requests", "replies"),
        end(path.from, "sent, ttl 64", &arrived(path.ttl)),
    ];
    for service in &path.services {
        lines.push("  │".to_owned());
        let [first, second] = &service.legs;
        for (leg, seen) in service.member.legs.iter().zip([first, second]) {
            let name = match leg.interface.as_str() {
                "eth0" => format!("{} ({})", service.member.name, service.member.kind),
                _ => String::new(),
            };
            let interface = format!("{} {} {}", leg.interface, leg.network, leg.address.ip());
            let Seen { requests, replies } = seen;
            lines.push(row(
                &name,
                &interface,
                &crossed(requests),
                &crossed(replies),
            ));
        }
    }
    lines.push("  │".to_owned());
    lines.push(end(path.to, &arrived(path.ttl), "sent, ttl 64"));
    lines.join("\n")
}

fn end(member: &Member, requests: &str, replies: &str) -> String {
    let leg = member.legs.first();
    let interface =
        leg.map(|leg| format!("{} {} {}", leg.interface, leg.network, leg.address.ip()));
    let name = format!("{} ({})", member.name, member.kind);
    row(&name, &interface.unwrap_or_default(), requests, replies)
}

fn row(name: &str, interface: &str, requests: &str, replies: &str) -> String {
    let line = format!("  {name:<18} {interface:<24} {requests:<18} {replies}");
    line.trim_end().to_owned()
}

fn arrived(ttl: u8) -> String {
    format!("arrived, ttl {ttl}")
}

/// Packets in one direction, in a few words.
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
