//! The view of a state.

use std::net::IpAddr;

use serde_json::Value;
use uuid::Uuid;

use super::types::{ConfigView, InterfaceView, MachineView, NetworkView, SubnetView};
use super::{chains, policy};
use crate::config::address;
use crate::config::schema::Kind;
use crate::config::state::State;
use crate::config::store::Object;

impl ConfigView {
    /// The view of a state.
    pub(crate) fn of(state: &State) -> Self {
        let kinds = state.kinds;
        let networks = objects(state, kinds.virtual_network);
        let interfaces = objects(state, kinds.virtual_machine_interface);
        let machines = objects(state, kinds.virtual_machine);
        let instances = objects(state, kinds.service_instance);
        Self {
            networks: networks.map(|object| network(state, object)).collect(),
            interfaces: interfaces.map(|object| interface(state, object)).collect(),
            machines: machines.map(|object| machine(state, object)).collect(),
            service_instances: instances
                .map(|o| policy::service_instance(state, o))
                .collect(),
            chains: chains::built(state),
        }
    }

    /// The part of the view that one VM interface is about: itself, its machine and its network.
    pub(crate) fn of_interface(state: &State, id: Uuid) -> Self {
        let kinds = state.kinds;
        let found = |kind: Kind, id: Uuid| {
            let object = state.store.get(id);
            object.filter(|object| object.kind == kind).into_iter()
        };
        let interfaces: Vec<InterfaceView> = found(kinds.virtual_machine_interface, id)
            .map(|object| interface(state, object))
            .collect();
        let networks = interfaces.iter().filter_map(|interface| interface.network);
        let machines = interfaces.iter().filter_map(|interface| interface.machine);
        Self {
            networks: networks
                .flat_map(|id| found(kinds.virtual_network, id))
                .map(|object| network(state, object))
                .collect(),
            machines: machines
                .flat_map(|id| found(kinds.virtual_machine, id))
                .map(|object| machine(state, object))
                .collect(),
            service_instances: Vec::new(),
            chains: Vec::new(),
            interfaces,
        }
    }
}

fn objects(state: &State, kind: Kind) -> impl Iterator<Item = &Object> {
    state
        .store
        .listed(kind)
        .filter_map(|(_, uuid)| state.store.get(uuid))
}

fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.props.get(name).and_then(Value::as_str)
}

fn display_name(object: &Object) -> String {
    text(object, "display_name").unwrap_or_default().to_owned()
}

/// The virtual networks that have a policy, by name.
pub(crate) fn networks_with_policies(state: &State) -> Vec<NetworkView> {
    let networks = objects(state, state.kinds.virtual_network);
    networks
        .filter(|object| !object.refs_to(state.kinds.network_policy).is_empty())
        .map(|object| network(state, object))
        .collect()
}

fn network(state: &State, object: &Object) -> NetworkView {
    let owners = state.owners_of_subnets(object.uuid);
    let entries = owners.iter().filter_map(|owner| state.spaces.get(owner));
    let entries = entries.flatten();
    let known = |address: IpAddr| (!address.is_unspecified()).then_some(address);
    let subnets = entries.map(|entry| SubnetView {
        prefix: entry.subnet.network(),
        gateway: known(entry.subnet.gateway()),
        dns: known(entry.subnet.dns()),
    });
    NetworkView {
        uuid: object.uuid,
        fq_name: object.full_name(),
        subnets: subnets.collect(),
        rules: policy::rules(state, object),
    }
}

fn interface(state: &State, object: &Object) -> InterfaceView {
    let kinds = state.kinds;
    let first = |kind| object.refs_to(kind).first().map(|reference| reference.to);
    let macs = object.props.get("virtual_machine_interface_mac_addresses");
    let mac = macs.and_then(|macs| macs["mac_address"][0].as_str());
    let instance_ips = state.store.back_refs_of(object.uuid, kinds.instance_ip);
    let own = |iip: &&Object| iip.props.get("service_instance_ip") != Some(&Value::Bool(true));
    let addresses = instance_ips
        .filter_map(|id| state.store.get(id))
        .filter(own)
        .filter_map(|iip| text(iip, "instance_ip_address").and_then(address::parse));
    let mut addresses: Vec<IpAddr> = addresses.collect();
    addresses.sort_unstable();
    InterfaceView {
        uuid: object.uuid,
        fq_name: object.full_name(),
        display_name: display_name(object),
        network: first(kinds.virtual_network),
        machine: first(kinds.virtual_machine),
        mac: mac.and_then(|mac| mac.parse().ok()),
        addresses,
        annotations: annotations(object),
    }
}

fn annotations(object: &Object) -> Vec<(String, String)> {
    let pairs = object.props.get("annotations");
    let pairs = pairs.and_then(|annotations| annotations["key_value_pair"].as_array());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let pairs = pairs.into_iter().flatten();
    pairs
        .filter_map(|pair| Some((text(&pair["key"])?, text(&pair["value"])?)))
        .collect()
}

fn machine(state: &State, object: &Object) -> MachineView {
    let mut routers = state
        .store
        .back_refs_of(object.uuid, state.kinds.virtual_router);
    MachineView {
        uuid: object.uuid,
        name: object.name().to_owned(),
        display_name: display_name(object),
        on_router: routers.next().is_some(),
    }
}
