//! What is asked for when a container is attached or detached, and what it got.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::Route;
use crate::ownership::ReservedFor;
use crate::service_chain::ServiceRole;
use crate::values::{Family, FqName, MacAddr};

/// One interface of a container, to be made and joined to a virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The container's id, as its runtime calls it.
    pub container: String,
    /// The name that the interface gets in the container.
    pub ifname: String,
    /// The container's network namespace.
    pub netns: PathBuf,
    /// The virtual network.
    pub network: NetworkSpec,
    /// The addresses that were asked for, at most one of each family; others are allocated.
    pub addresses: Vec<IpAddr>,
    /// The Ethernet address that was asked for; if unset, it follows from the interface's id.
    pub mac: Option<MacAddr>,
    /// The MTU in bytes; if unset, the kernel's default.
    pub mtu: Option<u32>,
    /// The name of the runtime's configuration, if it has one: interfaces that it no longer has are
    /// collected separately for each configuration.
    pub configuration: Option<String>,
    /// What people call the container: shown in the controller's user interface.
    pub display_name: String,
    /// The routes that the container gets through this interface. One without a gateway uses the
    /// gateway of the interface's own subnet.
    pub routes: Vec<Route>,
    /// Its part in a service chain.
    pub service: Option<Service>,
    /// What the controller is to do for it.
    pub options: InterfaceOptions,
}

impl Attachment {
    /// An interface with allocated addresses, computed Ethernet address and the kernel's default MTU,
    /// without routes; set the other fields as needed.
    ///
    /// ```
    /// use contrail_core::attach::{Attachment, NetworkSpec};
    ///
    /// let network = NetworkSpec::existing("default-domain:admin:net1".parse()?);
    /// let attachment = Attachment {
    ///     mtu: Some(1400),
    ///     ..Attachment::new("4711", "eth0", "/run/netns/c1", network)
    /// };
    /// assert_eq!(attachment.display_name, "4711");
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn new(
        container: impl Into<String>,
        ifname: impl Into<String>,
        netns: impl Into<PathBuf>,
        network: NetworkSpec,
    ) -> Self {
        let container = container.into();
        Self {
            display_name: container.clone(),
            container,
            ifname: ifname.into(),
            netns: netns.into(),
            network,
            addresses: Vec::new(),
            mac: None,
            mtu: None,
            configuration: None,
            routes: Vec::new(),
            service: None,
            options: InterfaceOptions::default(),
        }
    }
}

/// What the controller is to do for an interface, whichever front end asks for it. A front end may
/// store it: a new field needs a default, which is what interfaces have that were stored before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InterfaceOptions {
    /// The security groups that filter its packets; they must exist. If empty, nothing is filtered.
    pub security_groups: Vec<FqName>,
}

/// A virtual network, and what it must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Its name.
    pub fq_name: FqName,
    /// The subnets with which it is created when it does not exist, and which an existing one must
    /// have. Addresses come from these subnets alone. Empty: the network must exist, whatever its subnets
    /// are.
    pub subnets: Vec<SubnetSpec>,
}

impl NetworkSpec {
    /// A virtual network that must exist, whatever its subnets are.
    pub fn existing(fq_name: FqName) -> Self {
        Self {
            fq_name,
            subnets: Vec::new(),
        }
    }
}

/// What an attachment would ask of its virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The virtual network.
    pub network: NetworkSpec,
    /// The addresses, at most one of each family.
    pub addresses: Vec<IpAddr>,
    /// The MTU in bytes; if unset, the kernel's default.
    pub mtu: Option<u32>,
}

/// A subnet of a virtual network.
///
/// ```
/// use contrail_core::attach::{NetworkSpec, Pool, SubnetSpec};
///
/// let (first, last) = ("10.1.1.100".parse()?, "10.1.1.199".parse()?);
/// let subnet = SubnetSpec {
///     gateway: Some("10.1.1.1".parse()?),
///     pools: vec![Pool { first, last }],
///     ..SubnetSpec::new("10.1.1.0/24".parse()?)
/// };
/// let network = NetworkSpec {
///     fq_name: "default-domain:admin:net1".parse()?,
///     subnets: vec![subnet],
/// };
/// assert_eq!(network.subnets[0].prefix.to_string(), "10.1.1.0/24");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetSpec {
    /// Its prefix, without host bits.
    pub prefix: IpNetwork,
    /// Its gateway; if unset, the API chooses one.
    pub gateway: Option<IpAddr>,
    /// The address at which the vRouter answers DNS; if unset, the API chooses one.
    pub dns: Option<IpAddr>,
    /// The parts of it from which addresses are allocated; none means all of it.
    pub pools: Vec<Pool>,
}

impl SubnetSpec {
    /// A subnet whose gateway the API chooses, with all of its addresses to be allocated.
    pub fn new(prefix: IpNetwork) -> Self {
        Self {
            prefix,
            gateway: None,
            dns: None,
            pools: Vec::new(),
        }
    }
}

/// A range of addresses of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The first address.
    pub first: IpAddr,
    /// The last address, which belongs to it.
    pub last: IpAddr,
}

/// An interface that was made and joined to its virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The id of the virtual machine object that represents the container.
    pub vm: Uuid,
    /// The id of the VM interface, of its agent port and its port file.
    pub interface: Uuid,
    /// The id of the virtual network.
    pub network: Uuid,
    /// The interface's name in the container.
    pub ifname: String,
    /// The name of the host's end.
    pub host_ifname: String,
    /// The Ethernet address of the container's end.
    pub mac: MacAddr,
    /// The MTU of both ends in bytes.
    pub mtu: u32,
    /// The addresses, IPv4 first.
    pub addresses: Vec<Assigned>,
    /// The routes that were set, with their gateways.
    pub routes: Vec<Route>,
    /// The name servers of the virtual network.
    pub dns: Vec<IpAddr>,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The address, with the length of its subnet's prefix.
    pub address: IpNetwork,
    /// The gateway of its subnet.
    pub gateway: Option<IpAddr>,
}

/// One interface of a container, to be removed. Nothing else is needed: everything that was made
/// for it has a name that follows from these two and the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detachment {
    /// The container's id, as its runtime calls it.
    pub container: String,
    /// The interface's name in the container.
    pub ifname: String,
}

/// The part that an interface plays in a service instance.
///
/// ```
/// use contrail_core::attach::{Attachment, NetworkSpec, Service};
/// use contrail_core::service_chain::{Leg, Mode, ServiceRole};
///
/// let role = ServiceRole {
///     instance: "default-domain:admin:firewall".parse()?,
///     interface: Leg::Left,
///     mode: Mode::InNetwork,
/// };
/// let network = NetworkSpec::existing("default-domain:admin:net1".parse()?);
/// let attachment = Attachment {
///     service: Some(Service { role, forwarding: true }),
///     ..Attachment::new("4711", "eth0", "/run/netns/c1", network)
/// };
/// assert!(attachment.service.is_some());
/// # Ok::<(), contrail_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Which interface of which service instance it is.
    pub role: ServiceRole,
    /// Whether the container's network namespace forwards packets that come in by this interface, as
    /// a service must that has no program of its own for it.
    pub forwarding: bool,
}

/// An address to be reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve<'a> {
    /// The id that the instance IP gets: asking again with the same one is no second address.
    pub id: Uuid,
    /// The virtual network's name.
    pub network: &'a FqName,
    /// The virtual network's id.
    pub network_id: Uuid,
    /// The family of the address.
    pub family: Family,
    /// The address; if unset, the API chooses one.
    pub address: Option<IpAddr>,
    /// The subnet from which the API chooses, with its id; if unset, the network's first one of the
    /// family that has a free address.
    pub subnet: Option<(Uuid, IpNetwork)>,
    /// What it is reserved for.
    pub reserved_for: ReservedFor,
    /// The same for people.
    pub purpose: &'a str,
}

/// An address that this host has reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The instance IP.
    pub id: Uuid,
    /// The address.
    pub address: IpAddr,
    /// What it is reserved for; `None` if release 0.1.0 has reserved it, which wrote only words.
    pub reserved_for: Option<ReservedFor>,
    /// The same for people.
    pub purpose: String,
}
