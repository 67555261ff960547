//! Which prefixes can be the subnet of a virtual network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// Whether a new subnet has an address for a container, with this gateway and this address for DNS or with
/// those that the API chooses: the last but one, and the one before it.
///
/// # Errors
/// How large it must be.
///
/// ```
/// use contrail_core::values::prefix::check_room;
///
/// assert!(check_room("10.1.1.0/29".parse()?, None, None).is_ok());
/// assert!(check_room("10.1.1.0/30".parse()?, None, None).is_err());
/// assert!(check_room("10.1.1.0/30".parse()?, Some("10.1.1.1".parse()?), None).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_room(
    prefix: IpNetwork,
    gateway: Option<IpAddr>,
    dns: Option<IpAddr>,
) -> Result<(), String> {
    let (longest, [first, second]) = match prefix {
        IpNetwork::V4(v4) => {
            let host = |n| IpAddr::V4(Ipv4Addr::from(u32::from(v4.network()) | n));
            (32, [host(1), host(2)])
        }
        IpNetwork::V6(v6) => {
            let host = |n| IpAddr::V6(Ipv6Addr::from(u128::from(v6.network()) | n));
            (128, [host(1), host(2)])
        }
    };
    let has_room = match longest - prefix.prefix() {
        0 | 1 => false,
        // One of its two addresses is left if gateway and DNS share the other.
        2 => gateway.unwrap_or(second) == dns.unwrap_or(first),
        _ => true,
    };
    if has_room {
        return Ok(());
    }
    let (small, least) = (longest - 2, longest - 3);
    Err(format!(
        "it has no address for a container: OpenContrail keeps the network, broadcast, gateway and DNS \
         addresses of a subnet; /{least}, or /{small} with its first address as gateway, is the smallest"
    ))
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

    #[test]
    fn a_subnet_without_an_address_for_a_container_is_refused_with_the_size_that_has_one() {
        for (prefix, gateway, refused) in [
            ("10.0.0.0/29", None, false),
            ("10.0.0.0/30", Some("10.0.0.1"), false),
            ("fd00::/125", None, false),
            ("fd00::/126", Some("fd00::1"), false),
            ("10.0.0.4/30", None, true),
            ("10.0.0.4/30", Some("10.0.0.6"), true),
            ("10.0.0.0/31", None, true),
            ("10.0.0.0/31", Some("10.0.0.1"), true),
            ("10.0.0.1/32", None, true),
            ("fd00::/126", None, true),
            ("fd00::/127", Some("fd00::1"), true),
            ("fd00::1/128", None, true),
        ] {
            let gateway = gateway.map(|gateway| gateway.parse().unwrap());
            let checked = check_room(prefix.parse().unwrap(), gateway, None);
            assert_eq!(checked.is_err(), refused, "{prefix} {gateway:?}");
            let Err(text) = checked else { continue };
            assert!(text.contains("keeps the network, broadcast, gateway and DNS"));
            let sizes = if prefix.contains(':') {
                ["/125", "/126 with"]
            } else {
                ["/29", "/30 with"]
            };
            assert!(sizes.iter().all(|size| text.contains(size)), "{text}");
        }
        // Docker's own IPAM gives out all but the gateway: DNS shares that.
        let gateway = Some("10.0.0.6".parse().unwrap());
        assert!(check_room("10.0.0.4/30".parse().unwrap(), gateway, gateway).is_ok());
    }
}
