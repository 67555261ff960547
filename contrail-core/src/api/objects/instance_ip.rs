//! Instance IPs: the addresses of VM interfaces.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::errors::{self, Refusal};
use crate::api::lenient::{empty_as_none, null_as_default};
use crate::api::meta::{Meta, Rest};
use crate::api::reference::Ref;
use crate::error::Error;
use crate::resource;
use crate::values::Family;
use crate::values::FqName;

/// An address of a VM interface. Its name is one part and global: an id is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceIp {
    /// The fields that every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// The address. If unset at creation, the API chooses one; its answer does not hold it, so the
    /// object must be read.
    #[serde(
        rename = "instance_ip_address",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_as_none"
    )]
    pub address: Option<IpAddr>,
    /// `v4` or `v6`: the family that the API chooses from. If unset, the network's first subnet
    /// decides.
    #[serde(
        rename = "instance_ip_family",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub family: Option<String>,
    /// The subnet that the address is from (filled by servers since 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "empty_as_none")]
    pub subnet_uuid: Option<Uuid>,
    /// Whether all interfaces of one role in a service instance share it: the controller creates such
    /// addresses itself, and no container has them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[serde(deserialize_with = "null_as_default")]
    pub service_instance_ip: bool,
    /// The network that hands out the address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub virtual_network_refs: Vec<Ref>,
    /// The interfaces that have the address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub virtual_machine_interface_refs: Vec<Ref>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl InstanceIp {
    /// A new address of `interface` under this id, which is also its name.
    ///
    /// ```
    /// use contrail_core::api::{InstanceIp, Ref, Resource};
    /// use contrail_core::values::Family;
    /// use uuid::Uuid;
    ///
    /// let network = Ref::named("default-domain:admin:net1".parse()?);
    /// let port = Ref::named("default-domain:admin:web".parse()?);
    /// let ip = InstanceIp::new(Uuid::from_u128(1), Family::V4, network, port);
    /// assert_eq!(ip.address, None, "the API chooses it");
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn new(uuid: Uuid, family: Family, network: Ref, interface: Ref) -> Self {
        let meta = Meta::new(FqName::new([uuid.to_string()])).with_id(uuid);
        Self {
            meta,
            address: None,
            family: Some(family.to_string()),
            subnet_uuid: None,
            service_instance_ip: false,
            virtual_network_refs: vec![network],
            virtual_machine_interface_refs: vec![interface],
            rest: Rest::new(),
        }
    }

    /// A new address of `network` without an interface: reserved under this id.
    pub fn reserved(uuid: Uuid, family: Family, network: Ref) -> Self {
        let mut ip = Self::new(uuid, family, network.clone(), network);
        ip.virtual_machine_interface_refs.clear();
        ip
    }

    /// The name of the network, if this object refers to one.
    fn network(&self) -> Option<&FqName> {
        self.virtual_network_refs.first()?.name()
    }
}

resource!(InstanceIp, "instance-ip", {
    // Both succeed and take an address, of which one is in no object: it is lost for good.
    const MAY_OVERLAP: bool = false;

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        errors::address(refusal, self.network()?, self.address)
    }
});
