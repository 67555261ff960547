//! The schema transformer's routing instances: one for each leg of a service chain that it has built, with
//! the routes that it passes on, and the connections by which routing instances import each other's routes.

use std::collections::BTreeMap;

use contrail_core::FqName;
use contrail_core::values::Family;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::chains::{self, Mode, knows_address};
use super::objects::{link, object, set_props};
use super::{service_addresses, wires};
use crate::config::made::Chain;
use crate::config::state::State;
use crate::view::{self, NetworkView};

/// The properties that tell which routes are passed on.
const INFORMATION: [(Family, &str); 2] = [
    (Family::V4, "service_chain_information"),
    (Family::V6, "ipv6_service_chain_information"),
];

/// What should be there.
#[derive(Default)]
pub(super) struct Wanted {
    /// The routing instances of legs, by name, with their properties.
    instances: BTreeMap<FqName, Map<String, Value>>,
    /// Those that import each other's routes.
    connections: Vec<(FqName, FqName)>,
    /// Those that import the routes of another only, which comes second.
    pub(super) imports: Vec<(FqName, FqName)>,
}

/// Makes and removes routing instances and their connections.
pub(super) fn follow(state: &mut State, networks: &[NetworkView]) -> Wanted {
    let wanted = wanted(state, networks);
    let kind = state.kinds.routing_instance;
    for id in state.made.routing_instances.clone() {
        let is_wanted = state.store.get(id).is_some_and(|object| {
            let name = object.full_name();
            wanted.instances.contains_key(&name)
        });
        if !is_wanted {
            state.made.routing_instances.remove(&id);
            state.discard(id);
        }
    }
    for (name, props) in &wanted.instances {
        let found = state.store.find(kind, name.parts());
        let id = found.unwrap_or_else(|| make(state, name));
        set_props(state, id, props.clone());
    }
    connect(state, &wanted.connections);
    wanted
}

fn make(state: &mut State, name: &FqName) -> Uuid {
    let kinds = state.kinds;
    let network = name.parent();
    let network = network.and_then(|name| state.store.find(kinds.virtual_network, name.parts()));
    let parent = network.map(|id| (kinds.virtual_network, id));
    let props = json!({"display_name": name.name(), "routing_instance_has_pnf": false});
    let name = name.parts().to_vec();
    let id = state.make(kinds.routing_instance, name, parent, object(props));
    state.made.routing_instances.insert(id);
    id
}

/// Makes and removes connections. Those that clients made stay.
fn connect(state: &mut State, wanted: &[(FqName, FqName)]) {
    let kind = state.kinds.routing_instance;
    let pair = |(a, b): &(FqName, FqName)| {
        let a = state.store.find(kind, a.parts())?;
        let b = state.store.find(kind, b.parts())?;
        Some(((a.min(b), a.max(b)), json!({"destination_instance": null})))
    };
    let wanted = wanted.iter().filter_map(pair).collect();
    let made = std::mem::take(&mut state.made.connections);
    state.made.connections = link(state, kind, made, wanted);
}

fn wanted(state: &mut State, networks: &[NetworkView]) -> Wanted {
    let mut wanted = Wanted::default();
    for (left, right, rule) in view::meant(networks) {
        if rule.pass && rule.services.is_empty() {
            let ends = [left, right].map(|number| primary(&networks[number].fq_name));
            let [left, right] = ends;
            wanted.connections.push((left, right));
        }
    }
    let by_name: BTreeMap<&FqName, &NetworkView> =
        networks.iter().map(|n| (&n.fq_name, n)).collect();
    let built: Vec<Chain> = state.made.built_chains().cloned().collect();
    let wires = wires::addresses(state, &built);
    for chain in &built {
        let ends = by_name.get(&chain.left).zip(by_name.get(&chain.right));
        if let Some((left, right)) = ends {
            let legs = Legs {
                state,
                chain,
                left,
                right,
                wires: &wires,
            };
            legs.add_to(&mut wanted);
        }
    }
    wanted
}

/// The legs of a chain that has been built.
struct Legs<'a> {
    state: &'a State,
    chain: &'a Chain,
    left: &'a NetworkView,
    right: &'a NetworkView,
    wires: &'a wires::Addresses,
}

impl Legs<'_> {
    fn add_to(&self, wanted: &mut Wanted) {
        let chain = self.chain;
        let mut from = Some(primary(&chain.left));
        for service in &chain.services {
            let found = self
                .state
                .store
                .find(self.state.kinds.service_instance, service.parts());
            let Some((id, mode)) = found.and_then(|id| Some((id, chains::mode(self.state, id)?)))
            else {
                continue;
            };
            let own = chain.routing_instance(&chain.left, service);
            let ends = (self.left, self.right);
            let addresses = self.addresses(id, mode, service, "left");
            let props = information(chain, service, mode, &addresses, ends);
            wanted.instances.insert(own.clone(), props);
            match from {
                Some(from) => wanted.connections.push((from, own)),
                None => wanted.imports.push((own, primary(&chain.left))),
            }
            from = None;
            if mode != Mode::InNetworkNat {
                let own = chain.routing_instance(&chain.right, service);
                let known = knows_address(self.state, &self.state.made.memory, id, "right");
                let addresses = match chain.both_ways && known {
                    true => self.addresses(id, mode, service, "right"),
                    false => BTreeMap::new(),
                };
                let ends = (self.right, self.left);
                let props = information(chain, service, mode, &addresses, ends);
                wanted.instances.insert(own.clone(), props);
                from = Some(own);
            }
        }
        if let Some(from) = from {
            wanted.connections.push((from, primary(&chain.right)));
        }
    }

    /// By which addresses a leg is the way.
    fn addresses(
        &self,
        instance: Uuid,
        mode: Mode,
        service: &FqName,
        role: &str,
    ) -> BTreeMap<Family, String> {
        match mode {
            // Both ends of a wire have one that is the chain's.
            Mode::Transparent => {
                let key = wires::key(self.chain, service);
                self.wires.get(&key).cloned().unwrap_or_default()
            }
            _ => service_addresses::addresses(self.state, instance, role),
        }
    }
}

/// The routes of `to` that a leg passes on to `from`, by the address of the leg.
fn information(
    chain: &Chain,
    service: &FqName,
    mode: Mode,
    addresses: &BTreeMap<Family, String>,
    (from, to): (&NetworkView, &NetworkView),
) -> Map<String, Value> {
    let of = |(family, key): (Family, &str)| {
        let Some(address) = addresses.get(&family) else {
            return (key.to_owned(), Value::Null);
        };
        let prefixes = to.subnets.iter().map(|subnet| subnet.prefix);
        let prefixes = prefixes.filter(|prefix| Family::of(prefix.ip()) == family);
        let prefixes: Vec<String> = prefixes.map(|prefix| prefix.to_string()).collect();
        let source = (mode != Mode::Transparent).then(|| primary(&from.fq_name).to_string());
        let value = json!({
            "routing_instance": primary(&to.fq_name).to_string(), "prefix": prefixes,
            "service_chain_address": address, "service_instance": service.to_string(),
            "source_routing_instance": source, "service_chain_id": chain.id,
            "sc_head": false, "retain_as_path": false,
        });
        (key.to_owned(), value)
    };
    INFORMATION.into_iter().map(of).collect()
}

/// The routing instance of a network itself.
pub(super) fn primary(network: &FqName) -> FqName {
    network.child(network.name())
}

/// The routing instance of a network itself, when the object is that network or routing instance.
pub(super) fn primary_of(state: &State, id: Uuid) -> Option<Uuid> {
    let kinds = state.kinds;
    let object = state.store.get(id)?;
    let is_default = object.props.get("routing_instance_is_default") == Some(&Value::Bool(true));
    if object.kind == kinds.routing_instance && is_default {
        return Some(id);
    }
    let network = object.full_name();
    let of_network = (object.kind == kinds.virtual_network).then(|| primary(&network))?;
    state.store.find(kinds.routing_instance, of_network.parts())
}
