//! A port as it is sent to the agent.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};
use uuid::Uuid;

use super::wire;
use crate::error::{Error, Result};
use crate::values::{MacAddr, check_ifname};

/// A VM port that is added to the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The id of the VM interface.
    pub id: Uuid,
    /// The id of the virtual machine object: the agent asks the controller for its configuration.
    pub instance_id: Uuid,
    /// The id of the virtual network.
    pub vn_id: Uuid,
    /// The id of the project, if it is known.
    pub project_id: Option<Uuid>,
    /// The display name, which is also the host name that DHCP assigns.
    pub display_name: String,
    /// The IPv4 address; if unset, the configuration decides.
    pub address: Option<Ipv4Addr>,
    /// The IPv6 address; if unset, the configuration decides.
    pub address6: Option<Ipv6Addr>,
    /// The Ethernet address of the container's end.
    pub mac: MacAddr,
    /// The name of the host's end.
    pub host_ifname: String,
}

impl Port {
    /// The body of the request that adds this port. All twelve keys are mandatory, none may be null.
    pub fn body(&self) -> Value {
        json!({
            "id": self.id,
            "instance-id": self.instance_id,
            "vn-id": self.vn_id,
            "vm-project-id": wire::id(self.project_id),
            "display-name": self.display_name,
            "ip-address": wire::address(self.address),
            "ip6-address": wire::address6(self.address6),
            "mac-address": self.mac,
            "system-name": self.host_ifname,
            // A VM port: the only type for which the agent asks the controller for configuration.
            "type": 0,
            "rx-vlan-id": -1,
            "tx-vlan-id": -1,
        })
    }

    /// Refuses what the agent would accept silently: a port with a nil id cannot be deleted again, one
    /// with a name that no interface can have never works.
    pub(super) fn check(&self) -> Result<()> {
        let ids = [
            ("port id", self.id),
            ("instance id of a port", self.instance_id),
            ("virtual network id of a port", self.vn_id),
        ];
        if let Some((what, id)) = ids.into_iter().find(|(_, id)| id.is_nil()) {
            return Err(Error::invalid(what, id.to_string(), "it is the nil id"));
        }
        let name = &self.host_ifname;
        check_ifname(name).map_err(|why| Error::invalid("host interface name", name, why))?;
        if !self.mac.is_usable() {
            let reason = "an interface cannot have it";
            return Err(Error::invalid(
                "MAC address of a port",
                self.mac.to_string(),
                reason,
            ));
        }
        Ok(())
    }
}
