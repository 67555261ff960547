//! The second seam: everything that changes the kernel's network. Nothing outside this module names
//! netlink, namespaces or sysctls.

mod configure;
mod error;
mod inspect;
mod linux;
mod netlink;
mod netns;
mod sysctl;
mod veth;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use crate::values::MacAddr;

pub use error::{Error, Result};
pub use linux::Kernel;
pub use netns::{Netns, NetnsId};

/// The changes of the kernel's network that attaching and detaching a container need.
///
/// [`Kernel`] is the real one; tests replace it. The methods block, so an asynchronous task should call
/// them from a thread for blocking work.
///
/// ```no_run
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::path::Path;
///
/// use contrail_core::kernel::{Dataplane, InterfaceConfig, Kernel, Route, VethSpec};
///
/// let kernel = Kernel::new();
/// let netns = kernel.open_netns(Path::new("/run/netns/c1"))?;
/// let pair = VethSpec {
///     host: "tap0".into(),
///     container: "eth0".into(),
///     mac: "02:00:5e:10:00:01".parse()?,
///     mtu: Some(1400),
///     alias: "4711".into(),
/// };
/// kernel.create_veth(&pair, Some(&netns))?;
/// let config = InterfaceConfig {
///     addresses: vec!["10.1.1.10/24".parse()?],
///     routes: vec![Route::default_via("10.1.1.1".parse()?)],
///     forwarding: false,
/// };
/// kernel.configure(&netns, "eth0", &config)?;
/// assert!(kernel.link(Some(&netns), "eth0")?.is_some_and(|link| link.up));
/// assert!(kernel.delete_link("tap0", Some("4711"))?);
/// # Ok(()) }
/// ```
pub trait Dataplane: Send + Sync {
    /// Opens the network namespace at `path`.
    ///
    /// # Errors
    /// [`Error::Netns`] when nothing is there, when it is not a network
    /// namespace, and when it is the one that the caller runs in.
    fn open_netns(&self, path: &Path) -> Result<Netns>;

    /// Makes a veth pair whose container end is born in `netns`, or in the caller's own namespace
    /// without one. The host end is up afterwards, the container end is not.
    ///
    /// # Errors
    /// [`Error::InterfaceExists`] when one of the two names is taken,
    /// [`Error::Invalid`] for one that no interface can have: nothing of the
    /// pair is left then.
    fn create_veth(&self, spec: &VethSpec, netns: Option<&Netns>) -> Result<()>;

    /// Gives the interface `ifname` in `netns` its addresses, sets it up and adds its routes.
    /// Afterwards every address is usable as a source. What exists already is kept, so that it can
    /// be repeated.
    fn configure(&self, netns: &Netns, ifname: &str, config: &InterfaceConfig) -> Result<()>;

    /// Deletes the interface `name` of the caller's own namespace and with it its peer; `false` when
    /// it was not there, or is another one: with an alias, and not this one.
    fn delete_link(&self, name: &str, alias: Option<&str>) -> Result<bool>;

    /// The interface `name` in `netns`, or in the caller's own namespace; `None` when it is not
    /// there.
    fn link(&self, netns: Option<&Netns>, name: &str) -> Result<Option<Link>>;
}

/// A veth pair that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VethSpec {
    /// The name of the end that stays on the host.
    pub host: String,
    /// The name of the end in the container.
    pub container: String,
    /// The Ethernet address of the container's end. The host's end gets a random one: the vRouter
    /// answers in its place.
    pub mac: MacAddr,
    /// The MTU of both ends in bytes; the kernel's default (1500) without.
    pub mtu: Option<u32>,
    /// The alias of the host's end, as `ip link` shows it: the id of the VM interface.
    pub alias: String,
}

/// What the container's end of a pair gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceConfig {
    /// Its addresses with the length of their subnets.
    pub addresses: Vec<IpNetwork>,
    /// Its routes. Those of the addresses' own subnets come by themselves.
    pub routes: Vec<Route>,
    /// Whether packets that come in by it are forwarded. For IPv6 the kernel has that switch for a
    /// whole network namespace only.
    pub forwarding: bool,
}

/// A route through an interface.
///
/// ```
/// use contrail_core::kernel::Route;
///
/// let route = Route {
///     mtu: Some(1400),
///     ..Route::new("10.2.0.0/16".parse()?, Some("10.1.1.1".parse()?))
/// };
/// assert!(!route.is_default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads; the default route is `0.0.0.0/0` or `::/0`.
    pub destination: IpNetwork,
    /// The next hop; without one the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// The largest packet in bytes for this destination.
    pub mtu: Option<u32>,
    /// The TCP segment size in bytes that is announced to this destination.
    pub advmss: Option<u32>,
    /// The metric; the smallest wins.
    pub priority: Option<u32>,
    /// The routing table; the main one (254) without.
    pub table: Option<u32>,
    /// The kernel's number of the scope (0 global, 253 link); it follows from the gateway without.
    pub scope: Option<u8>,
}

impl Route {
    /// A route to `destination` through `gateway`, or on the link without one.
    pub fn new(destination: IpNetwork, gateway: Option<IpAddr>) -> Self {
        Self {
            destination,
            gateway,
            mtu: None,
            advmss: None,
            priority: None,
            table: None,
            scope: None,
        }
    }

    /// The default route of the gateway's family.
    ///
    /// ```
    /// use contrail_core::kernel::Route;
    ///
    /// let route = Route::default_via("10.1.1.1".parse()?);
    /// assert_eq!(route.destination.to_string(), "0.0.0.0/0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn default_via(gateway: IpAddr) -> Self {
        const EVERYTHING_V4: Ipv4Network =
            Ipv4Network::new_checked(Ipv4Addr::UNSPECIFIED, 0).unwrap();
        const EVERYTHING_V6: Ipv6Network =
            Ipv6Network::new_checked(Ipv6Addr::UNSPECIFIED, 0).unwrap();
        let everything = match gateway {
            IpAddr::V4(_) => EVERYTHING_V4.into(),
            IpAddr::V6(_) => EVERYTHING_V6.into(),
        };
        Self::new(everything, Some(gateway))
    }

    /// Whether it leads everywhere.
    pub fn is_default(&self) -> bool {
        self.destination.prefix() == 0
    }
}

/// An interface as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The kernel's number of it in its namespace.
    pub index: u32,
    /// Its Ethernet address, if it has one.
    pub mac: Option<MacAddr>,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// Whether it is set up (whatever its peer is).
    pub up: bool,
    /// Its alias: on the host's end of a pair, the id of the VM interface.
    pub alias: Option<String>,
    /// Its addresses, without the link-local ones that the kernel gives by itself.
    pub addresses: Vec<IpNetwork>,
    /// The routes through it in all tables, without those that the kernel adds by itself. What the
    /// kernel would choose is left out: the main table, the scope that follows from the gateway, the
    /// metric 1024 of IPv6.
    pub routes: Vec<Route>,
}
