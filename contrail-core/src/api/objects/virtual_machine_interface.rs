//! Virtual machine interfaces: the ports of virtual networks.

use serde::{Deserialize, Serialize};

use crate::api::lenient::null_as_default;
use crate::api::meta::{Meta, Rest};
use crate::api::pairs::KeyValuePairs;
use crate::api::reference::Ref;
use crate::resource;
use crate::values::FqName;
use crate::values::MacAddr;

/// A VM interface of a project, named `domain:project:name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VirtualMachineInterface {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// The network. The API wants it at creation; it cannot be changed to another one later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub virtual_network_refs: Vec<Ref>,
    /// The machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub virtual_machine_refs: Vec<Ref>,
    /// The security groups; none means that nothing is filtered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub security_group_refs: Vec<Ref>,
    /// The port tuple of the service instance that this port is part of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub port_tuple_refs: Vec<Ref>,
    /// The Ethernet address. Left out, the API derives it from the id ([`MacAddr::of_interface`]).
    #[serde(
        rename = "virtual_machine_interface_mac_addresses",
        default,
        skip_serializing_if = "MacAddresses::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub mac_addresses: MacAddresses,
    /// Where the port is: `host_id`.
    #[serde(
        rename = "virtual_machine_interface_bindings",
        default,
        skip_serializing_if = "KeyValuePairs::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub bindings: KeyValuePairs,
    /// Who made the port.
    #[serde(
        rename = "virtual_machine_interface_device_owner",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub device_owner: Option<String>,
    /// The role in a service chain and other details.
    #[serde(
        rename = "virtual_machine_interface_properties",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub properties: Option<InterfaceProperties>,
    /// The addresses of this port; only read, and only when asked for.
    #[serde(default, skip_serializing, deserialize_with = "null_as_default")]
    pub instance_ip_back_refs: Vec<Ref>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// Ethernet addresses as the API stores them: it checks nothing, so they may be any text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MacAddresses {
    /// The addresses; the first one counts.
    #[serde(default, deserialize_with = "null_as_default")]
    pub mac_address: Vec<String>,
}

impl MacAddresses {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.mac_address.is_empty()
    }
}

/// Properties of a VM interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InterfaceProperties {
    /// `left`, `right` or `management` for a port of a service instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_interface_type: Option<String>,
    /// All other properties.
    #[serde(flatten)]
    pub rest: Rest,
}

impl VirtualMachineInterface {
    /// A port in a network that shall be created. The machine can be linked later.
    pub fn new(fq_name: FqName, network: Ref) -> Self {
        Self {
            meta: Meta::child_of("project", fq_name),
            virtual_network_refs: vec![network],
            virtual_machine_refs: Vec::new(),
            security_group_refs: Vec::new(),
            port_tuple_refs: Vec::new(),
            mac_addresses: MacAddresses::default(),
            bindings: KeyValuePairs::default(),
            device_owner: None,
            properties: None,
            instance_ip_back_refs: Vec::new(),
            rest: Rest::new(),
        }
    }

    /// The Ethernet address, when the stored one is valid.
    pub fn mac(&self) -> Option<MacAddr> {
        self.mac_addresses.mac_address.first()?.parse().ok()
    }

    /// Sets the Ethernet address.
    pub fn set_mac(&mut self, mac: MacAddr) {
        self.mac_addresses.mac_address = vec![mac.to_string()];
    }
}

resource!(VirtualMachineInterface, "virtual-machine-interface", parent "project");
