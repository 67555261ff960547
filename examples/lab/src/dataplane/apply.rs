//! Brings the objects of the lab's namespace from what was applied to what is wanted.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};

use contrail_core::values::Family;
use contrail_core::{Error, MacAddr, Result};
use ipnetwork::IpNetwork;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags};
use rtnetlink::packet_route::neighbour::{NeighbourFlags, NeighbourMessage, NeighbourState};
use rtnetlink::packet_route::route::{RouteMessage, RouteScope, RouteType};
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute, RuleMessage, RulePortRange};
use rtnetlink::{Handle, LinkUnspec, RouteMessageBuilder};

use super::flow::Packets;
use super::netlink::{error, gone_is_fine};
use super::object::{LAST_METRIC, Object, Selector, Target};
use super::wire::ROUTER_MAC;

/// The loopback device is the first of every namespace.
const LOOPBACK: u32 = 1;

/// The kernel's `local` table.
const LOCAL_TABLE: u32 = 255;

/// What is in the kernel, as far as this process put it there.
#[derive(Debug, Default)]
pub struct Applied {
    objects: BTreeSet<Object>,
}

impl Applied {
    /// Forgets the objects that the kernel drops together with a device.
    pub fn forget(&mut self, device: &str) {
        self.objects
            .retain(|object| object.device() != Some(device));
    }

    /// Deletes what is no longer wanted. Goes on after a failure; what failed is tried again
    /// next time.
    pub async fn close(&mut self, kernel: &Kernel<'_>, want: &BTreeSet<Object>) -> Vec<Error> {
        let mut errors = Vec::new();
        let unwanted: Vec<Object> = self.objects.difference(want).cloned().collect();
        for object in unwanted.into_iter().rev() {
            match gone_is_fine(kernel.change(&object, Change::Delete).await) {
                Ok(()) => {
                    self.objects.remove(&object);
                }
                Err(e) => errors.push(e),
            }
        }
        errors
    }

    /// Adds what is wanted and not there. Goes on after a failure; what failed is tried again next
    /// time.
    pub async fn open(&mut self, kernel: &Kernel<'_>, want: &BTreeSet<Object>) -> Vec<Error> {
        let mut errors = Vec::new();
        let missing: Vec<Object> = want.difference(&self.objects).cloned().collect();
        for object in missing {
            match kernel.change(&object, Change::Add).await {
                Ok(()) => {
                    self.objects.insert(object);
                }
                Err(e) => errors.push(e),
            }
        }
        errors
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Add,
    Delete,
}

/// The lab's namespace, and the twins in it by name.
pub struct Kernel<'a> {
    /// A handle inside.
    pub handle: &'a Handle,
    /// The indexes of the twins.
    pub twins: HashMap<&'a str, u32>,
    /// Whether the kernel has IPv6; without it, its objects are left out.
    pub ipv6: bool,
}

impl Kernel<'_> {
    async fn change(&self, object: &Object, change: Change) -> Result<()> {
        if !self.ipv6 && family(object) == Family::V6 {
            return Ok(());
        }
        match object {
            Object::Address(address) => self.address(*address, change).await,
            Object::Mac { device, mac } => match change {
                Change::Add => self.mac(device, *mac).await,
                Change::Delete => self.mac(device, MacAddr(ROUTER_MAC)).await,
            },
            Object::Neighbour {
                device,
                address,
                mac,
            } => {
                let message = self.neighbour(device, *address, Some(*mac))?;
                self.change_neighbour(message, change).await
            }
            Object::Proxy { device, address } => {
                let message = self.neighbour(device, *address, None)?;
                self.change_neighbour(message, change).await
            }
            Object::Route {
                table,
                destination,
                target,
            } => {
                let message = self.route(*table, *destination, target)?;
                self.change_route(message, change).await
            }
            Object::Rule {
                priority,
                family,
                selector,
                table,
            } => {
                let message = self.rule(*priority, *family, selector, *table);
                change_rule(self.handle, message, change).await
            }
        }
        .map_err(|e| about(e, object, change))
    }

    fn index(&self, device: &str) -> Result<u32> {
        let index = self.twins.get(device).copied();
        index.ok_or_else(|| {
            let absent = std::io::Error::from_raw_os_error(nix::libc::ENODEV);
            Error::system(format!("find {device}"), absent)
        })
    }

    async fn mac(&self, device: &str, mac: MacAddr) -> Result<()> {
        let link = LinkUnspec::new_with_index(self.index(device)?);
        let link = link.address(mac.0.to_vec()).build();
        let changed = self.handle.link().set(link).execute().await;
        changed.map_err(|e| error("", e))
    }

    async fn address(&self, address: IpAddr, change: Change) -> Result<()> {
        let length = IpNetwork::from(address).prefix();
        let mut request = self.handle.address().add(LOOPBACK, address, length);
        if address.is_ipv6() {
            // An address that waits for duplicate detection cannot be a route's source.
            let flag = AddressAttribute::Flags(AddressFlags::Nodad);
            request.message_mut().attributes.push(flag);
        }
        match change {
            Change::Add => request.replace().execute().await,
            Change::Delete => {
                let message = request.message_mut().clone();
                self.handle.address().del(message).execute().await
            }
        }
        .map_err(|e| error("", e))
    }

    /// A neighbour with its MAC address, or without one a proxy entry.
    fn neighbour(
        &self,
        device: &str,
        address: IpAddr,
        mac: Option<MacAddr>,
    ) -> Result<NeighbourMessage> {
        let request = self.handle.neighbours().add(self.index(device)?, address);
        let mut request = match mac {
            Some(mac) => request
                .link_layer_address(&mac.0)
                .state(NeighbourState::Permanent),
            None => request.flags(NeighbourFlags::Proxy),
        };
        Ok(request.message_mut().clone())
    }

    async fn change_neighbour(&self, message: NeighbourMessage, change: Change) -> Result<()> {
        let neighbours = self.handle.neighbours();
        match change {
            Change::Add => {
                let mut request = neighbours.add(0, IpAddr::from([0, 0, 0, 0])).replace();
                *request.message_mut() = message;
                request.execute().await
            }
            Change::Delete => neighbours.del(message).execute().await,
        }
        .map_err(|e| error("", e))
    }

    fn route(&self, table: u32, destination: IpNetwork, target: &Target) -> Result<RouteMessage> {
        let route = RouteMessageBuilder::<IpAddr>::new()
            .table_id(table)
            .destination_prefix(destination.network(), destination.prefix())
            .map_err(unbuildable)?;
        let route = match target {
            Target::Blackhole => route.kind(RouteType::BlackHole).priority(LAST_METRIC),
            Target::Local => route
                .kind(RouteType::Local)
                .scope(RouteScope::Host)
                .output_interface(LOOPBACK),
            Target::Port { device, source } => {
                let route = route
                    .scope(RouteScope::Link)
                    .output_interface(self.index(device)?);
                match source {
                    None => route,
                    Some(source) => route.pref_source(*source).map_err(unbuildable)?,
                }
            }
            Target::Via { device, gateway } => route
                .output_interface(self.index(device)?)
                .gateway(*gateway)
                .map_err(unbuildable)?
                .onlink(),
        };
        Ok(route.build())
    }

    async fn change_route(&self, message: RouteMessage, change: Change) -> Result<()> {
        let routes = self.handle.route();
        match change {
            Change::Add => routes.add(message).replace().execute().await,
            Change::Delete => routes.del(message).execute().await,
        }
        .map_err(|e| error("", e))
    }

    fn rule(
        &self,
        priority: u32,
        family: Family,
        selector: &Selector,
        table: Option<u32>,
    ) -> RuleMessage {
        let request = self.handle.rule().add().priority(priority);
        let request = match table {
            Some(table) => request.action(RuleAction::ToTable).table_id(table),
            None => request.action(RuleAction::Blackhole),
        };
        let request = match selector {
            Selector::Device(device)
            | Selector::DeviceFrom(device, _)
            | Selector::Packets(device, _, _) => request.input_interface(device),
            Selector::OwnMarked(mark) => request.input_interface("lo").fw_mark(*mark),
            Selector::OwnFrom(_) => request.input_interface("lo"),
        };
        let (from, to) = match selector {
            Selector::OwnFrom(from) | Selector::DeviceFrom(_, from) => {
                (Some(IpNetwork::from(*from)), None)
            }
            Selector::Packets(_, to, _) => (None, *to),
            _ => (None, None),
        };
        let mut message = match family {
            Family::V4 => {
                let mut request = request.v4();
                if let Some(IpNetwork::V4(from)) = from {
                    request = request.source_prefix(from.network(), from.prefix());
                }
                if let Some(IpNetwork::V4(to)) = to {
                    request = request.destination_prefix(to.network(), to.prefix());
                }
                request.message_mut().clone()
            }
            Family::V6 => {
                let mut request = request.v6();
                if let Some(IpNetwork::V6(from)) = from {
                    request = request.source_prefix(from.network(), from.prefix());
                }
                if let Some(IpNetwork::V6(to)) = to {
                    request = request.destination_prefix(to.network(), to.prefix());
                }
                request.message_mut().clone()
            }
        };
        if let Selector::Packets(_, _, packets) = selector {
            message.attributes.extend(of_packets(packets, family));
        }
        message
    }
}

/// What a rule looks at beside devices and addresses.
fn of_packets(packets: &Packets, family: Family) -> Vec<RuleAttribute> {
    let range = |(start, end): (u16, u16)| RulePortRange { start, end };
    let protocol = packets
        .protocol
        .map(|p| RuleAttribute::IpProtocol(p.number(family).into()));
    let source = packets
        .source_ports
        .map(|ports| RuleAttribute::SourcePortRange(range(ports)));
    let destination = packets
        .destination_ports
        .map(|ports| RuleAttribute::DestinationPortRange(range(ports)));
    [protocol, source, destination]
        .into_iter()
        .flatten()
        .collect()
}

async fn change_rule(handle: &Handle, message: RuleMessage, change: Change) -> Result<()> {
    match change {
        Change::Add => {
            let mut request = handle.rule().add();
            *request.message_mut() = message;
            request.execute().await
        }
        Change::Delete => handle.rule().del(message).execute().await,
    }
    .map_err(|e| error("", e))
}

/// The rules that every lab starts with: the `local` table serves only the router's own packets,
/// so that no network's gateway is reached from another one, and what no rule knows is dropped.
///
/// # Errors
/// [`Error::System`].
pub async fn base_rules(handle: &Handle, ipv6: bool) -> Result<()> {
    let start = |priority: u32| handle.rule().add().priority(priority);
    let local = |priority: u32| {
        start(priority)
            .action(RuleAction::ToTable)
            .table_id(LOCAL_TABLE)
    };
    let own = || local(32000).input_interface("lo");
    let last = || start(32001).action(RuleAction::Blackhole);
    let mut rules: Vec<RuleMessage> = vec![
        own().v4().message_mut().clone(),
        last().v4().message_mut().clone(),
    ];
    let mut removed = vec![local(0).v4().message_mut().clone()];
    if ipv6 {
        // Neighbour discovery is addressed to the link itself.
        let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0);
        let multicast = Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0);
        rules.extend([
            local(5)
                .v6()
                .destination_prefix(link_local, 10)
                .message_mut()
                .clone(),
            local(5)
                .v6()
                .destination_prefix(multicast, 8)
                .message_mut()
                .clone(),
            own().v6().message_mut().clone(),
            last().v6().message_mut().clone(),
        ]);
        removed.push(local(0).v6().message_mut().clone());
    }
    for rule in rules {
        change_rule(handle, rule, Change::Add)
            .await
            .map_err(|e| rename(e, "add the first rules"))?;
    }
    for rule in removed {
        change_rule(handle, rule, Change::Delete)
            .await
            .map_err(|e| rename(e, "remove the kernel's first rule"))?;
    }
    Ok(())
}

/// A route that cannot even be written down: address and prefix of different families.
fn unbuildable(e: impl std::fmt::Display) -> Error {
    Error::system("build a route", std::io::Error::other(e.to_string()))
}

fn family(object: &Object) -> Family {
    match object {
        Object::Address(address)
        | Object::Neighbour { address, .. }
        | Object::Proxy { address, .. } => Family::of(*address),
        Object::Mac { .. } => Family::V4,
        Object::Route { destination, .. } => Family::of(destination.network()),
        Object::Rule { family, .. } => *family,
    }
}

fn about(e: Error, object: &Object, change: Change) -> Error {
    let verb = if change == Change::Add {
        "add"
    } else {
        "delete"
    };
    rename(e, &format!("{verb} {object:?}"))
}

fn rename(e: Error, operation: &str) -> Error {
    match e {
        Error::System { source, .. } => Error::system(operation, source),
        other => other,
    }
}
