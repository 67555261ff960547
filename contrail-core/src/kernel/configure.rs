//! Giving the container's end of a pair its addresses and routes.
//!
//! The settings in `/proc/sys` need a thread inside the namespace; the same thread opens the socket
//! and looks up the number of the interface. The rest are messages: one for each address, one to set
//! the interface up, one for each route.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use ipnetwork::IpNetwork;
use nix::libc;
use nix::net::if_::if_nametoindex;
use rtnetlink::packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_REPLACE};
use rtnetlink::packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use rtnetlink::packet_route::route::{
    RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteScope,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::{AddressMessageBuilder, LinkUnspec, RouteMessageBuilder};

use super::error::{Error, Result};
use super::link::InterfaceConfig;
use super::netlink::Netlink;
use super::netns::Netns;
use super::route::Route;
use super::{inspect, sysctl};
use crate::values::Deadline;
use crate::values::Family;
use crate::values::Invalid;

/// How long duplicate address detection may take. It is off unless the administrator enforces it with
/// `net.ipv6.conf.all.accept_dad=1`; then it takes one to two seconds.
const DAD_TIME: Duration = Duration::from_secs(5);

/// The notifications at the end of duplicate address detection.
const RTNLGRP_IPV6_IFADDR: u32 = 9;

/// Configures the interface `ifname` of `netns`.
pub(super) fn run(
    requests: &AtomicU64,
    netns: &Netns,
    ifname: &str,
    config: &InterfaceConfig,
) -> Result<()> {
    config.routes.iter().try_for_each(check)?;
    let ipv6 = config.addresses.iter().any(IpNetwork::is_ipv6);
    let (mut netlink, index) = netns.run(|| enter(requests, ifname, config.forwarding, ipv6))??;
    let refused = |what: String| {
        move |error| Error::kernel(format!("{what} interface {ifname} of {netns}"), error)
    };
    // Addresses first: what the interface announces when it is set up should be complete.
    for address in &config.addresses {
        let message = RouteNetlinkMessage::NewAddress(address_message(index, *address));
        netlink
            .change(message, NLM_F_CREATE | NLM_F_REPLACE)
            .map_err(refused(format!("add address {address} to")))?;
    }
    let up = LinkUnspec::new_with_index(index).up().build();
    netlink.set_link(up).map_err(refused("set up".to_owned()))?;
    for route in in_order(&config.routes) {
        let message = RouteNetlinkMessage::NewRoute(route_message(index, route, &config.addresses));
        // Appended: a second interface's route to the same place does not displace the first one's.
        match netlink.change(message, NLM_F_CREATE | NLM_F_APPEND) {
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {}
            done => done.map_err(refused(format!("add route {} to", route.destination)))?,
        }
    }
    if ipv6 {
        wait_for_ipv6(&mut netlink, index, ifname, &config.addresses)?;
    }
    Ok(())
}

/// The kernel would take the first four bytes of an IPv6 gateway for an IPv4 one.
fn check(route: &Route) -> Result<()> {
    match route.gateway {
        Some(gateway) if gateway.is_ipv4() != route.destination.is_ipv4() => Err(Invalid::new(
            format!("gateway of the route to {}", route.destination),
            gateway.to_string(),
            "it must be of the same family as the destination",
        )
        .into()),
        _ => Ok(()),
    }
}

/// The part that must run in a thread inside the namespace.
fn enter<'a>(
    requests: &'a AtomicU64,
    ifname: &str,
    forwarding: bool,
    ipv6: bool,
) -> Result<(Netlink<'a>, u32)> {
    let index = if_nametoindex(ifname)
        .map_err(|errno| Error::kernel(format!("find interface {ifname}"), errno.into()))?;
    // The neighbours, also the vRouter's flow table, then learn the address at once. Better, not
    // needed: a kernel that refuses it only answers when it is asked.
    ignore(sysctl::set(Family::V4, ifname, "arp_notify", "1"));
    if ipv6 {
        let switch = "disable_ipv6";
        sysctl::set(Family::V6, ifname, switch, "0").map_err(|error| {
            Error::kernel(
                format!("enable IPv6 ({switch}) on interface {ifname}"),
                error,
            )
        })?;
        // Packets of the container to its own address pass through it.
        ignore(sysctl::set(Family::V6, "lo", switch, "0"));
        // The controller gives each address once; detection would delay the start by a second.
        ignore(sysctl::set(Family::V6, ifname, "accept_dad", "0"));
        ignore(sysctl::set(Family::V6, ifname, "keep_addr_on_down", "1"));
    }
    if forwarding {
        forward(ifname, ipv6)
            .map_err(|error| Error::kernel(format!("enable forwarding on {ifname}"), error))?;
    }
    let groups: &[u32] = if ipv6 { &[RTNLGRP_IPV6_IFADDR] } else { &[] };
    let netlink = Netlink::open_listening(requests, groups)
        .map_err(|error| Error::kernel("open a netlink socket", error))?;
    Ok((netlink, index))
}

/// Enables forwarding of packets that the interface receives.
fn forward(ifname: &str, ipv6: bool) -> io::Result<()> {
    sysctl::set(Family::V4, ifname, "forwarding", "1")?;
    match ipv6 {
        // The switch of an IPv6 interface says whether it is a router's; forwarding has one for all.
        true => sysctl::set(Family::V6, "all", "forwarding", "1"),
        false => Ok(()),
    }
}

fn ignore(result: io::Result<()>) {
    if let Err(error) = result {
        log::debug!("cannot change an optional setting in /proc/sys/net: {error}");
    }
}

fn address_message(index: u32, address: IpNetwork) -> AddressMessage {
    match address {
        IpNetwork::V4(v4) => AddressMessageBuilder::<Ipv4Addr>::new()
            .index(index)
            .address(v4.ip(), v4.prefix())
            .build(),
        IpNetwork::V6(v6) => AddressMessageBuilder::<Ipv6Addr>::new()
            .index(index)
            .address(v6.ip(), v6.prefix())
            .build(),
    }
}

/// Routes on the link first: a gateway may be reachable only through one of them.
fn in_order(routes: &[Route]) -> impl Iterator<Item = &Route> {
    let on_link = |route: &&Route| route.gateway.is_none();
    let through_gateway = |route: &&Route| route.gateway.is_some();
    routes
        .iter()
        .filter(on_link)
        .chain(routes.iter().filter(through_gateway))
}

fn route_message(index: u32, route: &Route, addresses: &[IpNetwork]) -> RouteMessage {
    let prefix = route.destination.prefix();
    let mut message = match route.destination.network() {
        IpAddr::V4(network) => RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(network, prefix)
            .output_interface(index)
            .table_id(route.table.unwrap_or(254))
            .build(),
        IpAddr::V6(network) => RouteMessageBuilder::<Ipv6Addr>::new()
            .destination_prefix(network, prefix)
            .output_interface(index)
            .table_id(route.table.unwrap_or(254))
            .build(),
    };
    match route.gateway {
        Some(gateway) => {
            message
                .attributes
                .push(RouteAttribute::Gateway(gateway.into()));
            if !is_on_link(gateway, addresses) {
                message.header.flags |= RouteFlags::Onlink;
            }
        }
        None => message.header.scope = RouteScope::Link,
    }
    if let Some(scope) = route.scope {
        message.header.scope = scope.into();
    }
    if let Some(priority) = route.priority {
        message.attributes.push(RouteAttribute::Priority(priority));
    }
    let metrics: Vec<RouteMetric> = [
        route.mtu.map(RouteMetric::Mtu),
        route.advmss.map(RouteMetric::Advmss),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !metrics.is_empty() {
        message.attributes.push(RouteAttribute::Metrics(metrics));
    }
    message
}

/// Whether the kernel knows without a route that a gateway is on the link: it is in the subnet of one of
/// the interface's addresses, or link-local.
fn is_on_link(gateway: IpAddr, addresses: &[IpNetwork]) -> bool {
    let link_local = matches!(gateway, IpAddr::V6(v6) if v6.is_unicast_link_local());
    link_local || addresses.iter().any(|address| address.contains(gateway))
}

/// Waits until the kernel lets every address be used. Even without duplicate address detection it
/// does that in the background.
fn wait_for_ipv6(
    netlink: &mut Netlink<'_>,
    index: u32,
    ifname: &str,
    wanted: &[IpNetwork],
) -> Result<()> {
    let deadline = Deadline::after(DAD_TIME);
    loop {
        let addresses = inspect::addresses(netlink, index, AddressFamily::Inet6)
            .map_err(|error| Error::kernel(format!("read the addresses of {ifname}"), error))?;
        let Some((address, flags)) = first_unusable(&addresses, wanted) else {
            return Ok(());
        };
        if flags.contains(AddressHeaderFlags::Dadfailed) {
            return Err(Error::kernel(
                format!("use address {address} on {ifname}: another host has it"),
                io::Error::from_raw_os_error(libc::EADDRINUSE),
            ));
        }
        if !netlink.wait(deadline) {
            return Err(Error::Timeout {
                operation: format!("duplicate address detection of {address} on {ifname}"),
                seconds: DAD_TIME.as_secs_f32(),
            });
        }
    }
}

fn first_unusable(
    addresses: &[AddressMessage],
    wanted: &[IpNetwork],
) -> Option<(IpAddr, AddressHeaderFlags)> {
    let unusable = AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed;
    addresses.iter().find_map(|message| {
        let flags = message.header.flags;
        let address = message
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                AddressAttribute::Address(address) => Some(*address),
                _ => None,
            })?;
        let ours = wanted.iter().any(|network| network.ip() == address);
        (ours && flags.intersects(unusable)).then_some((address, flags))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> IpNetwork {
        text.parse().unwrap()
    }

    fn is_onlink(gateway: &str, addresses: &[&str]) -> bool {
        let addresses: Vec<IpNetwork> = addresses.iter().map(|text| network(text)).collect();
        let route = Route::default_via(gateway.parse().unwrap());
        route_message(7, &route, &addresses)
            .header
            .flags
            .contains(RouteFlags::Onlink)
    }

    #[test]
    fn a_gateway_outside_every_subnet_is_declared_to_be_on_the_link() {
        assert!(!is_onlink("10.1.1.1", &["10.1.1.4/24"]));
        assert!(is_onlink("10.1.1.1", &["10.1.1.4/32"]));
        assert!(is_onlink("169.254.1.1", &["10.1.1.4/24"]));
        assert!(!is_onlink("fd00::1", &["10.1.1.4/24", "fd00::4/64"]));
        assert!(is_onlink("fd01::1", &["fd00::4/64"]));
        assert!(!is_onlink("fe80::1", &["fd00::4/64"]));
    }

    #[test]
    fn every_field_of_a_route_reaches_the_message() {
        let route = Route {
            mtu: Some(1400),
            advmss: Some(1360),
            priority: Some(100),
            table: Some(1000),
            scope: Some(253),
            ..Route::new(network("192.168.1.77/16"), None)
        };
        let message = route_message(7, &route, &[]);
        assert_eq!(message.header.destination_prefix_length, 16);
        assert_eq!(message.header.scope, RouteScope::Link);
        assert_eq!(
            message.attributes,
            [
                RouteAttribute::Destination(Ipv4Addr::new(192, 168, 0, 0).into()),
                RouteAttribute::Oif(7),
                RouteAttribute::Table(1000),
                RouteAttribute::Priority(100),
                RouteAttribute::Metrics(vec![RouteMetric::Mtu(1400), RouteMetric::Advmss(1360)]),
            ]
        );
    }

    #[test]
    fn routes_on_the_link_come_before_those_that_may_need_them() {
        let routes = [
            Route::default_via("10.0.0.1".parse().unwrap()),
            Route::new(network("10.0.0.1/32"), None),
        ];
        let order: Vec<&Route> = in_order(&routes).collect();
        assert_eq!(order, [&routes[1], &routes[0]]);
    }
}
