//! The requests and answers of Docker's IPAM driver interface.

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use super::values::{Options, or_default};

/// What this IPAM driver wants from Docker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IpamCapabilities {
    /// Whether requests for an address name the MAC address that the interface will have.
    #[serde(rename = "RequiresMACAddress")]
    pub requires_mac_address: bool,
    /// Whether a restarted engine requests again the pools and addresses that it holds.
    #[serde(rename = "RequiresRequestReplay")]
    pub requires_request_replay: bool,
}

/// The names of the two address spaces, which must differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AddressSpaces {
    /// For networks of one engine.
    pub local_default_address_space: &'static str,
    /// For networks of a swarm.
    pub global_default_address_space: &'static str,
}

/// `IpamDriver.RequestPool`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RequestPool {
    /// One of this driver's.
    #[serde(default, deserialize_with = "or_default")]
    pub address_space: String,
    /// The prefix, or "" for any.
    #[serde(default, deserialize_with = "or_default")]
    pub pool: String,
    /// The part of it from which addresses are chosen (`--ip-range`), or "".
    #[serde(default, deserialize_with = "or_default")]
    pub sub_pool: String,
    /// The user's `--ipam-opt`.
    #[serde(default, deserialize_with = "or_default")]
    pub options: Options,
    /// Whether an IPv6 pool is wanted.
    #[serde(default, deserialize_with = "or_default")]
    pub v6: bool,
}

/// The answer to [`RequestPool`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RequestPoolReply {
    /// What later requests name the pool by.
    #[serde(rename = "PoolID")]
    pub pool_id: String,
    /// The prefix.
    pub pool: IpNetwork,
    /// Further facts; `com.docker.network.gateway` would spare the request for the gateway.
    pub data: Options,
}

/// `IpamDriver.ReleasePool`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ReleasePool {
    /// The pool.
    #[serde(rename = "PoolID", default, deserialize_with = "or_default")]
    pub pool_id: String,
}

/// `IpamDriver.RequestAddress`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RequestAddress {
    /// The pool.
    #[serde(rename = "PoolID", default, deserialize_with = "or_default")]
    pub pool_id: String,
    /// The address, or "" for any.
    #[serde(default, deserialize_with = "or_default")]
    pub address: String,
    /// What it is for: a gateway, or an interface with its MAC address.
    #[serde(default, deserialize_with = "or_default")]
    pub options: Options,
}

/// The answer to [`RequestAddress`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RequestAddressReply {
    /// The address with the pool's prefix length.
    pub address: IpNetwork,
    /// Further facts: none.
    pub data: Options,
}

/// `IpamDriver.ReleaseAddress`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReleaseAddress {
    /// The pool.
    #[serde(rename = "PoolID", default, deserialize_with = "or_default")]
    pub pool_id: String,
    /// The address, without prefix length.
    #[serde(default, deserialize_with = "or_default")]
    pub address: String,
}
