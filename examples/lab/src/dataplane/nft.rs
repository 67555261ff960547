//! The packet filter of the lab's namespace as text for `nft -f -`: pure functions.
//!
//! Two tables. [`base`] restores the TTL of what a switch would carry and keeps the router's own
//! group reports to itself; it never changes. [`ruleset`] knows the networks and ports: it marks
//! packets with their network, drops spoofed sources, and accepts what a network may send where.
//! It is replaced as a whole, in one transaction.

use std::collections::HashSet;
use std::fmt::Write as _;

use contrail_core::identity::Family;
use ipnetwork::IpNetwork;

use super::model::{Model, Network, Port};

/// The bit of a packet's mark that says: its destination is on its own network's link.
const ONLINK: u32 = 0x8000_0000;

/// The part that never changes: TTL restoration and silence.
///
/// A packet to a member of its own network costs no hop, as behind a switch: forwarding takes one,
/// so one is added before. IPv4 needs a chain for each value because `nft` cannot set a TTL from a
/// map (an 8-bit field in a 16-bit checksummed word).
pub fn base() -> String {
    let mut text = String::from("add table inet contrail-ttl\ndelete table inet contrail-ttl\n");
    text.push_str("table inet contrail-ttl {\n");
    for ttl in 2..=255 {
        let _ = writeln!(text, " chain ttl{ttl} {{ ip ttl set {ttl}; }}");
    }
    let v4: Vec<String> = (1..255)
        .map(|n| format!("{n} : jump ttl{}", n + 1))
        .collect();
    let v6: Vec<String> = (1..255).map(|n| format!("{n} : {}", n + 1)).collect();
    let (v4, v6) = (v4.join(", "), v6.join(", "));
    let _ = write!(
        text,
        " chain restore {{ type filter hook prerouting priority raw + 1; policy accept;\n  \
           meta mark & {ONLINK:#x} == 0 accept\n  \
           meta mark set meta mark & {:#x}\n  \
           ip ttl vmap {{ {v4} }}\n  \
           ip6 hoplimit set ip6 hoplimit map {{ {v6}, 255 : 255 }}\n \
         }}\n",
        !ONLINK
    );
    text.push_str(
        " chain silence { type filter hook output priority filter; policy accept;\n  \
           icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, \
         mld2-listener-report, nd-router-solicit } drop\n \
         }\n}\n",
    );
    text
}

/// The part that follows the model, for the ports of `wired`, the twins that exist.
pub fn ruleset(model: &Model, wired: &HashSet<String>) -> String {
    let ports: Vec<&Port> = model
        .ports
        .iter()
        .filter(|port| port.is_active() && wired.contains(&port.names.twin))
        .collect();
    let networks: Vec<&Network> = model
        .networks
        .iter()
        .filter(|network| ports.iter().any(|port| port.table == Some(network.table)))
        .collect();
    let mut text = String::from("add table inet contrail-lab\ndelete table inet contrail-lab\n");
    text.push_str("table inet contrail-lab {\n");
    text.push_str(&sets(&networks, &ports));
    text.push_str(&prerouting(&networks));
    text.push_str(&acls(&networks));
    text.push_str("}\n");
    text
}

/// The part of [`ruleset`] that decides what is allowed: when it changes, flows that were accepted
/// before must be forgotten.
pub fn acls(networks: &[&Network]) -> String {
    let mut text = String::new();
    for network in networks {
        let _ = writeln!(text, " chain acl-{} {{", network.table);
        for prefix in &network.prefixes {
            let _ = writeln!(text, "  {} daddr {} accept", protocol(prefix), net(prefix));
        }
        text.push_str("  counter drop\n }\n");
    }
    let jumps = list(
        networks
            .iter()
            .map(|n| format!("{0} : jump acl-{0}", n.table)),
    );
    text.push_str(" chain forward { type filter hook forward priority filter; policy drop;\n");
    text.push_str("  ct state established,related accept\n");
    if let Some(jumps) = jumps {
        let _ = writeln!(text, "  meta mark vmap {{ {jumps} }}");
    }
    text.push_str(" }\n");
    text
}

/// The networks of [`ruleset`] whose ACLs a model leads to, for [`acls`].
pub fn acls_of(model: &Model) -> String {
    acls(&model.networks.iter().collect::<Vec<_>>())
}

fn sets(networks: &[&Network], ports: &[&Port]) -> String {
    let marks = ports
        .iter()
        .filter_map(|port| Some(format!("\"{}\" : {}", port.names.twin, port.table?)));
    let mut text = set("map network_of { type ifname : mark;", list(marks));
    for family in Family::ALL {
        let (ip, version) = keywords(family);
        let owned = ports.iter().flat_map(|port| {
            port.addresses_of(family)
                .map(|address| format!("\"{}\" . {} . {address}", port.names.twin, port.mac))
        });
        text.push_str(&set(
            &format!("set owned{version} {{ typeof iifname . ether saddr . {ip} saddr;"),
            list(owned),
        ));
        let onlink = networks.iter().flat_map(|network| {
            let prefixes = network.prefixes.iter();
            prefixes
                .filter(move |prefix| prefix.is_ipv4() == (family == Family::V4))
                .map(|prefix| format!("{} . {}", network.table, net(prefix)))
        });
        text.push_str(&set(
            &format!("set onlink{version} {{ typeof meta mark . {ip} daddr; flags interval;"),
            list(onlink),
        ));
    }
    text
}

fn prerouting(networks: &[&Network]) -> String {
    let mut text = String::from(
        " chain enter { type filter hook prerouting priority raw; policy accept;\n  \
           meta mark set iifname map @network_of\n  \
           ip saddr != 0.0.0.0 iifname . ether saddr . ip saddr != @owned4 counter drop\n  \
           ip6 saddr != { fe80::/10, :: } iifname . ether saddr . ip6 saddr != @owned6 counter drop\n",
    );
    // One zone for each network: two networks with the same addresses have different flows.
    if let Some(zones) = list(networks.iter().map(|n| format!("{0} : {0}", n.table))) {
        let _ = writeln!(text, "  ct zone set meta mark map {{ {zones} }}");
    }
    let _ = write!(
        text,
        "  meta mark . ip daddr @onlink4 meta mark set meta mark | {ONLINK:#x}\n  \
           meta mark . ip6 daddr @onlink6 meta mark set meta mark | {ONLINK:#x}\n }}\n"
    );
    text
}

/// A set or map with its elements, which may be none.
fn set(head: &str, elements: Option<String>) -> String {
    match elements {
        Some(elements) => format!(" {head} elements = {{ {elements} }} }}\n"),
        None => format!(" {head} }}\n"),
    }
}

fn list(items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    (!items.is_empty()).then(|| items.join(", "))
}

fn keywords(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::V4 => ("ip", "4"),
        Family::V6 => ("ip6", "6"),
    }
}

fn protocol(prefix: &IpNetwork) -> &'static str {
    if prefix.is_ipv4() { "ip" } else { "ip6" }
}

/// A prefix without host bits.
fn net(prefix: &IpNetwork) -> String {
    format!("{}/{}", prefix.network(), prefix.prefix())
}

#[cfg(test)]
mod tests {
    use super::super::samples::{all_wired, two_networks};
    use super::*;

    #[test]
    fn active_ports_are_marked_and_own_their_addresses() {
        let model = two_networks();
        let text = ruleset(&model, &all_wired(&model));
        assert!(text.contains(r#"elements = { "t1" : 1001, "t2" : 1001, "t3" : 1002 }"#));
        assert!(text.contains(r#""t1" . 02:00:00:00:00:01 . 10.1.1.3"#));
        assert!(text.contains("1002 . fd00:1::/64"));
        assert!(!text.contains("t4"), "an inactive port has no part in it");
    }

    #[test]
    fn without_ports_the_rules_are_still_complete() {
        let text = ruleset(&Model::default(), &HashSet::new());
        assert!(!text.contains("elements"), "{text}");
        assert!(text.contains("policy drop"));
    }

    #[test]
    fn what_is_allowed_does_not_depend_on_the_number_of_ports() {
        let mut model = two_networks();
        let before = acls_of(&model);
        model.ports.truncate(1);
        assert_eq!(acls_of(&model), before);
        model.networks.pop();
        assert_ne!(acls_of(&model), before);
    }
}
