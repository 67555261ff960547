//! The model of the agent's subscriptions, the configuration and the links of the host: a pure
//! function.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use uuid::Uuid;

use super::model::{Model, Network, Port};
use super::netlink::Link;
use super::policy;
use super::port_state::state;
use super::wire::Names;
use crate::agent::info;
use crate::agent::ports::Subscription;
use crate::view::{ConfigView, NetworkView};

/// The first routing table of a virtual network. The number is also the network's packet mark and
/// its zone of connection tracking.
const FIRST_TABLE: u32 = 1001;

/// The routing table of each virtual network. A number is never given to a second network.
#[derive(Debug, Default)]
pub struct Tables(BTreeMap<Uuid, u32>);

impl Tables {
    fn of(&mut self, network: Uuid) -> u32 {
        let next = FIRST_TABLE + self.0.len() as u32;
        *self.0.entry(network).or_insert(next)
    }
}

/// Resolves the agent's subscriptions: which network, which addresses, active or why not.
pub fn resolve(
    lab: &str,
    subscriptions: &[Subscription],
    view: &ConfigView,
    links: &BTreeMap<String, Link>,
    tables: &mut Tables,
) -> Model {
    let mut networks: BTreeMap<u32, Network> = BTreeMap::new();
    let mut ports: Vec<Port> = subscriptions
        .iter()
        .map(|subscription| {
            let configured = info::configuration(subscription, subscriptions, view);
            let network = configured.as_ref().map(|c| c.network);
            let table = network.map(|network| {
                let table = tables.of(network.uuid);
                let entry = networks.entry(table);
                entry.or_insert_with(|| resolve_network(network, table));
                table
            });
            let addresses = info::addresses(subscription, configured.as_ref());
            Port {
                id: subscription.id,
                display_name: subscription.display_name.clone(),
                host_ifname: subscription.host_ifname.clone(),
                names: Names::of(lab, subscription.id),
                mac: info::mac(subscription, configured.as_ref()),
                state: state(subscription, table, &addresses, links),
                addresses,
                table,
                network: network.map(|network| network.fq_name.clone()),
            }
        })
        .collect();
    ports.sort_by_key(|port| port.id);
    let networks: Vec<Network> = networks.into_values().collect();
    let (flows, legs) = policy::resolve(view, &networks, &ports);
    Model {
        networks,
        ports,
        flows,
        legs,
    }
}

fn resolve_network(network: &NetworkView, table: u32) -> Network {
    let mut prefixes = Vec::new();
    let (mut services, mut gateways) = (BTreeSet::new(), Vec::<IpAddr>::new());
    for subnet in &network.subnets {
        prefixes.push(subnet.prefix);
        services.extend(subnet.gateway.into_iter().chain(subnet.dns));
        if let Some(gateway) = subnet.gateway
            && !gateways.iter().any(|g| g.is_ipv4() == gateway.is_ipv4())
        {
            gateways.push(gateway);
        }
    }
    Network {
        uuid: network.uuid,
        name: network.fq_name.clone(),
        table,
        prefixes: outermost(prefixes),
        services: services.into_iter().collect(),
        gateways,
    }
}

/// Drops every prefix that lies inside another.
fn outermost(mut prefixes: Vec<IpNetwork>) -> Vec<IpNetwork> {
    prefixes.sort_by_key(|prefix| (prefix.prefix(), prefix.network()));
    let mut kept: Vec<IpNetwork> = Vec::new();
    for prefix in prefixes {
        if !kept.iter().any(|outer| outer.contains(prefix.network())) {
            kept.push(prefix);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use contrail_core::FqName;
    use serde_json::json;

    use super::*;
    use crate::agent::body;
    use crate::view::{InterfaceView, MachineView, SubnetView};

    const PORT: Uuid = Uuid::from_u128(7);
    const NETWORK: Uuid = Uuid::from_u128(8);

    fn subscription() -> Subscription {
        let body = json!({
            "id": PORT, "instance-id": PORT, "vn-id": NETWORK, "vm-project-id": "",
            "display-name": "a", "ip-address": "", "ip6-address": "",
            "mac-address": "02:00:00:00:00:07", "system-name": "tap7", "type": 0,
            "rx-vlan-id": -1, "tx-vlan-id": -1
        });
        body::port(body.as_object().unwrap()).unwrap()
    }

    fn view() -> ConfigView {
        let name: FqName = "default-domain:admin:a".parse().unwrap();
        ConfigView {
            networks: vec![NetworkView {
                uuid: NETWORK,
                fq_name: name.clone(),
                subnets: ["10.0.0.0/8", "10.1.0.0/16"]
                    .map(|prefix| SubnetView {
                        prefix: prefix.parse().unwrap(),
                        gateway: Some("10.0.0.1".parse().unwrap()),
                        dns: None,
                    })
                    .to_vec(),
                rules: Vec::new(),
            }],
            service_instances: Vec::new(),
            chains: Vec::new(),
            interfaces: vec![InterfaceView {
                uuid: PORT,
                fq_name: name,
                display_name: String::new(),
                network: Some(NETWORK),
                machine: Some(PORT),
                mac: None,
                addresses: vec!["10.0.0.7".parse().unwrap()],
                annotations: Vec::new(),
            }],
            machines: vec![MachineView {
                uuid: PORT,
                name: "a".into(),
                display_name: "a".into(),
                on_router: false,
            }],
        }
    }

    fn links(up: bool, running: bool) -> BTreeMap<String, Link> {
        let link = Link {
            index: 3,
            name: "tap7".into(),
            alias: String::new(),
            mtu: 1500,
            up,
            running,
            counters: Default::default(),
        };
        BTreeMap::from([("tap7".into(), link)])
    }

    fn state(view: &ConfigView, links: &BTreeMap<String, Link>) -> String {
        let model = resolve(
            "lab",
            &[subscription()],
            view,
            links,
            &mut Tables::default(),
        );
        model.ports[0].state.to_string()
    }

    #[test]
    fn a_port_needs_configuration_a_running_host_end_and_an_address() {
        assert_eq!(state(&view(), &links(true, true)), "active");
        assert_eq!(
            state(&ConfigView::default(), &BTreeMap::new()),
            "inactive vn-null no-dev no-ipv4-addr no-ipv6-addr"
        );
        for (up, running) in [(false, true), (true, false)] {
            let links = links(up, running);
            assert_eq!(state(&view(), &links), "inactive os-state-down");
        }
        let mut without = view();
        without.interfaces[0].addresses.clear();
        assert_eq!(
            state(&without, &links(true, true)),
            "inactive no-ipv4-addr no-ipv6-addr"
        );
    }

    #[test]
    fn the_registered_address_comes_before_the_instance_ip() {
        let mut port = subscription();
        port.address = "10.0.0.9".parse().unwrap();
        let links = links(true, true);
        let model = resolve("lab", &[port], &view(), &links, &mut Tables::default());
        let addresses: Vec<String> = model.ports[0]
            .addresses
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(addresses, ["10.0.0.9", "10.0.0.7"]);
    }

    #[test]
    fn a_network_keeps_its_table_and_no_other_gets_it() {
        let mut tables = Tables::default();
        let first = tables.of(NETWORK);
        assert_ne!(tables.of(PORT), first);
        assert_eq!(tables.of(NETWORK), first);
    }

    #[test]
    fn a_prefix_inside_another_is_left_out() {
        let links = links(true, true);
        let model = resolve(
            "lab",
            &[subscription()],
            &view(),
            &links,
            &mut Tables::default(),
        );
        let prefixes: Vec<String> = model.networks[0]
            .prefixes
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(prefixes, ["10.0.0.0/8"]);
    }
}
