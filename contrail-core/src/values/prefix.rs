//! Which prefixes can be the subnet of a virtual network.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

/// The addresses that no interface of a container can have as its own, and what they are. Sources: the
/// registries of special-purpose addresses (RFC 6890), and RFC 5771 and RFC 4291 for multicast.
const RESERVED_V4: [(Ipv4Addr, u8, &str); 5] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "unspecified addresses"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback addresses"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local addresses"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast addresses"),
    (Ipv4Addr::BROADCAST, 32, "the broadcast address"),
];

const RESERVED_V6: [(Ipv6Addr, u8, &str); 5] = [
    (Ipv6Addr::UNSPECIFIED, 128, "the unspecified address"),
    (Ipv6Addr::LOCALHOST, 128, "the loopback address"),
    (
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0),
        96,
        "IPv4 addresses",
    ),
    (
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0),
        10,
        "link-local addresses",
    ),
    (
        Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0),
        8,
        "multicast addresses",
    ),
];

/// Whether containers can have addresses of `prefix`.
///
/// # Errors
/// Why not: it is, contains or lies within addresses that are reserved for something else.
///
/// ```
/// use contrail_core::values::prefix::check_subnet;
///
/// assert!(check_subnet("10.1.1.0/24".parse()?).is_ok());
/// assert_eq!(
///     check_subnet("224.0.0.0/8".parse()?),
///     Err("it has multicast addresses".to_owned())
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_subnet(prefix: IpNetwork) -> Result<(), String> {
    if prefix.prefix() == 0 {
        return Err("it has every address there is".to_owned());
    }
    let reserved = match prefix {
        IpNetwork::V4(prefix) => RESERVED_V4
            .iter()
            .find(|(address, len, _)| {
                Ipv4Network::new(*address, *len).is_ok_and(|other| prefix.overlaps(other))
            })
            .map(|(_, _, what)| what),
        IpNetwork::V6(prefix) => RESERVED_V6
            .iter()
            .find(|(address, len, _)| {
                Ipv6Network::new(*address, *len).is_ok_and(|other| prefix.overlaps(other))
            })
            .map(|(_, _, what)| what),
    };
    match reserved {
        Some(what) => Err(format!("it has {what}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_with_addresses_for_something_else_are_refused_with_what_they_are_for() {
        for (prefix, reason) in [
            ("0.0.0.0/0", "every address"),
            ("::/0", "every address"),
            ("0.0.0.0/8", "unspecified"),
            ("0.0.0.0/1", "unspecified"),
            ("127.0.0.0/8", "loopback"),
            ("127.1.1.0/24", "loopback"),
            ("64.0.0.0/2", "loopback"),
            ("169.254.7.0/24", "link-local"),
            ("224.0.0.0/4", "multicast"),
            ("239.1.1.0/24", "multicast"),
            ("255.255.255.255/32", "broadcast"),
            ("255.255.255.0/24", "broadcast"),
            ("::/64", "unspecified"),
            ("::1/128", "loopback"),
            ("::ffff:10.1.1.0/120", "IPv4"),
            ("fe80::/64", "link-local"),
            ("ff02::/16", "multicast"),
        ] {
            let refused = check_subnet(prefix.parse().unwrap()).unwrap_err();
            assert!(refused.contains(reason), "{prefix}: {refused}");
        }
        for prefix in [
            "10.0.0.0/8",
            "100.64.0.0/10",
            "192.168.1.0/30",
            "240.1.0.0/16",
            "fd00::/8",
            "2001:db8::/32",
        ] {
            assert_eq!(check_subnet(prefix.parse().unwrap()), Ok(()), "{prefix}");
        }
    }
}
