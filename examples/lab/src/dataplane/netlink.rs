//! Small helpers over `rtnetlink`: errors that keep the kernel's number, and links by name.

use std::io;

use contrail_core::{Error, Result};
use futures::{StreamExt, TryStreamExt};
use rtnetlink::packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkMessage, Stats64};
use rtnetlink::packet_route::neighbour_table::{
    NeighbourTableAttribute, NeighbourTableMessage, NeighbourTableParameter,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::{Handle, LinkUnspec};

use nix::libc::{EADDRNOTAVAIL, ENODEV, ENOENT, ESRCH};

/// What the data plane needs to know of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The kernel's index.
    pub index: u32,
    /// The name.
    pub name: String,
    /// Its alias, or "".
    pub alias: String,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// Administratively up.
    pub up: bool,
    /// The other end is up too.
    pub running: bool,
    /// Packets and bytes, received and sent by this end.
    pub counters: Counters,
}

/// Counters of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counters {
    /// Packets that this end received.
    pub rx_packets: u64,
    /// Bytes that this end received.
    pub rx_bytes: u64,
    /// Packets that this end sent.
    pub tx_packets: u64,
    /// Bytes that this end sent.
    pub tx_bytes: u64,
}

impl From<&Stats64> for Counters {
    fn from(stats: &Stats64) -> Self {
        Self {
            rx_packets: stats.rx_packets,
            rx_bytes: stats.rx_bytes,
            tx_packets: stats.tx_packets,
            tx_bytes: stats.tx_bytes,
        }
    }
}

impl Link {
    /// Whether it is the same link in the same state, as far as forwarding goes.
    pub fn forwards_like(&self, other: &Self) -> bool {
        let state = |link: &Self| (link.index, link.mtu, link.up, link.running);
        state(self) == state(other)
    }

    /// Reads a link message of the kernel; `None` if it has no name.
    pub fn of(message: &LinkMessage) -> Option<Self> {
        let mut link = Self {
            index: message.header.index,
            name: String::new(),
            alias: String::new(),
            mtu: 1500,
            up: message.header.flags.contains(LinkFlags::Up),
            // RUNNING follows the carrier a moment later; the carrier alone decides whether frames
            // pass.
            running: message
                .header
                .flags
                .intersects(LinkFlags::Running | LinkFlags::LowerUp),
            counters: Counters::default(),
        };
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name = name.clone(),
                LinkAttribute::IfAlias(alias) => link.alias = alias.clone(),
                LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
                LinkAttribute::Stats64(stats) => link.counters = stats.into(),
                _ => {}
            }
        }
        (!link.name.is_empty()).then_some(link)
    }
}

/// The error of this project for one of rtnetlink's.
pub fn error(operation: impl Into<String>, error: rtnetlink::Error) -> Error {
    Error::system(operation, io_error(error))
}

fn io_error(error: rtnetlink::Error) -> io::Error {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io(),
        other => io::Error::other(other.to_string()),
    }
}

/// The kernel's error number in an error, if it has one.
pub fn errno(error: &Error) -> Option<i32> {
    match error {
        Error::System { source, .. } => source.raw_os_error(),
        _ => None,
    }
}

/// Turns "there is no such thing" into success: what was to be removed is gone.
pub fn gone_is_fine(result: Result<()>) -> Result<()> {
    match result {
        Err(e) if matches!(errno(&e), Some(ENOENT | ESRCH | ENODEV | EADDRNOTAVAIL)) => Ok(()),
        other => other,
    }
}

/// All links of the handle's namespace.
pub async fn links(handle: &Handle) -> Result<Vec<Link>> {
    let mut stream = std::pin::pin!(handle.link().get().execute());
    let mut links = Vec::new();
    while let Some(message) = stream
        .try_next()
        .await
        .map_err(|e| error("list the links", e))?
    {
        links.extend(Link::of(&message));
    }
    Ok(links)
}

/// One link by its name; `None` when there is none.
pub async fn link(handle: &Handle, name: &str) -> Result<Option<Link>> {
    let mut stream = std::pin::pin!(handle.link().get().match_name(name).execute());
    match stream.try_next().await {
        Ok(message) => Ok(message.as_ref().and_then(Link::of)),
        Err(e) => {
            let e = error(format!("look up link {name}"), e);
            match errno(&e) {
                Some(ENODEV) => Ok(None),
                _ => Err(e),
            }
        }
    }
}

/// Sets a link up.
pub async fn set_up(handle: &Handle, index: u32, name: &str) -> Result<()> {
    let message = LinkUnspec::new_with_index(index).up().build();
    handle
        .link()
        .set(message)
        .execute()
        .await
        .map_err(|e| error(format!("set {name} up"), e))
}

/// Deletes a link; absent is fine.
pub async fn delete_link(handle: &Handle, index: u32, name: &str) -> Result<()> {
    gone_is_fine(
        handle
            .link()
            .del(index)
            .execute()
            .await
            .map_err(|e| error(format!("delete {name}"), e)),
    )
}

/// Lets a device answer for others at once instead of after up to 0.8 s. Done by netlink because
/// the sysctl of the same name does not exist in user namespaces.
pub async fn answer_at_once(handle: &Handle, index: u32, name: &str) -> Result<()> {
    for (family, table) in [
        (AddressFamily::Inet, "arp_cache"),
        (AddressFamily::Inet6, "ndisc_cache"),
    ] {
        let mut message = NeighbourTableMessage::default();
        message.header.family = family;
        message.attributes = vec![
            NeighbourTableAttribute::Name(table.to_owned()),
            NeighbourTableAttribute::Parms(vec![
                NeighbourTableParameter::Ifindex(index),
                NeighbourTableParameter::ProxyDelay(0),
            ]),
        ];
        let operation = || format!("set the proxy delay of {name} in {table}");
        let result = request(handle, RouteNetlinkMessage::SetNeighbourTable(message))
            .await
            .map_err(|e| Error::system(operation(), e));
        // Without IPv6 in the kernel there is no such table.
        gone_is_fine(result)?;
    }
    Ok(())
}

/// Sends one request that is answered with an acknowledgement only.
async fn request(handle: &Handle, message: RouteNetlinkMessage) -> io::Result<()> {
    let mut message = NetlinkMessage::from(message);
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK;
    let mut answers = handle.clone().request(message).map_err(io_error)?;
    while let Some(answer) = answers.next().await {
        if let NetlinkPayload::Error(e) = answer.payload {
            return Err(e.to_io());
        }
    }
    Ok(())
}
