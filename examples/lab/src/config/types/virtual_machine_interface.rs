//! Virtual machine interfaces: MAC address, bindings, port security, routing instance.

use contrail_core::MacAddr;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::config::address;
use crate::config::check::is_falsy;
use crate::config::draft::Draft;
use crate::config::error::{ApiError, Result};
use crate::config::python_repr::str_of;
use crate::config::state::State;
use crate::config::store::{Object, Ref};

const MACS: &str = "virtual_machine_interface_mac_addresses";
const BINDINGS: &str = "virtual_machine_interface_bindings";
const PAIRS: &str = "virtual_machine_interface_allowed_address_pairs";
const PROPERTIES: &str = "virtual_machine_interface_properties";

pub fn before_create(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    if !draft.object.refs.contains_key(&state.kinds.virtual_network) {
        return Err(ApiError::traceback("KeyError: 'virtual_network_refs'"));
    }
    if draft.object.refs_to(state.kinds.virtual_network).is_empty() {
        return Err(ApiError::traceback("IndexError: list index out of range"));
    }
    let tag = vlan_tag(&draft.object.props);
    if !(0..=4094).contains(&tag) {
        let text = format!("Invalid sub-interface VLAN tag ID: {tag}");
        return Err(ApiError::bad_request(text));
    }
    check_port_security(&draft.object.props, &Map::new())?;
    set_mac(&mut draft.object.props, draft.object.uuid);
    complete_bindings(&mut draft.object.props);
    Ok(())
}

/// Refers to the default routing instance of the first network. A later change of the network
/// does not change this reference.
pub fn after_create(state: &mut State, object: &Object) {
    let Some(network) = object.refs_to(state.kinds.virtual_network).first() else {
        return;
    };
    let Some(network) = state.store.get(network.to) else {
        return;
    };
    let mut fq_name = network.fq_name.clone();
    fq_name.push(network.name().to_owned());
    let kind = state.kinds.routing_instance;
    let Some(to) = state.store.find(kind, &fq_name) else {
        return;
    };
    let attr = json!({
        "direction": "both", "vlan_tag": null, "src_mac": null, "dst_mac": null,
        "mpls_label": null, "service_chain_address": null, "ipv6_service_chain_address": null,
        "protocol": null,
    });
    let relaxed = false;
    state
        .store
        .set_ref(object.uuid, kind, Ref { to, attr, relaxed });
}

pub fn before_update(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    let Some(stored) = state.store.get(draft.object.uuid) else {
        return Ok(());
    };
    if !draft.object.refs_to(state.kinds.virtual_machine).is_empty()
        && has_gateway(state, draft.object.uuid)
    {
        return Err(ApiError::bad_request(
            "Gateway IP cannot be used by VM port",
        ));
    }
    if draft.object.props.contains_key(PROPERTIES)
        && vlan_tag(&draft.object.props) != vlan_tag(&stored.props)
        && !stored.refs_to(draft.object.kind).is_empty()
    {
        return Err(ApiError::bad_request(
            "Cannot change sub-interface VLAN tag ID",
        ));
    }
    check_port_security(&draft.object.props, &stored.props)
}

/// Whether one of the interface's addresses is its network's gateway.
fn has_gateway(state: &State, interface: Uuid) -> bool {
    let kinds = state.kinds;
    let addresses = state.store.back_refs_of(interface, kinds.instance_ip);
    addresses.filter_map(|id| state.store.get(id)).any(|iip| {
        let network = iip.refs_to(kinds.virtual_network).first();
        let text = iip.props.get("instance_ip_address").and_then(Value::as_str);
        let address = text.and_then(address::parse);
        network.zip(address).is_some_and(|(network, address)| {
            state.is_gateway(&state.owners_of_subnets(network.to), address)
        })
    })
}

fn vlan_tag(props: &Map<String, Value>) -> i64 {
    let tag = props.get(PROPERTIES).map(|p| &p["sub_interface_vlan_tag"]);
    tag.and_then(Value::as_i64).unwrap_or_default()
}

/// MAC addresses that were sent are not checked, but written with colons.
fn set_mac(props: &mut Map<String, Value>, uuid: Uuid) {
    let sent = props
        .get(MACS)
        .and_then(|macs| macs["mac_address"].as_array());
    let sent: Vec<Value> = sent
        .into_iter()
        .flatten()
        .map(|mac| json!(str_of(mac).replace('-', ":")))
        .collect();
    let macs = if sent.is_empty() {
        json!([MacAddr::of_interface(uuid).to_string()])
    } else {
        Value::Array(sent)
    };
    props.insert(MACS.into(), json!({ "mac_address": macs }));
}

/// Any binding makes the port a normal one unless it says otherwise.
fn complete_bindings(props: &mut Map<String, Value>) {
    let bindings = props
        .get_mut(BINDINGS)
        .and_then(|b| b.get_mut("key_value_pair"));
    let Some(Value::Array(pairs)) = bindings else {
        return;
    };
    let vnic_type = pairs.iter().find(|pair| pair["key"] == "vnic_type");
    match vnic_type.map(|pair| pair["value"].clone()) {
        None => {
            pairs.retain(|pair| pair["key"] != "vif_type");
            pairs.push(json!({"key": "vnic_type", "value": "normal"}));
        }
        Some(value) if value == "normal" => pairs.retain(|pair| pair["key"] != "vif_type"),
        Some(_) if pairs.iter().any(|pair| pair["key"] == "vif_type") => {}
        Some(_) => pairs.push(json!({"key": "vif_type", "value": "vrouter"})),
    }
}

fn check_port_security(changes: &Map<String, Value>, stored: &Map<String, Value>) -> Result<()> {
    let now = |name: &str| changes.get(name).or_else(|| stored.get(name));
    let secured = now("port_security_enabled").is_none_or(|value| *value != false);
    let pairs = now(PAIRS).is_some_and(|pairs| !is_falsy(&pairs["allowed_address_pair"]));
    let changed = changes.contains_key("port_security_enabled") || changes.contains_key(PAIRS);
    if changed && pairs && !secured {
        let text = "Allowed address pairs are not allowed when port security is disabled";
        return Err(ApiError::bad_request(text));
    }
    Ok(())
}
