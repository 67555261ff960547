//! A port as the agent shows it.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::port::Port;
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
    /// The id of the project.
    #[serde(rename = "vm-project-id")]
    pub project_id: Uuid,
    /// The Ethernet address.
    #[serde(rename = "mac-address", default, deserialize_with = "lenient")]
    pub mac: Option<MacAddr>,
    /// The name of the host's end.
    #[serde(rename = "system-name", default)]
    pub host_ifname: String,
    /// The IPv4 address.
    #[serde(rename = "ip-address", default, deserialize_with = "lenient")]
    pub address: Option<Ipv4Addr>,
    /// The length of the IPv4 subnet's prefix.
    #[serde(rename = "plen", default)]
    pub prefix_len: Option<u8>,
    /// The IPv4 gateway.
    #[serde(default, deserialize_with = "lenient")]
    pub gateway: Option<Ipv4Addr>,
    /// The IPv4 address that answers DNS.
    #[serde(rename = "dns-server", default, deserialize_with = "lenient")]
    pub dns: Option<Ipv4Addr>,
    /// The IPv6 address; the agent does not tell its prefix.
    #[serde(rename = "v6-ip-address", default, deserialize_with = "lenient")]
    pub address6: Option<Ipv6Addr>,
    /// The IPv6 gateway.
    #[serde(rename = "v6-gateway", default, deserialize_with = "lenient")]
    pub gateway6: Option<Ipv6Addr>,
    /// The IPv6 address that answers DNS.
    #[serde(rename = "v6-dns-server", default, deserialize_with = "lenient")]
    pub dns6: Option<Ipv6Addr>,
}

/// Reads what does not parse as none: it is shown to people, nothing depends on it.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
{
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

impl PortInfo {
    /// What the agent has differently from `port`, as text; none when it is the same port.
    pub(super) fn difference(&self, port: &Port) -> Option<String> {
        let mut differences = Vec::new();
        if self.host_ifname != port.host_ifname {
            differences.push(format!("interface {}", quoted(&self.host_ifname)));
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
