//! Reading an interface with its addresses and routes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;
use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage, AddressScope};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteMetric, RouteProtocol, RouteScope, RouteType,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::link::Link;
use super::netlink::Netlink;
use super::route::Route;
use crate::values::MacAddr;

/// The main routing table.
const MAIN_TABLE: u32 = 254;

/// The metric of an IPv6 route that was added without one.
const DEFAULT_METRIC_V6: u32 = 1024;

/// The interface `name` of the socket's namespace.
pub(super) fn link(netlink: &Netlink<'_>, name: &str) -> io::Result<Option<Link>> {
    let Some(message) = netlink.link(name)? else {
        return Ok(None);
    };
    let mut link = link_of(&message, name);
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let addresses = addresses(netlink, link.index, family)?;
        link.addresses
            .extend(addresses.iter().filter_map(address_of));
    }
    link.routes = routes(netlink, link.index)?;
    Ok(Some(link))
}

/// Whether an interface has an alias, and not this one. A half-made pair of ours has none yet.
pub(super) fn has_other_alias(link: &LinkMessage, alias: &str) -> bool {
    let mut attributes = link.attributes.iter();
    attributes.any(|a| matches!(a, LinkAttribute::IfAlias(other) if other != alias))
}

/// The addresses of one family on an interface.
pub(super) fn addresses(
    netlink: &Netlink<'_>,
    index: u32,
    family: AddressFamily,
) -> io::Result<Vec<AddressMessage>> {
    let mut query = AddressMessage::default();
    query.header.family = family;
    query.header.index = index;
    let answers = netlink.dump(RouteNetlinkMessage::GetAddress(query))?;
    Ok(answers
        .into_iter()
        .filter_map(|answer| match answer {
            RouteNetlinkMessage::NewAddress(address) if address.header.index == index => {
                Some(address)
            }
            _ => None,
        })
        .collect())
}

fn routes(netlink: &Netlink<'_>, index: u32) -> io::Result<Vec<Route>> {
    let mut queries = [
        RouteMessageBuilder::<Ipv4Addr>::new()
            .output_interface(index)
            .build(),
        RouteMessageBuilder::<Ipv6Addr>::new()
            .output_interface(index)
            .build(),
    ];
    let mut routes = Vec::new();
    for query in &mut queries {
        // In a dump these are filters: every table and every protocol.
        query.header.table = 0;
        query.header.protocol = RouteProtocol::Unspec;
        let answers = netlink.dump(RouteNetlinkMessage::GetRoute(query.clone()))?;
        routes.extend(answers.iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewRoute(route) => route_of(route, index),
            _ => None,
        }));
    }
    Ok(routes)
}

fn link_of(message: &LinkMessage, name: &str) -> Link {
    let mut link = Link {
        name: name.to_owned(),
        index: message.header.index,
        mac: None,
        mtu: None,
        up: message.header.flags.contains(LinkFlags::Up),
        alias: None,
        addresses: Vec::new(),
        routes: Vec::new(),
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::Address(bytes) => {
                link.mac = bytes.as_slice().try_into().ok().map(MacAddr);
            }
            LinkAttribute::Mtu(mtu) => link.mtu = Some(*mtu),
            LinkAttribute::IfAlias(alias) => link.alias = Some(alias.clone()),
            _ => {}
        }
    }
    link
}

/// The address of a message; `None` for the link-local ones of the kernel.
fn address_of(message: &AddressMessage) -> Option<IpNetwork> {
    if message.header.scope == AddressScope::Link && message.header.family == AddressFamily::Inet6 {
        return None;
    }
    // IFA_LOCAL is the address on this side; IPv6 has only IFA_ADDRESS.
    let mut address = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(local) => address = Some(*local),
            AddressAttribute::Address(other) => address = address.or(Some(*other)),
            _ => {}
        }
    }
    IpNetwork::new(address?, message.header.prefix_len).ok()
}

/// The route of a message; `None` for those that the kernel adds and for other kinds than
/// unicast.
fn route_of(message: &RouteMessage, index: u32) -> Option<Route> {
    let header = &message.header;
    if header.kind != RouteType::Unicast || header.protocol == RouteProtocol::Kernel {
        return None;
    }
    let any = match header.address_family {
        AddressFamily::Inet => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        AddressFamily::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    let mut route = Route::new(
        IpNetwork::new(any, header.destination_prefix_length).ok()?,
        None,
    );
    let mut through = false;
    let mut table = u32::from(header.table);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(destination) => {
                let prefix = header.destination_prefix_length;
                route.destination = IpNetwork::new(ip(destination)?, prefix).ok()?;
            }
            RouteAttribute::Gateway(gateway) => route.gateway = ip(gateway),
            RouteAttribute::Oif(oif) => through = *oif == index,
            RouteAttribute::Priority(priority) => route.priority = Some(*priority),
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Metrics(metrics) => set_metrics(&mut route, metrics),
            _ => {}
        }
    }
    if header.address_family == AddressFamily::Inet6 {
        route
            .priority
            .take_if(|metric| *metric == DEFAULT_METRIC_V6);
    }
    route.table = (table != MAIN_TABLE).then_some(table);
    route.scope = match header.scope {
        RouteScope::Universe => None,
        RouteScope::Link if route.gateway.is_none() => None,
        scope => Some(scope.into()),
    };
    through.then_some(route)
}

fn set_metrics(route: &mut Route, metrics: &[RouteMetric]) {
    for metric in metrics {
        match metric {
            RouteMetric::Mtu(mtu) => route.mtu = Some(*mtu),
            RouteMetric::Advmss(advmss) => route.advmss = Some(*advmss),
            _ => {}
        }
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}
