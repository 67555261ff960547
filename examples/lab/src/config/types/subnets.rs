//! The subnets in a request: checks with the server's texts, and the allocators made from them.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::config::address::{self, number};
use crate::config::alloc::SpaceSubnet;
use crate::config::alloc::{Subnet, SubnetSpec};
use crate::config::check::is_falsy;
use crate::config::python_repr::str_of;

/// `10.1.0.0/24`, as the server names a subnet.
pub fn cidr(entry: &Value) -> Option<String> {
    let subnet = entry.get("subnet")?;
    let prefix = subnet.get("ip_prefix")?;
    Some(format!(
        "{}/{}",
        str_of(prefix),
        str_of(subnet.get("ip_prefix_len")?)
    ))
}

/// Checks the addresses in the entries of one list.
pub fn check(entries: &[Value]) -> Result<(), String> {
    for entry in entries {
        let name = cidr(entry).ok_or("'ip_prefix'")?;
        let network: IpNetwork = name
            .parse()
            .map_err(|_| format!("invalid IPNetwork {name}"))?;
        if let Some(id) = entry.get("subnet_uuid").filter(|id| !is_falsy(id)) {
            let id = str_of(id);
            if Uuid::try_parse(&id).is_err() {
                return Err(format!("Invalid subnet-uuid {id} in subnet:{name}"));
            }
        }
        for pool in pools_of(entry) {
            check_pool(pool, &network, &name)?;
        }
        if let Some(gateway) = chosen(entry, "default_gateway") {
            check_gateway(&gateway, &network, &name)?;
        }
        if let Some(dns) = chosen(entry, "dns_server_address")
            && address::parse(&dns).is_none()
        {
            return Err(format!("Invalid Dns Server Ip address:{dns}"));
        }
    }
    Ok(())
}

fn check_pool(pool: &Value, network: &IpNetwork, name: &str) -> Result<(), String> {
    let (start, end) = (str_of(&pool["start"]), str_of(&pool["end"]));
    let (Some(first), Some(last)) = (address::parse(&start), address::parse(&end)) else {
        return Err(format!(
            "Invalid allocation Pool start:{start}, end:{end} in subnet:{name}"
        ));
    };
    if number(last) < number(first) {
        return Err(format!(
            "Invalid allocation Pool start:{start}, end:{end} in subnet:{name}"
        ));
    }
    if !network.contains(first) || !network.contains(last) {
        return Err(format!(
            "allocation pool start:{start}, end:{end} out of cidr:{name}"
        ));
    }
    Ok(())
}

fn check_gateway(gateway: &str, network: &IpNetwork, name: &str) -> Result<(), String> {
    let Some(address) = address::parse(gateway) else {
        return Err(format!("Invalid gateway Ip address:{gateway}"));
    };
    let inside =
        network.contains(address) && address != network.network() && address != network.broadcast();
    if address.is_unspecified() || inside {
        return Ok(());
    }
    Err(format!("gateway Ip {gateway} out of cidr: {name}"))
}

/// Gives every entry without one an id.
pub fn ensure_uuids(entries: &mut [Value]) {
    for entry in entries {
        if entry.get("subnet_uuid").is_none_or(is_falsy) && entry.is_object() {
            entry["subnet_uuid"] = json!(Uuid::new_v4());
        }
    }
}

/// Refuses subnets that overlap.
pub fn check_overlap(names: &[String]) -> Result<(), String> {
    let networks: Vec<IpNetwork> = names.iter().filter_map(|name| name.parse().ok()).collect();
    for (index, one) in networks.iter().enumerate() {
        for other in &networks[index + 1..] {
            let within =
                |a: &IpNetwork, b: &IpNetwork| a.contains(b.network()) && a.prefix() <= b.prefix();
            if within(one, other) || within(other, one) {
                let list = format!("[IPNetwork('{one}'), IPNetwork('{other}')]");
                return Err(format!("Overlapping addresses: {list}"));
            }
        }
    }
    Ok(())
}

/// How an entry would change the gateway of a subnet that exists, in the server's words.
pub fn gateway_change(entry: &Value, old: &SpaceSubnet) -> Option<String> {
    let new = chosen(entry, "default_gateway")?.to_ascii_lowercase();
    let old = old.subnet.gateway().to_string();
    (new != old && new != "none").then(|| format!("orig:{old}, new: {new}"))
}

/// Makes the allocator of an entry, and writes the chosen gateway and DNS address into it. An
/// allocator that the subnet has already keeps its gateway, direction and holders.
///
/// # Errors
/// The reason why no address could ever be handed out.
pub fn build(entry: &mut Value, old: Option<&SpaceSubnet>) -> Result<SpaceSubnet, BuildError> {
    let name = cidr(entry).unwrap_or_default();
    let mut spec = spec(entry, &name).map_err(BuildError::Text)?;
    if let Some(old) = old {
        spec.gateway = Some(old.subnet.gateway());
        spec.from_start = old.subnet.is_from_start();
    }
    let unit = spec.unit;
    let refused = |reason| BuildError::Unit {
        cidr: name.clone(),
        unit,
        reason,
    };
    let mut subnet = Subnet::new(&spec).map_err(refused)?;
    if let Some(old) = old {
        subnet.inherit(&old.subnet);
    }
    // What the client wrote stays as it was spelled.
    for (field, value) in [
        ("default_gateway", subnet.gateway()),
        ("dns_server_address", subnet.dns()),
    ] {
        let written = entry
            .get(field)
            .and_then(Value::as_str)
            .and_then(address::parse);
        if written != Some(value) {
            entry[field] = json!(value);
        }
    }
    // A flat IPAM does not show ids that it was not given.
    let id = entry.get("subnet_uuid").map(str_of);
    Ok(SpaceSubnet {
        uuid: id.unwrap_or_else(|| Uuid::new_v4().to_string()),
        name,
        subnet,
    })
}

/// Why an allocator cannot be made.
pub enum BuildError {
    /// In the server's words.
    Text(String),
    /// The subnet is too small for its allocation unit, or does not fit it.
    Unit {
        /// The subnet.
        cidr: String,
        /// The unit.
        unit: u32,
        /// The server's reason.
        reason: String,
    },
}

impl BuildError {
    /// The text for the subnet of an object of this name.
    pub fn text(self, fq_name: &[String]) -> String {
        match self {
            Self::Text(text) => text,
            Self::Unit { cidr, unit, reason } => format!(
                "Virtual-Network({}:{cidr}) has invalid alloc_unit({unit}) in subnet({cidr}) reason: {reason}",
                fq_name.join(":")
            ),
        }
    }
}

fn spec(entry: &Value, name: &str) -> Result<SubnetSpec, String> {
    let network: IpNetwork = name
        .parse()
        .map_err(|_| format!("invalid IPNetwork {name}"))?;
    let address = |field: &str| chosen(entry, field).and_then(|text| address::parse(&text));
    for server in entry
        .get("dns_nameservers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let server = str_of(server);
        if address::parse(&server).is_none() {
            return Err(format!(
                "subnet({name}) has Invalid DNS Nameserver({server})"
            ));
        }
    }
    let bound = |pool: &Value, field: &str| -> Option<IpAddr> {
        address::parse(pool.get(field)?.as_str()?)
    };
    let pools = pools_of(entry).iter();
    let pools = pools.filter_map(|pool| Some((bound(pool, "start")?, bound(pool, "end")?)));
    let unit = entry.get("alloc_unit").and_then(Value::as_u64);
    Ok(SubnetSpec {
        network,
        gateway: address("default_gateway"),
        dns: address("dns_server_address"),
        pools: pools.collect(),
        from_start: entry
            .get("addr_from_start")
            .is_some_and(|value| !is_falsy(value)),
        unit: unit
            .and_then(|unit| u32::try_from(unit).ok())
            .unwrap_or(1)
            .max(1),
    })
}

/// The pools of an entry.
pub fn pools_of(entry: &Value) -> &[Value] {
    entry
        .get("allocation_pools")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// An address that the client chose: neither absent nor empty nor the text "None".
fn chosen(entry: &Value, field: &str) -> Option<String> {
    let value = entry
        .get(field)
        .filter(|value| !is_falsy(value))
        .map(str_of);
    value.filter(|text| text != "None")
}

/// Every list of subnets in the link data of the references to IPAMs.
pub fn lists_of(attr: &mut Value) -> Option<&mut Vec<Value>> {
    attr.get_mut("ipam_subnets").and_then(Value::as_array_mut)
}

/// Whether a reference to an IPAM names no subnet: one to a flat IPAM.
pub fn is_flat(entries: &[Value]) -> bool {
    let has_prefix = |entry: &Value| {
        let subnet: Option<&Map<String, Value>> = entry.get("subnet").and_then(Value::as_object);
        subnet.is_some_and(|subnet| subnet.contains_key("ip_prefix"))
    };
    entries.first().is_none_or(|entry| !has_prefix(entry))
}
