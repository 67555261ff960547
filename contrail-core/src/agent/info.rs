//! A port as the agent shows it.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Deserialize;
use uuid::Uuid;

use super::port::Port;
use super::wire::{parsed, read_address, read_id, read_name};
use crate::error::quoted;
use crate::values::MacAddr;

/// A port as the agent has it, once it knows its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PortInfo {
    /// The id of the VM interface.
    pub id: Uuid,
    /// The id of the virtual machine.
    pub instance_id: Uuid,
    /// The id of the virtual network, from the configuration.
    pub vn_id: Uuid,
    /// The id of the project, if the agent was told one.
    #[serde(rename = "vm-project-id", default, deserialize_with = "read_id")]
    pub project_id: Option<Uuid>,
    /// The Ethernet address.
    #[serde(rename = "mac-address", default, deserialize_with = "parsed")]
    pub mac: Option<MacAddr>,
    /// The name of the host's end.
    #[serde(rename = "system-name", default, deserialize_with = "read_name")]
    pub host_ifname: Option<String>,
    /// The IPv4 address.
    #[serde(rename = "ip-address", default, deserialize_with = "read_address")]
    pub address: Option<Ipv4Addr>,
    /// The length of the IPv4 subnet's prefix.
    #[serde(rename = "plen", default)]
    pub prefix_len: Option<u8>,
    /// The IPv4 gateway.
    #[serde(default, deserialize_with = "read_address")]
    pub gateway: Option<Ipv4Addr>,
    /// The IPv4 address that answers DNS.
    #[serde(rename = "dns-server", default, deserialize_with = "read_address")]
    pub dns: Option<Ipv4Addr>,
    /// The IPv6 address; the agent does not tell its prefix.
    #[serde(rename = "v6-ip-address", default, deserialize_with = "read_address")]
    pub address6: Option<Ipv6Addr>,
    /// The IPv6 gateway.
    #[serde(rename = "v6-gateway", default, deserialize_with = "read_address")]
    pub gateway6: Option<Ipv6Addr>,
    /// The IPv6 address that answers DNS.
    #[serde(rename = "v6-dns-server", default, deserialize_with = "read_address")]
    pub dns6: Option<Ipv6Addr>,
}

impl PortInfo {
    /// The differences from `port` as text; `None` if it is the same port.
    pub(super) fn difference(&self, port: &Port) -> Option<String> {
        let mut differences = Vec::new();
        match &self.host_ifname {
            Some(name) if *name == port.host_ifname => {}
            Some(name) => differences.push(format!("interface {}", quoted(name))),
            None => differences.push("no interface".to_owned()),
        }
        if self.instance_id != port.instance_id {
            differences.push(format!("instance {}", self.instance_id));
        }
        if let Some(mac) = self.mac.filter(|mac| *mac != port.mac) {
            differences.push(format!("MAC address {mac}"));
        }
        (!differences.is_empty()).then(|| differences.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(changes: Value) -> PortInfo {
        let id = Uuid::from_u128(1);
        let mut answer = json!({"id": id, "instance-id": id, "vn-id": id});
        let fields = answer.as_object_mut().unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        serde_json::from_value(answer).unwrap()
    }

    #[test]
    fn what_the_agent_writes_for_no_value_is_none() {
        let nothing = read(json!({}));
        let known = [
            nothing.project_id.is_some(),
            nothing.host_ifname.is_some(),
            nothing.address.is_some(),
            nothing.gateway6.is_some(),
        ];
        assert_eq!(known, [false; 4]);
        for unset in [
            json!({"vm-project-id": "00000000-0000-0000-0000-000000000000"}),
            json!({"vm-project-id": "", "mac-address": ""}),
            json!({"vm-project-id": null, "system-name": null}),
            json!({"system-name": ""}),
            json!({"ip-address": "0.0.0.0", "gateway": "0.0.0.0", "dns-server": "0.0.0.0"}),
            json!({"v6-ip-address": "::", "v6-gateway": "::", "v6-dns-server": ""}),
        ] {
            assert_eq!(read(unset.clone()), nothing, "{unset}");
        }
        let project = Uuid::from_u128(7);
        let known = read(json!({"vm-project-id": project, "gateway": "10.0.0.1"}));
        assert_eq!(known.project_id, Some(project));
        assert_eq!(known.gateway, Some(Ipv4Addr::new(10, 0, 0, 1)));
    }
}
