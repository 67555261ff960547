//! Routes through an interface.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

/// A route through an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its destination; the default route is `0.0.0.0/0` or `::/0`.
    pub destination: IpNetwork,
    /// The next hop; if unset, the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// The largest packet in bytes for this destination.
    pub mtu: Option<u32>,
    /// The TCP segment size in bytes that is announced to this destination.
    pub advmss: Option<u32>,
    /// The metric; the smallest wins.
    pub priority: Option<u32>,
    /// The routing table; if unset, the main one (254).
    pub table: Option<u32>,
    /// The kernel's number of the scope (0 global, 253 link); if unset, it follows from the gateway.
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

    /// Whether it is a default route.
    pub fn is_default(&self) -> bool {
        self.destination.prefix() == 0
    }
}
