//! What is asked for when a container is attached or detached, and what it got.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnetwork::IpNetwork;
use uuid::Uuid;

use crate::kernel::Route;
use crate::service_chain::ServiceRole;
use crate::values::FqName;
use crate::values::MacAddr;

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
    /// The Ethernet address that was asked for; without one it follows from the interface's id.
    pub mac: Option<MacAddr>,
    /// The MTU in bytes; the kernel's default without.
    pub mtu: Option<u32>,
    /// The name under which the runtime keeps what it asks for: what it has forgotten of one is collected
    /// without regard to others. Empty where it has none.
    pub configuration: String,
    /// What people call the container: shown in the controller's user interface.
    pub display_name: String,
    /// The routes that the container gets through this interface. One without a gateway goes by the
    /// gateway of the interface's own subnet.
    pub routes: Vec<Route>,
    /// Its part in a service chain.
    pub service: Option<Service>,
    /// The security groups that filter its packets; they must exist. Without one nothing is filtered.
    pub security_groups: Vec<FqName>,
}

/// A virtual network, and what it must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Its name.
    pub fq_name: FqName,
    /// The subnets with which it is created when it does not exist, and which an existing one must
    /// not contradict. Empty: the network must exist, whatever its subnets are.
    pub subnets: Vec<SubnetSpec>,
}

/// A subnet of a virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetSpec {
    /// Its prefix, without host bits.
    pub prefix: IpNetwork,
    /// Its gateway; chosen by the API without.
    pub gateway: Option<IpAddr>,
    /// The part of it from which addresses are allocated; all of it without.
    pub pool: Option<Pool>,
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
    /// The id of the virtual machine object that stands for the container.
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

/// One interface of a container, to be taken away. Nothing else is needed: everything that was made
/// for it has a name that follows from these two and the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detachment {
    /// The container's id, as its runtime calls it.
    pub container: String,
    /// The interface's name in the container.
    pub ifname: String,
}

/// The part that an interface plays in a service instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Which interface of which service instance it is.
    pub role: ServiceRole,
    /// Whether the container's network namespace forwards packets that come in by this interface, as
    /// a service must that has no program of its own for it.
    pub forwarding: bool,
}
