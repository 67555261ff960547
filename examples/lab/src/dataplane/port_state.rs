//! Whether a port forwards, and why not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use super::netlink::Link;
use crate::agent::ports::Subscription;

/// Whether a port forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It does.
    Active,
    /// It does not, for these reasons.
    Inactive(BTreeSet<Reason>),
}

/// Why a port does not forward, in the words of the agent's introspect pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its link state was set to down (`disable-port`).
    AdminDown,
    /// The configuration of its VM, VM interface or network has not arrived.
    VnNull,
    /// There is no host end of that name.
    NoDev,
    /// The host end or the container's end is down.
    OsStateDown,
    /// It has no IPv4 address.
    NoIpv4Addr,
    /// It has no IPv6 address.
    NoIpv6Addr,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::AdminDown => "admin-down",
            Reason::VnNull => "vn-null",
            Reason::NoDev => "no-dev",
            Reason::OsStateDown => "os-state-down",
            Reason::NoIpv4Addr => "no-ipv4-addr",
            Reason::NoIpv6Addr => "no-ipv6-addr",
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Active => f.write_str("active"),
            State::Inactive(reasons) => {
                f.write_str("inactive")?;
                reasons.iter().try_for_each(|reason| write!(f, " {reason}"))
            }
        }
    }
}

/// The state of a port in the routing table of its network, with these addresses.
pub fn state(
    subscription: &Subscription,
    table: Option<u32>,
    addresses: &[IpAddr],
    links: &BTreeMap<String, Link>,
) -> State {
    let mut reasons = BTreeSet::new();
    if subscription.link_state == 0 {
        reasons.insert(Reason::AdminDown);
    }
    if table.is_none() {
        reasons.insert(Reason::VnNull);
    }
    match links.get(&subscription.host_ifname) {
        None => {
            reasons.insert(Reason::NoDev);
        }
        Some(link) if !(link.up && link.running) => {
            reasons.insert(Reason::OsStateDown);
        }
        Some(_) => {}
    }
    if addresses.is_empty() {
        reasons.extend([Reason::NoIpv4Addr, Reason::NoIpv6Addr]);
    }
    if reasons.is_empty() {
        State::Active
    } else {
        State::Inactive(reasons)
    }
}
