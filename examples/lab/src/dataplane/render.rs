//! The kernel objects that a model asks for, in the lab's namespace: a pure function.

use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use contrail_core::values::Family;
use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use super::chains;
use super::model::{Model, Network, Port};
use super::object::{Object, Selector, Target};

/// Priorities of the rules. Those between are for what passes between networks, see
/// [`chains`](super::chains).
mod priority {
    pub const OWN_MARKED: u32 = 20;
    pub const OWN_FROM: u32 = 21;
    pub const PORT: u32 = 300;
}

const EVERYTHING4: Ipv4Network = Ipv4Network::new_checked(Ipv4Addr::UNSPECIFIED, 0).unwrap();
const EVERYTHING6: Ipv6Network = Ipv6Network::new_checked(Ipv6Addr::UNSPECIFIED, 0).unwrap();

/// All objects for the ports of `wired`, the twins that exist.
pub fn render(model: &Model, wired: &HashSet<String>) -> BTreeSet<Object> {
    let mut objects = BTreeSet::new();
    let ports: Vec<&Port> = model
        .ports
        .iter()
        .filter(|port| wired.contains(&port.names.twin))
        .collect();
    for network in &model.networks {
        let members: Vec<&Port> = ports
            .iter()
            .copied()
            .filter(|port| port.is_active() && port.table == Some(network.table))
            .collect();
        if !members.is_empty() {
            render_router(network, &mut objects);
            render_members(network, &members, &mut objects);
        }
    }
    chains::render(model, wired, &mut objects);
    for port in ports {
        let table = port.table.filter(|_| port.is_active());
        for family in Family::ALL {
            objects.insert(Object::Rule {
                priority: priority::PORT,
                family,
                selector: Selector::Device(port.names.twin.clone()),
                table,
            });
        }
    }
    objects
}

/// The router itself in a network: its table's end, its addresses, and how its own packets find
/// the table.
fn render_router(network: &Network, objects: &mut BTreeSet<Object>) {
    let table = network.table;
    for family in Family::ALL {
        objects.insert(Object::Route {
            table,
            destination: everything(family),
            target: Target::Blackhole,
        });
        objects.insert(Object::Rule {
            priority: priority::OWN_MARKED,
            family,
            selector: Selector::OwnMarked(table),
            table: Some(table),
        });
    }
    for service in &network.services {
        objects.insert(Object::Address(*service));
        objects.insert(Object::Route {
            table,
            destination: IpNetwork::from(*service),
            target: Target::Local,
        });
        // The same without packet marks; right unless two networks share a gateway's address.
        objects.insert(Object::Rule {
            priority: priority::OWN_FROM,
            family: Family::of(*service),
            selector: Selector::OwnFrom(*service),
            table: Some(table),
        });
    }
}

fn render_members(network: &Network, members: &[&Port], objects: &mut BTreeSet<Object>) {
    // Two ports that claim one address: the first has it, always the same one.
    let mut taken: HashSet<IpAddr> = network.services.iter().copied().collect();
    for port in members {
        for address in &port.addresses {
            if !taken.insert(*address) {
                continue;
            }
            objects.insert(Object::Route {
                table: network.table,
                destination: IpNetwork::from(*address),
                target: Target::Port {
                    device: port.names.twin.clone(),
                    source: network.gateway(Family::of(*address)),
                },
            });
            objects.insert(Object::Neighbour {
                device: port.names.twin.clone(),
                address: *address,
                mac: port.mac,
            });
        }
    }
    let services = network.services.iter().copied();
    for port in members
        .iter()
        .filter(|p| p.addresses_of(Family::V6).next().is_some())
    {
        let others = members
            .iter()
            .filter(|other| other.id != port.id)
            .flat_map(|other| other.addresses_of(Family::V6));
        for address in services.clone().filter(IpAddr::is_ipv6).chain(others) {
            objects.insert(Object::Proxy {
                device: port.names.twin.clone(),
                address,
            });
        }
    }
}

fn everything(family: Family) -> IpNetwork {
    match family {
        Family::V4 => IpNetwork::V4(EVERYTHING4),
        Family::V6 => IpNetwork::V6(EVERYTHING6),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{all_wired, two_networks};
    use super::*;

    fn routes(objects: &BTreeSet<Object>, wanted: u32) -> Vec<String> {
        let target = |target: &Target| match target {
            Target::Blackhole => "blackhole".to_owned(),
            Target::Local => "local".to_owned(),
            Target::Port { device, source } => format!("{device} from {}", source.unwrap()),
            Target::Via { device, gateway } => format!("{device} via {gateway}"),
        };
        objects
            .iter()
            .filter_map(|object| match object {
                Object::Route {
                    table,
                    destination,
                    target: way,
                } if *table == wanted => Some(format!("{destination} {}", target(way))),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_table_knows_its_gateways_its_members_and_nothing_else() {
        let model = two_networks();
        let objects = render(&model, &all_wired(&model));
        assert_eq!(
            routes(&objects, 1001),
            [
                "0.0.0.0/0 blackhole",
                "10.1.1.1/32 local",
                "10.1.1.2/32 local",
                "10.1.1.3/32 t1 from 10.1.1.1",
                "10.1.1.4/32 t2 from 10.1.1.1",
                "::/0 blackhole",
                "fd00:1::1/128 local",
                "fd00:1::3/128 t1 from fd00:1::1",
                "fd00:1::4/128 t2 from fd00:1::1",
            ]
        );
        assert!(!routes(&objects, 1002).iter().any(|r| r.contains("t4")));
    }

    #[test]
    fn a_port_that_is_not_active_is_closed() {
        let model = two_networks();
        let objects = render(&model, &all_wired(&model));
        let rule = |device: &str, table| Object::Rule {
            priority: 300,
            family: Family::V4,
            selector: Selector::Device(device.into()),
            table,
        };
        assert!(objects.contains(&rule("t3", Some(1002))));
        assert!(objects.contains(&rule("t4", None)));
    }

    #[test]
    fn what_is_not_wired_leaves_no_trace() {
        let model = two_networks();
        assert!(render(&model, &HashSet::new()).is_empty());
    }

    #[test]
    fn every_other_ipv6_address_of_the_network_is_answered_for() {
        let model = two_networks();
        let objects = render(&model, &all_wired(&model));
        let proxies: Vec<String> = objects
            .iter()
            .filter_map(|object| match object {
                Object::Proxy { device, address } => Some(format!("{device} {address}")),
                _ => None,
            })
            .collect();
        assert_eq!(
            proxies,
            [
                "t1 fd00:1::1",
                "t1 fd00:1::4",
                "t2 fd00:1::1",
                "t2 fd00:1::3",
                "t3 fd00:1::1"
            ]
        );
    }

    #[test]
    fn an_address_claimed_twice_belongs_to_one_port() {
        let mut model = two_networks();
        model.ports[1].addresses = model.ports[0].addresses.clone();
        let objects = render(&model, &all_wired(&model));
        let to = |device: &str| {
            let routes = routes(&objects, 1001);
            routes.iter().filter(|r| r.contains(device)).count()
        };
        assert_eq!((to("t1 "), to("t2 ")), (2, 0));
    }
}
