//! The requests and answers of Docker's network driver interface.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use contrail_core::MacAddr;
use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use super::ids::{EndpointId, NetworkId};
use super::values::{Options, or_default};

/// Where a network or an address space is valid: on one engine, or in a whole swarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// On one engine; hosts share networks by their name in OpenContrail.
    #[default]
    Local,
    /// In a swarm. Engines outside a swarm refuse such networks.
    Global,
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Global => "global",
        })
    }
}

impl std::str::FromStr for Scope {
    type Err = contrail_core::Error;

    fn from_str(text: &str) -> Result<Self, contrail_core::Error> {
        match text.to_ascii_lowercase().as_str() {
            "local" => Ok(Self::Local),
            "global" => Ok(Self::Global),
            _ => Err(contrail_core::Error::invalid(
                "scope",
                text,
                "local or global is expected",
            )),
        }
    }
}

/// What this network driver can do. Docker requests it once and keeps it until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkCapabilities {
    /// Who creates networks: each engine, or the swarm.
    pub scope: Scope,
    /// How far containers reach each other.
    pub connectivity_scope: Scope,
}

/// Whether Docker may skip the gateway's address when it creates a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GatewayCheck {
    /// For IPv4.
    #[serde(rename = "SkipIPv4")]
    pub skip_ipv4: bool,
    /// For IPv6.
    #[serde(rename = "SkipIPv6")]
    pub skip_ipv6: bool,
}

/// One address pool of a network, as the IPAM driver gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IpamData {
    /// Whose pool it is: "LocalDefault" of Docker's own IPAM, "null", or one of this plugin's.
    #[serde(default, deserialize_with = "or_default")]
    pub address_space: String,
    /// The pool, as a prefix.
    #[serde(default, deserialize_with = "or_default")]
    pub pool: String,
    /// The gateway's address with the pool's prefix length, or "".
    #[serde(default, deserialize_with = "or_default")]
    pub gateway: String,
    /// Addresses that the user reserved (`--aux-address`), by name.
    #[serde(default, deserialize_with = "or_default")]
    pub aux_addresses: BTreeMap<String, String>,
}

/// `NetworkDriver.CreateNetwork`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateNetwork {
    /// The new network.
    #[serde(rename = "NetworkID")]
    pub network_id: NetworkId,
    /// Docker's options; the user's are below `com.docker.network.generic`.
    #[serde(default, deserialize_with = "or_default")]
    pub options: Options,
    /// The IPv4 pools.
    #[serde(rename = "IPv4Data", default, deserialize_with = "or_default")]
    pub ipv4_data: Vec<IpamData>,
    /// The IPv6 pools.
    #[serde(rename = "IPv6Data", default, deserialize_with = "or_default")]
    pub ipv6_data: Vec<IpamData>,
}

/// `NetworkDriver.AllocateNetwork`, sent to the manager of a swarm.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AllocateNetwork {
    /// The new network.
    #[serde(rename = "NetworkID")]
    pub network_id: NetworkId,
    /// The user's options.
    #[serde(default, deserialize_with = "or_default")]
    pub options: Options,
}

/// A request that only names a network.
#[derive(Clone, Debug, Deserialize)]
pub struct OfNetwork {
    /// The network.
    #[serde(rename = "NetworkID")]
    pub network_id: NetworkId,
}

/// A request that only names an endpoint.
#[derive(Clone, Debug, Deserialize)]
pub struct OfEndpoint {
    /// Its network.
    #[serde(rename = "NetworkID")]
    pub network_id: NetworkId,
    /// The endpoint.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: EndpointId,
}

/// The interface of an endpoint: in a request "" where Docker leaves the choice to the driver, in
/// the answer only what the driver chose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EndpointInterface {
    /// The IPv4 address with the pool's prefix length.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub address: String,
    /// The IPv6 address with the pool's prefix length.
    #[serde(
        rename = "AddressIPv6",
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub address_ipv6: String,
    /// The MAC address.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub mac_address: String,
}

impl EndpointInterface {
    /// An answer that gives only a MAC address.
    pub fn with_mac(mac: MacAddr) -> Self {
        Self {
            mac_address: mac.to_string(),
            ..Self::default()
        }
    }
}

/// `NetworkDriver.CreateEndpoint`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateEndpoint {
    /// The network.
    #[serde(rename = "NetworkID")]
    pub network_id: NetworkId,
    /// The new endpoint.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: EndpointId,
    /// What Docker knows of the interface.
    #[serde(default, deserialize_with = "or_default")]
    pub interface: EndpointInterface,
    /// Docker's and the user's options, side by side.
    #[serde(default, deserialize_with = "or_default")]
    pub options: Options,
}

/// `NetworkDriver.Join`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Join {
    /// The network.
    #[serde(rename = "NetworkID")]
    pub network_id: NetworkId,
    /// The endpoint.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: EndpointId,
    /// Where the container's network namespace is or will be: the same for all endpoints of one
    /// start of a container.
    #[serde(default, deserialize_with = "or_default")]
    pub sandbox_key: PathBuf,
}

/// `NetworkDriver.ProgramExternalConnectivity`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProgramExternalConnectivity {
    /// The network.
    #[serde(rename = "NetworkID")]
    pub network_id: NetworkId,
    /// The endpoint that provides the container's default gateway.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: EndpointId,
    /// The published ports.
    #[serde(default, deserialize_with = "or_default")]
    pub options: Options,
}

/// One published port, as `com.docker.network.portmap` lists them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortBinding {
    /// The protocol's number: 6 TCP, 17 UDP, 132 SCTP.
    #[serde(default, deserialize_with = "or_default")]
    pub proto: u8,
    /// The container's port.
    #[serde(default, deserialize_with = "or_default")]
    pub port: u16,
    /// The host's address, or "" for all.
    #[serde(rename = "HostIP", default, deserialize_with = "or_default")]
    pub host_ip: String,
    /// The host's port, or 0 for any.
    #[serde(default, deserialize_with = "or_default")]
    pub host_port: u16,
}

/// How libnetwork finds and names the interface that it moves into the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InterfaceName {
    /// Its name in the host's network namespace.
    pub src_name: String,
    /// What its name in the container begins with; Docker counts up behind it.
    pub dst_prefix: String,
}

/// A route that libnetwork adds in the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StaticRoute {
    /// The destination.
    pub destination: IpNetwork,
    /// [`StaticRoute::NEXT_HOP`] or [`StaticRoute::CONNECTED`].
    pub route_type: u8,
    /// The next hop, for routes that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_hop: Option<IpAddr>,
}

impl StaticRoute {
    /// A route through a next hop.
    pub const NEXT_HOP: u8 = 0;
    /// A destination that is on the link itself.
    pub const CONNECTED: u8 = 1;
}

/// The answer to `NetworkDriver.Join`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct JoinReply {
    /// The interface.
    pub interface_name: InterfaceName,
    /// The default gateway of IPv4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// The default gateway of IPv6.
    #[serde(rename = "GatewayIPv6", skip_serializing_if = "Option::is_none")]
    pub gateway_ipv6: Option<IpAddr>,
    /// Further routes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub static_routes: Vec<StaticRoute>,
    /// Whether Docker must not add an interface on its own bridge when there is no gateway.
    pub disable_gateway_service: bool,
}
