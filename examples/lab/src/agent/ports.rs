//! The agent's table of subscriptions: what was registered, by id.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use contrail_core::MacAddr;
use uuid::Uuid;

/// The kind of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Type 0 and every unknown type: the agent asks for the machine's configuration.
    Vm,
    /// Type 1: configured only when a virtual router refers to the machine; never audited.
    Namespace,
    /// Type 2: on another host; down until enabled.
    Remote,
    /// Registered by `POST /vm`: MAC address, addresses and network come from the configuration.
    Pod,
}

impl Kind {
    /// The number in port files.
    pub fn number(self) -> u8 {
        match self {
            Kind::Vm | Kind::Pod => 0,
            Kind::Namespace => 1,
            Kind::Remote => 2,
        }
    }
}

/// A registered port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Id of the VM interface.
    pub id: Uuid,
    /// Id of the virtual machine whose configuration the agent asks for.
    pub instance_id: Uuid,
    /// Id of the virtual network; the configuration's wins.
    pub vn_id: Uuid,
    /// Id of the project.
    pub project_id: Uuid,
    /// Name for people.
    pub display_name: String,
    /// IPv4 address; unspecified means the configuration's.
    pub address: Ipv4Addr,
    /// IPv6 address; unspecified means the configuration's.
    pub address6: Ipv6Addr,
    /// What kind of port.
    pub kind: Kind,
    /// The host end of the container's veth pair.
    pub host_ifname: String,
    /// The container's MAC address.
    pub mac: MacAddr,
    /// The MAC address as the client spelled it.
    pub mac_text: String,
    /// 65535 is none.
    pub rx_vlan: u16,
    /// 65535 is none.
    pub tx_vlan: u16,
    /// 0 client, 1 server.
    pub vhostuser_mode: u8,
    /// 1 up, 0 down.
    pub link_state: u8,
    /// When it was registered, in microseconds since 1970.
    pub time: u64,
    /// The audit that it was last seen by.
    pub version: u64,
}

/// What registering a port did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is new, or belongs to another machine now.
    New,
    /// It was there: the old content stays, whatever the new one says.
    Kept,
}

/// All registered ports.
#[derive(Debug, Default)]
pub struct Ports {
    ports: BTreeMap<Uuid, Subscription>,
    version: u64,
}

impl Ports {
    /// Registers a port. An id that is there already keeps its content, unless the machine is
    /// another one.
    pub fn add(&mut self, mut port: Subscription) -> Added {
        port.version = self.version;
        match self.ports.get_mut(&port.id) {
            Some(old) if old.instance_id == port.instance_id => {
                old.version = self.version;
                Added::Kept
            }
            _ => {
                self.ports.insert(port.id, port);
                Added::New
            }
        }
    }

    /// Forgets a port; whether there was one.
    pub fn remove(&mut self, id: Uuid) -> bool {
        self.ports.remove(&id).is_some()
    }

    /// A port.
    pub fn get(&self, id: Uuid) -> Option<&Subscription> {
        self.ports.get(&id)
    }

    /// A port, to change it.
    pub fn get_mut(&mut self, id: Uuid) -> Option<&mut Subscription> {
        self.ports.get_mut(&id)
    }

    /// All ports, by id.
    pub fn list(&self) -> Vec<Subscription> {
        self.ports.values().cloned().collect()
    }

    /// Begins an audit: what is not registered again before it ends is stale. Returns its number.
    pub fn begin_audit(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// Ends an audit: forgets and returns the ids that were not registered since it began.
    /// Namespace ports are never stale.
    pub fn end_audit(&mut self, version: u64) -> Vec<Uuid> {
        let stale: Vec<Uuid> = self
            .ports
            .values()
            .filter(|port| port.version < version && port.kind != Kind::Namespace)
            .map(|port| port.id)
            .collect();
        self.ports.retain(|id, _| !stale.contains(id));
        stale
    }

    /// Forgets everything, as a restart does.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
