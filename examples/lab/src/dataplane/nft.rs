//! The packet filter of the lab's namespace as text for `nft -f -`: pure functions.
//!
//! The rules never change: they mark packets with their network, drop spoofed sources, restore the
//! TTL of what a switch would carry, accept what a network may send where, and keep the router's own
//! group reports to itself. What changes are the elements of their sets, and only by what is
//! different: replacing rules makes the kernel wait for its readers, many times as long as adding
//! an element takes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

use contrail_core::values::Family;

use super::flow::{Action, Flow, Packets};
use super::model::{Model, Network, Port};

/// The bit of a packet's mark that says: its destination is on its own network's link.
const ONLINK: u32 = 0x8000_0000;

/// The table of the rules that look at networks and ports.
const TABLE: &str = "inet contrail-lab";

/// The sets of [`TABLE`] by name, each with its declaration.
const SETS: [(&str, &str); 10] = [
    ("network_of", "map network_of { type ifname : mark; }"),
    ("legs", "set legs { type ifname; }"),
    (
        "pair4",
        "map pair4 { typeof meta mark . ip saddr . ip daddr : ct zone; flags interval; }",
    ),
    (
        "pair6",
        "map pair6 { typeof meta mark . ip6 saddr . ip6 daddr : ct zone; flags interval; }",
    ),
    ("zone_of", "map zone_of { typeof meta mark : ct zone; }"),
    (
        "owned4",
        "set owned4 { typeof iifname . ether saddr . ip saddr; }",
    ),
    (
        "owned6",
        "set owned6 { typeof iifname . ether saddr . ip6 saddr; }",
    ),
    (
        "onlink4",
        "set onlink4 { typeof meta mark . ip daddr; flags interval; }",
    ),
    (
        "onlink6",
        "set onlink6 { typeof meta mark . ip6 daddr; flags interval; }",
    ),
    ("acl_of", "map acl_of { type mark : verdict; }"),
];

/// The first zone of a pair of networks; zones are 16 bits, and those of networks are their tables.
const PAIR_ZONES: usize = 40_000;

/// The sets that say what is accepted.
const ALLOWED: [&str; 2] = ["onlink4", "onlink6"];

/// All rules, with empty sets.
pub fn base() -> String {
    let mut text = ttl();
    let _ = write!(
        text,
        "add table {TABLE}\ndelete table {TABLE}\ntable {TABLE} {{\n"
    );
    for (_, declaration) in SETS {
        let _ = writeln!(text, " {declaration}");
    }
    // One zone of connection tracking for each network, so that two networks with the same addresses
    // have different flows; and one for each pair of networks, the same at every hop of a chain, so
    // that a flow is one flow wherever it enters. The first zone that is set counts.
    let _ = write!(
        text,
        " chain enter {{ type filter hook prerouting priority raw; policy accept;\n  \
           meta mark set iifname map @network_of\n  \
           iifname != @legs ip saddr != 0.0.0.0 \
             iifname . ether saddr . ip saddr != @owned4 counter drop\n  \
           iifname != @legs ip6 saddr != {{ fe80::/10, :: }} \
             iifname . ether saddr . ip6 saddr != @owned6 counter drop\n  \
           ct zone set meta mark . ip saddr . ip daddr map @pair4\n  \
           ct zone set meta mark . ip6 saddr . ip6 daddr map @pair6\n  \
           ct zone set meta mark map @zone_of\n  \
           meta mark . ip daddr @onlink4 meta mark set meta mark | {ONLINK:#x}\n  \
           meta mark . ip6 daddr @onlink6 meta mark set meta mark | {ONLINK:#x}\n \
         }}\n"
    );
    text.push_str(
        " chain forward { type filter hook forward priority filter; policy drop;\n  \
           ct state established,related accept\n  \
           meta mark . ip daddr @onlink4 accept\n  \
           meta mark . ip6 daddr @onlink6 accept\n  \
           iifname @legs accept\n  \
           meta mark vmap @acl_of\n  \
           counter drop\n \
         }\n}\n",
    );
    text
}

/// TTL restoration and silence.
///
/// A packet to a member of its own network costs no hop, as behind a switch: forwarding takes one,
/// so one is added before. IPv4 needs a chain for each value because `nft` cannot set a TTL from a
/// map (an 8-bit field in a 16-bit checksummed word).
fn ttl() -> String {
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

/// The elements of the sets, by the sets' names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elements {
    sets: BTreeMap<&'static str, BTreeSet<String>>,
    /// The rules of the networks that have policies.
    acls: BTreeMap<u32, Vec<String>>,
}

impl Elements {
    /// The elements for the active ports of `wired`, the twins that exist, and their networks.
    pub fn of(model: &Model, wired: &HashSet<String>) -> Self {
        let mut elements = Self::default();
        let mut tables = BTreeSet::new();
        for port in &model.ports {
            let wired = wired.contains(&port.names.twin);
            if let Some(table) = port.table.filter(|_| wired && port.is_active()) {
                tables.insert(table);
                elements.add_port(port, table);
            }
        }
        let networks = model.networks.iter();
        for network in networks.filter(|network| tables.contains(&network.table)) {
            elements.add_network(network);
        }
        elements.add_flows(model, &tables);
        elements
    }

    /// What passes between networks that have active ports.
    fn add_flows(&mut self, model: &Model, tables: &BTreeSet<u32>) {
        for port in model
            .ports
            .iter()
            .filter(|port| model.legs.contains(&port.id))
        {
            self.add("legs", format!("\"{}\"", port.names.twin));
        }
        let mut pairs = BTreeSet::new();
        for flow in &model.flows {
            if !tables.contains(&flow.left) || !tables.contains(&flow.right) {
                continue;
            }
            pairs.insert((flow.left.min(flow.right), flow.left.max(flow.right)));
            let (Some(left), Some(right)) = (model.network(flow.left), model.network(flow.right))
            else {
                continue;
            };
            self.add_rules(flow, left, right, &flow.packets);
            if flow.both_ways {
                self.add_rules(flow, right, left, &flow.packets.reversed());
            }
        }
        for (number, pair) in pairs.into_iter().enumerate() {
            if let (Some(left), Some(right)) = (model.network(pair.0), model.network(pair.1)) {
                self.add_pair(PAIR_ZONES + number, left, right);
            }
        }
        let tables: Vec<u32> = self.acls.keys().copied().collect();
        for table in tables {
            self.add("acl_of", format!("{table} : jump acl{table}"));
        }
    }

    fn add_rules(&mut self, flow: &Flow, from: &Network, to: &Network, packets: &Packets) {
        // Packets of a chain that is closed must not find another way.
        let passes = match &flow.action {
            Action::Pass => true,
            Action::Chain { legs, .. } => legs.is_ok(),
            Action::Deny => false,
        };
        let verdict = if passes { "accept" } else { "drop" };
        let acl = self.acls.entry(from.table).or_default();
        for prefix in &to.prefixes {
            let (family, ip) = match prefix.is_ipv4() {
                true => (Family::V4, "ip"),
                false => (Family::V6, "ip6"),
            };
            let network = format!("{}/{}", prefix.network(), prefix.prefix());
            let mut rule = format!("{ip} daddr {network}");
            if let Some(protocol) = packets.protocol {
                let _ = write!(rule, " meta l4proto {}", protocol.number(family));
            }
            let ports = [
                ("sport", packets.source_ports),
                ("dport", packets.destination_ports),
            ];
            for (side, ports) in ports {
                if let Some((first, last)) = ports {
                    let _ = write!(rule, " th {side} {first}-{last}");
                }
            }
            acl.push(format!("{rule} counter {verdict}"));
        }
    }

    fn add_pair(&mut self, zone: usize, left: &Network, right: &Network) {
        for own in [left, right] {
            for (from, to) in [(left, right), (right, left)] {
                for source in &from.prefixes {
                    let same = |p: &&ipnetwork::IpNetwork| p.is_ipv4() == source.is_ipv4();
                    for destination in to.prefixes.iter().filter(same) {
                        let set = if source.is_ipv4() { "pair4" } else { "pair6" };
                        let table = own.table;
                        self.add(set, format!("{table} . {source} . {destination} : {zone}"));
                    }
                }
            }
        }
    }

    fn add_port(&mut self, port: &Port, table: u32) {
        let twin = &port.names.twin;
        self.add("network_of", format!("\"{twin}\" : {table}"));
        for (family, set) in [(Family::V4, "owned4"), (Family::V6, "owned6")] {
            for address in port.addresses_of(family) {
                self.add(set, format!("\"{twin}\" . {} . {address}", port.mac));
            }
        }
    }

    fn add_network(&mut self, network: &Network) {
        let table = network.table;
        self.add("zone_of", format!("{table} : {table}"));
        for prefix in &network.prefixes {
            let set = if prefix.is_ipv4() {
                "onlink4"
            } else {
                "onlink6"
            };
            self.add(
                set,
                format!("{table} . {}/{}", prefix.network(), prefix.prefix()),
            );
        }
    }

    fn add(&mut self, set: &'static str, element: String) {
        self.sets.entry(set).or_default().insert(element);
    }

    fn in_set(&self, set: &str) -> impl Iterator<Item = &String> {
        self.sets.get(set).into_iter().flatten()
    }

    /// What of this is not in `other`, in one set.
    fn beyond<'a>(&'a self, other: &Self, set: &str) -> Vec<&'a str> {
        let others: BTreeSet<&String> = other.in_set(set).collect();
        let own = self.in_set(set).filter(|element| !others.contains(element));
        own.map(String::as_str).collect()
    }

    /// The commands that lead from these elements to `next`; empty when nothing changes.
    pub fn change_to(&self, next: &Self) -> String {
        let mut text = String::new();
        let mut command = |verb: &str, set: &str, elements: Vec<&str>| {
            if !elements.is_empty() {
                let list = elements.join(", ");
                let _ = writeln!(text, "{verb} element {TABLE} {set} {{ {list} }}");
            }
        };
        // The chains of the policies exist before something leads to them, and go after nothing does.
        let rules = self.change_rules(next);
        for (set, _) in SETS {
            command("delete", set, self.beyond(next, set));
        }
        for (set, _) in SETS {
            command("add", set, next.beyond(self, set));
        }
        format!("{}{text}{}", rules.0, rules.1)
    }

    /// The commands that make and fill the chains of the policies, and those that remove them.
    fn change_rules(&self, next: &Self) -> (String, String) {
        let (mut before, mut after) = (String::new(), String::new());
        for (table, rules) in &next.acls {
            if self.acls.get(table) != Some(rules) {
                let _ = writeln!(before, "add chain {TABLE} acl{table}");
                let _ = writeln!(before, "flush chain {TABLE} acl{table}");
                for rule in rules {
                    let _ = writeln!(before, "add rule {TABLE} acl{table} {rule}");
                }
            }
        }
        for table in self
            .acls
            .keys()
            .filter(|table| !next.acls.contains_key(table))
        {
            let _ = writeln!(after, "delete chain {TABLE} acl{table}");
        }
        (before, after)
    }

    /// Whether `next` does not allow everything that these elements allow: flows that were accepted
    /// before must then be forgotten.
    pub fn allow_more_than(&self, next: &Self) -> bool {
        self.acls != next.acls || ALLOWED.iter().any(|set| !self.beyond(next, set).is_empty())
    }
}

/// The command that empties all sets.
pub fn flush() -> String {
    SETS.iter()
        .map(|(set, declaration)| {
            let kind = declaration.split(' ').next().unwrap_or("set");
            format!("flush {kind} {TABLE} {set}\n")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{all_wired, two_networks};
    use super::*;

    #[test]
    fn active_ports_are_marked_and_own_their_addresses() {
        let model = two_networks();
        let elements = Elements::of(&model, &all_wired(&model));
        let text = Elements::default().change_to(&elements);
        assert!(text.contains(r#"network_of { "t1" : 1001, "t2" : 1001, "t3" : 1002 }"#));
        assert!(text.contains(r#""t1" . 02:00:00:00:00:01 . 10.1.1.3"#));
        assert!(text.contains("1002 . fd00:1::/64"));
        assert!(!text.contains("t4"), "an inactive port has no part in it");
    }

    #[test]
    fn only_what_is_different_is_sent() {
        let mut model = two_networks();
        let before = Elements::of(&model, &all_wired(&model));
        assert_eq!(before.change_to(&before), "");
        let gone = model.ports.remove(0);
        let after = Elements::of(&model, &all_wired(&model));
        let text = before.change_to(&after);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.lines().all(|line| line.contains(&gone.names.twin)));
        assert!(text.lines().all(|line| line.starts_with("delete element")));
    }

    #[test]
    fn flows_are_forgotten_only_when_a_network_goes() {
        let mut model = two_networks();
        let both = Elements::of(&model, &all_wired(&model));
        model.ports.remove(1);
        let fewer_ports = Elements::of(&model, &all_wired(&model));
        assert!(!both.allow_more_than(&fewer_ports));
        model.ports.remove(0);
        let one_network = Elements::of(&model, &all_wired(&model));
        assert!(fewer_ports.allow_more_than(&one_network));
        assert!(!one_network.allow_more_than(&both));
    }
}
