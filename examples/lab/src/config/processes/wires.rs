//! Transparent service instances: the schema transformer gives each an address in its chain, and steers
//! packets to their interfaces by tagged references to the routing instances of the chain.

use std::collections::{BTreeMap, BTreeSet};

use contrail_core::FqName;
use contrail_core::values::Family;
use serde_json::{Value, json};
use uuid::Uuid;

use super::chains::{self, Mode};
use super::objects::{link, object, plain};
use super::service_addresses;
use crate::config::made::Chain;
use crate::config::made::Links;
use crate::config::state::State;
use crate::view::members;

/// The addresses of wires by [`key`].
pub(super) type Addresses = BTreeMap<String, BTreeMap<Family, String>>;

/// The MAC addresses with which packets enter a wire from the left and from the right.
const MACS: [&str; 2] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];

/// What the address of a service instance in a chain is called.
pub(super) fn key(chain: &Chain, service: &FqName) -> String {
    let name = chain.routing_instance(&chain.left, service);
    name.name().to_owned()
}

/// Makes and removes the addresses of the wires of these chains.
pub(super) fn addresses(state: &mut State, chains: &[Chain]) -> Addresses {
    let wires: BTreeSet<String> = wires(state, chains)
        .into_iter()
        .map(|(chain, service, _)| key(chain, service))
        .collect();
    for (id, key) in state.made.wires.clone() {
        if !wires.contains(&key) {
            state.made.wires.remove(&id);
            state.discard(id);
        }
    }
    let tags = &mut state.made.tags;
    tags.retain(|key, _| wires.contains(key));
    for key in &wires {
        let taken: BTreeSet<u32> = tags.values().copied().collect();
        let free = (1..).find(|tag| !taken.contains(tag));
        tags.entry(key.clone()).or_insert(free.unwrap_or_default());
    }
    let mut addresses = Addresses::new();
    for key in wires {
        let of = |family| Some((family, address(state, &key, family)?));
        let found = Family::ALL.into_iter().filter_map(of).collect();
        addresses.insert(key, found);
    }
    addresses
}

/// The address of a wire, which is made when there is none; `None` when no address is left.
fn address(state: &mut State, key: &str, family: Family) -> Option<String> {
    let name = format!("{key}-{family}");
    let kind = state.kinds.instance_ip;
    if let Some(id) = state.store.find(kind, &[&name]) {
        return Some(state.store.get(id)?.text("instance_ip_address")?.to_owned());
    }
    let (ipam, address) = service_addresses::allocate(state, family, &name)?;
    let props = json!({
        "display_name": name, "instance_ip_family": family.to_string(),
        "instance_ip_address": address, "instance_ip_secondary": true,
    });
    let id = state.make(kind, vec![name], None, object(props));
    state
        .store
        .set_ref(id, state.kinds.network_ipam, plain(ipam));
    state.made.wires.insert(id, key.to_owned());
    Some(address)
}

/// The transparent service instances of chains.
fn wires<'a>(state: &State, chains: &'a [Chain]) -> Vec<(&'a Chain, &'a FqName, Uuid)> {
    let kind = state.kinds.service_instance;
    let services = chains
        .iter()
        .flat_map(|chain| chain.services.iter().map(move |service| (chain, service)));
    services
        .filter_map(|(chain, service)| {
            let id = state.store.find(kind, service.parts())?;
            let is_wire = chains::mode(state, id) == Some(Mode::Transparent);
            is_wire.then_some((chain, service, id))
        })
        .collect()
}

/// Makes and removes the references of the wires' interfaces to the routing instances of their chains.
pub(super) fn steer(state: &mut State) {
    let chains: Vec<Chain> = state.made.built_chains().cloned().collect();
    let addresses = addresses(state, &chains);
    let kinds = state.kinds;
    let mut wanted = BTreeMap::new();
    for (chain, service, instance) in wires(state, &chains) {
        let key = key(chain, service);
        // A tag is the chain's on all interfaces of the service instance.
        let tag = state.made.tags.get(&key).copied().unwrap_or_default();
        let own = addresses.get(&key);
        let sides = [
            ("left", &chain.left, MACS),
            ("right", &chain.right, [MACS[1], MACS[0]]),
        ];
        for tuple in state.store.children_of(instance, kinds.port_tuple) {
            let members = members(state, *tuple);
            for (role, network, macs) in sides {
                let name = chain.routing_instance(network, service);
                let to = state.store.find(kinds.routing_instance, name.parts());
                if let Some((from, to)) = members.get(role).copied().zip(to) {
                    wanted.insert((from, to), tagged(tag, macs, own));
                }
            }
        }
    }
    let made: Links = std::mem::take(&mut state.made.steered);
    state.made.steered = link(state, kinds.routing_instance, made, wanted);
}

fn tagged(tag: u32, [source, target]: [&str; 2], own: Option<&BTreeMap<Family, String>>) -> Value {
    let address = |family| own.and_then(|addresses| addresses.get(&family));
    json!({
        "direction": "both", "vlan_tag": tag, "src_mac": source, "dst_mac": target,
        "mpls_label": null, "service_chain_address": address(Family::V4),
        "ipv6_service_chain_address": address(Family::V6), "protocol": null,
    })
}
