//! The schema transformer's part: a routing instance for each leg of a service chain, with the routes that
//! it passes on, and connections between routing instances (`config-api.md` sections 9.3 and 9.4).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use contrail_core::FqName;
use contrail_core::identity::Family;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::service_addresses;
use crate::config::address;
use crate::config::state::State;
use crate::config::store::Ref;
use crate::view::{ConfigView, NetworkView, PolicyRule, ServiceInstanceView, meant};

/// The name space of the ids of chains: a real one is random, and the same as long as its chain exists.
const CHAINS: Uuid = Uuid::from_u128(0x5c9e_f0b1_1a6f_4a56_9c7d_2b0e_7d1f_33a4);

/// What should be there.
#[derive(Default)]
struct Wanted {
    /// The routing instances of legs, by name, with their properties.
    instances: BTreeMap<FqName, Value>,
    /// Those that import each other's routes.
    connections: Vec<(FqName, FqName)>,
}

pub(super) fn follow(state: &mut State) {
    let view = ConfigView::of(state);
    let wanted = wanted(state, &view);
    let kind = state.kinds.routing_instance;
    for id in state.made.routing_instances.clone() {
        let stays = state.store.get(id).is_some_and(|object| {
            let name = FqName::new(object.fq_name.iter().cloned());
            let props = wanted.instances.get(&name).and_then(Value::as_object);
            let has = |(key, value): (&String, &Value)| object.props.get(key) == Some(value);
            props.is_some_and(|props| props.iter().all(has))
        });
        if !stays {
            state.made.routing_instances.remove(&id);
            state.discard(id);
        }
    }
    for (name, props) in &wanted.instances {
        if state.store.find(kind, name.parts()).is_some() {
            continue;
        }
        let network = state
            .store
            .find(state.kinds.virtual_network, name.parent().parts());
        let parent = network.map(|id| (state.kinds.virtual_network, id));
        let props = props.as_object().cloned().unwrap_or_default();
        let id = state.make(kind, name.parts().to_vec(), parent, props);
        state.made.routing_instances.insert(id);
    }
    connect(state, &wanted.connections);
}

/// Makes and removes connections. Those that somebody else made stay.
fn connect(state: &mut State, wanted: &[(FqName, FqName)]) {
    let kind = state.kinds.routing_instance;
    let pair = |(a, b): &(FqName, FqName)| {
        let (a, b) = (
            state.store.find(kind, a.parts())?,
            state.store.find(kind, b.parts())?,
        );
        Some((a.min(b), a.max(b)))
    };
    let wanted: BTreeSet<(Uuid, Uuid)> = wanted.iter().filter_map(pair).collect();
    let (made, gone): (BTreeSet<_>, BTreeSet<_>) = std::mem::take(&mut state.made.connections)
        .into_iter()
        .partition(|connection| wanted.contains(connection));
    state.made.connections = made;
    for (a, b) in gone {
        state.store.remove_ref(a, kind, b);
        state.touch();
    }
    for (a, b) in wanted {
        let refs = state.store.get(a).map(|object| object.refs_to(kind));
        if refs
            .into_iter()
            .flatten()
            .any(|reference| reference.to == b)
        {
            continue;
        }
        let reference = Ref {
            to: b,
            attr: Value::Null,
            relaxed: false,
        };
        state.store.set_ref(a, kind, reference);
        state.made.connections.insert((a, b));
        state.touch();
    }
}

fn wanted(state: &State, view: &ConfigView) -> Wanted {
    let mut wanted = Wanted::default();
    for (left, right, rule) in meant(&view.networks) {
        let ends = (&view.networks[left], &view.networks[right]);
        match rule.services.as_slice() {
            _ if !rule.pass => {}
            [] => wanted.connections.push((primary(ends.0), primary(ends.1))),
            services => {
                let find =
                    |name: &FqName| view.service_instances.iter().find(|s| s.fq_name == *name);
                let found: Option<Vec<Service>> = services
                    .iter()
                    .map(|name| Service::of(state, find(name)?, rule.both_ways))
                    .collect();
                if let Some(services) = found {
                    wanted.chain(ends, rule, &services);
                }
            }
        }
    }
    wanted
}

/// A member of a chain, with the shared addresses of its legs.
struct Service<'a> {
    name: &'a FqName,
    is_nat: bool,
    left: BTreeMap<Family, IpAddr>,
    right: BTreeMap<Family, IpAddr>,
}

impl<'a> Service<'a> {
    /// `None` as long as something is missing for a chain.
    fn of(state: &State, view: &'a ServiceInstanceView, both_ways: bool) -> Option<Self> {
        let is_nat = match view.mode.as_str() {
            "in-network" | "transparent" => false,
            "in-network-nat" => true,
            _ => return None,
        };
        let kinds = state.kinds;
        let id = state
            .store
            .find(kinds.service_instance, view.fq_name.parts())?;
        let leg = |role: &str| {
            let of = |family| {
                let name = service_addresses::name(id, role, family);
                let ip = state.store.find(kinds.instance_ip, &[name])?;
                let text = state.store.get(ip)?.text("instance_ip_address")?;
                Some((family, address::parse(text)?))
            };
            Family::ALL
                .into_iter()
                .filter_map(of)
                .collect::<BTreeMap<_, _>>()
        };
        let service = Self {
            name: &view.fq_name,
            is_nat,
            left: leg("left"),
            right: leg("right"),
        };
        let needs_right = both_ways && !is_nat;
        let misses_right = needs_right && service.right.is_empty();
        (!service.left.is_empty() && !misses_right).then_some(service)
    }
}

impl Wanted {
    fn chain(
        &mut self,
        (left, right): (&NetworkView, &NetworkView),
        rule: &PolicyRule,
        services: &[Service],
    ) {
        let id = chain_id(left, right, rule);
        let name = |network: &NetworkView, service: &Service| {
            let service = service.name.to_string().replace(':', "_");
            network.fq_name.child(format!("service-{id}-{service}"))
        };
        // From here the routes of the left network come to the next service.
        let mut from = Some(primary(left));
        for service in services {
            let own = name(left, service);
            let to_right = information(service, &service.left, (left, right), id);
            self.instances.insert(own.clone(), props(&own, to_right));
            if let Some(from) = from {
                self.connections.push((from, own));
            }
            from = (!service.is_nat).then(|| name(right, service));
            if let Some(own) = &from {
                let to_left = match rule.both_ways {
                    true => information(service, &service.right, (right, left), id),
                    false => Map::new(),
                };
                self.instances.insert(own.clone(), props(own, to_left));
            }
        }
        if let Some(from) = from {
            self.connections.push((from, primary(right)));
        }
    }
}

/// The routes of `to` that a leg passes on to `from`, by the address of the leg.
fn information(
    service: &Service,
    leg: &BTreeMap<Family, IpAddr>,
    (from, to): (&NetworkView, &NetworkView),
    chain: Uuid,
) -> Map<String, Value> {
    let of = |(family, address): (&Family, &IpAddr)| {
        let prefixes = to.subnets.iter().map(|subnet| subnet.prefix);
        let prefixes: Vec<String> = prefixes
            .filter(|prefix| Family::of(prefix.ip()) == *family)
            .map(|prefix| prefix.to_string())
            .collect();
        let key = match family {
            Family::V4 => "service_chain_information",
            Family::V6 => "ipv6_service_chain_information",
        };
        let value = json!({
            "routing_instance": primary(to).to_string(), "prefix": prefixes,
            "service_chain_address": address, "service_instance": service.name.to_string(),
            "source_routing_instance": primary(from).to_string(), "service_chain_id": chain,
            "retain_as_path": false,
        });
        (!prefixes.is_empty()).then(|| (key.to_owned(), value))
    };
    leg.iter().filter_map(of).collect()
}

fn props(name: &FqName, information: Map<String, Value>) -> Value {
    let mut props = Map::new();
    props.insert("display_name".into(), json!(name.name()));
    props.extend(information);
    Value::Object(props)
}

/// The routing instance of a network itself.
fn primary(network: &NetworkView) -> FqName {
    network.fq_name.child(network.fq_name.name())
}

fn chain_id(left: &NetworkView, right: &NetworkView, rule: &PolicyRule) -> Uuid {
    let (left, right, services) = (&left.fq_name, &right.fq_name, &rule.services);
    let packets = (&rule.protocol, &rule.source_ports, &rule.destination_ports);
    let text = format!("{left} {right} {} {packets:?} {services:?}", rule.both_ways);
    Uuid::new_v5(&CHAINS, text.as_bytes())
}
