//! Connects a port's host end to the lab: a veth pair whose one end, the stub, stays beside the
//! host end and whose other end, the twin, is in the lab's namespace; traffic control redirects
//! every frame from the host end to the stub and back.
//!
//! Frames thus never meet the host's IP stack, routes, sysctls or firewall.

use std::os::fd::RawFd;

use contrail_core::Result;
use futures::TryStreamExt;
use nix::libc::{EEXIST, EINVAL};
use rtnetlink::packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoVeth, LinkAttribute,
};
use rtnetlink::packet_route::tc::{
    TcActionAttribute, TcActionMirrorOption, TcActionOption, TcAttribute, TcFilterU32Option,
    TcHandle, TcMessage, TcOption,
};
use rtnetlink::{Handle, LinkMessageBuilder, LinkUnspec, LinkVeth};
use uuid::Uuid;

use super::namespace;
use super::netlink::{self, Link, errno, error, gone_is_fine};

/// The MAC address that every container sees as its router, as a vRouter's.
pub const ROUTER_MAC: [u8; 6] = [0x00, 0x00, 0x5e, 0x00, 0x01, 0x00];

/// `ETH_P_ALL`, in network order as traffic control wants it.
const ALL_PROTOCOLS: u16 = 0x0003u16.to_be();

/// The names of the two ends of a port's connection: at most 15 bytes, unique among all ports of
/// all labs of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Names {
    /// The end in the lab's namespace.
    pub twin: String,
    /// The end beside the host end.
    pub stub: String,
}

impl Names {
    /// The names for a port of a lab.
    pub fn of(lab: &str, port: Uuid) -> Self {
        let hash = Uuid::new_v5(&port, lab.as_bytes()).simple().to_string();
        Self {
            twin: format!("t{}", &hash[..13]),
            stub: format!("x{}", &hash[..13]),
        }
    }
}

/// A connection that exists in the kernel, by link indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Its names.
    pub names: Names,
    /// The host end.
    pub host: u32,
    /// The stub.
    pub stub: u32,
    /// The twin, in the lab's namespace.
    pub twin: u32,
}

/// The alias of the stubs of a lab starts so: by it a later run finds what a killed one left.
pub fn alias_prefix(lab: &str) -> String {
    format!("contrail-lab/{lab}/")
}

/// The handles and the namespace that a connection needs.
pub struct Ends<'a> {
    /// In the namespace where the host ends are.
    pub host: &'a Handle,
    /// In the lab's namespace.
    pub lab: &'a Handle,
    /// The lab's namespace.
    pub namespace: RawFd,
}

impl Ends<'_> {
    /// Makes the pair for a port and connects it to the host end.
    ///
    /// # Errors
    /// [`contrail_core::Error::System`]; nothing is left then.
    pub async fn connect(&self, lab: &str, port: Uuid, host: &Link) -> Result<Wire> {
        let names = Names::of(lab, port);
        if let Some(stale) = netlink::link(self.host, &names.stub).await? {
            netlink::delete_link(self.host, stale.index, &names.stub).await?;
        }
        self.create_pair(&names, host.mtu).await?;
        let made = self.connect_pair(names.clone(), lab, port, host).await;
        if made.is_err()
            && let Some(stub) = netlink::link(self.host, &names.stub).await?
        {
            netlink::delete_link(self.host, stub.index, &names.stub).await?;
        }
        made
    }

    async fn create_pair(&self, names: &Names, mtu: u32) -> Result<()> {
        let stub = LinkMessageBuilder::<LinkUnspec>::new()
            .name(&names.stub)
            .mtu(mtu)
            .build();
        let pair = LinkVeth::new(&names.twin, &names.stub)
            .setns_by_fd(self.namespace)
            .address(ROUTER_MAC.to_vec())
            .mtu(mtu)
            .set_info_data(InfoData::Veth(InfoVeth::Peer(stub)))
            .build();
        self.host
            .link()
            .add(pair)
            .execute()
            .await
            .map_err(|e| error(format!("create veth {}", names.stub), e))
    }

    async fn connect_pair(&self, names: Names, lab: &str, port: Uuid, host: &Link) -> Result<Wire> {
        let missing = |name: &str| {
            contrail_core::Error::system(
                format!("find {name}, just made"),
                std::io::ErrorKind::NotFound.into(),
            )
        };
        let stub = netlink::link(self.host, &names.stub)
            .await?
            .ok_or_else(|| missing(&names.stub))?;
        let twin = netlink::link(self.lab, &names.twin)
            .await?
            .ok_or_else(|| missing(&names.twin))?;
        let alias = format!("{}{port}", alias_prefix(lab));
        self.silence(&stub, Some(alias)).await?;
        self.silence(host, None).await?;
        netlink::answer_at_once(self.lab, twin.index, &names.twin).await?;
        netlink::set_up(self.lab, twin.index, &names.twin).await?;
        netlink::set_up(self.host, stub.index, &names.stub).await?;
        redirect(self.host, host, stub.index).await?;
        redirect(self.host, &stub, host.index).await?;
        Ok(Wire {
            names,
            host: host.index,
            stub: stub.index,
            twin: twin.index,
        })
    }

    /// Keeps the host's own IPv6 chatter (router solicitations, group reports) out of a link.
    async fn silence(&self, link: &Link, alias: Option<String>) -> Result<()> {
        let quiet = AfSpecUnspec::Inet6(vec![AfSpecInet6::AddrGenMode(In6AddrGenMode::None)]);
        let mut message = LinkUnspec::new_with_index(link.index);
        if namespace::has_ipv6() {
            message = message.append_extra_attribute(LinkAttribute::AfSpecUnspec(vec![quiet]));
        }
        if let Some(alias) = alias {
            message = message.alias(alias);
        }
        self.host
            .link()
            .set(message.build())
            .execute()
            .await
            .map_err(|e| error(format!("silence {}", link.name), e))
    }

    /// Connects an existing pair to a host end that was made again under the same name.
    ///
    /// # Errors
    /// [`contrail_core::Error::System`].
    pub async fn reconnect(&self, wire: &mut Wire, host: &Link) -> Result<()> {
        self.silence(host, None).await?;
        redirect(self.host, host, wire.stub).await?;
        let stub = Link {
            index: wire.stub,
            name: wire.names.stub.clone(),
            ..host.clone()
        };
        redirect(self.host, &stub, host.index).await?;
        wire.host = host.index;
        Ok(())
    }
}

/// The group of twins that go together. Groups belong to a namespace, and this one is the lab's own.
const LEAVING: u32 = 1;

/// Takes connections away: the redirections on the host ends and the pairs. The kernel waits for
/// its readers whenever it removes links: all pairs are removed in one go.
///
/// # Errors
/// [`contrail_core::Error::System`], the first one; everything is tried.
pub async fn disconnect(host: &Handle, lab: &Handle, wires: &[Wire]) -> Result<()> {
    let mut result = Ok(());
    for wire in wires {
        result = result.and(release_host_end(host, wire).await);
        let leaves = LinkUnspec::new_with_index(wire.twin)
            .link_group(LEAVING)
            .build();
        let set = lab.link().set(leaves).execute().await;
        let set = set.map_err(|e| error(format!("mark {} as leaving", wire.names.twin), e));
        result = result.and(gone_is_fine(set));
    }
    if wires.is_empty() {
        return result;
    }
    let all = LinkMessageBuilder::<LinkUnspec>::new()
        .link_group(LEAVING)
        .build();
    let deleted = lab.link().del_with_message(all).execute().await;
    result.and(gone_is_fine(
        deleted.map_err(|e| error("delete the leaving links", e)),
    ))
}

/// Takes the redirection off the host end, if it is still ours: a host end that somebody else
/// redirects by now is left alone.
///
/// # Errors
/// [`contrail_core::Error::System`].
async fn release_host_end(host: &Handle, wire: &Wire) -> Result<()> {
    if redirect_target(host, wire.host).await == Some(wire.stub) {
        delete_ingress(host, wire.host).await?;
    }
    Ok(())
}

/// Removes what a killed lab of this name left: its namespace, its stubs and the redirections to
/// them. Returns whether there was anything.
///
/// # Errors
/// [`contrail_core::Error::System`] or [`contrail_core::Error::File`].
pub async fn remove_leftovers(host: &Handle, lab: &str) -> Result<bool> {
    let prefix = alias_prefix(lab);
    let stubs: Vec<Link> = netlink::links(host)
        .await?
        .into_iter()
        .filter(|link| link.alias.starts_with(&prefix))
        .collect();
    for stub in &stubs {
        // The stub knows its host end: its own redirection points there.
        if let Some(end) = redirect_target(host, stub.index).await
            && redirect_target(host, end).await == Some(stub.index)
        {
            delete_ingress(host, end).await?;
        }
    }
    // With the namespace its twins go, and with them the stubs, but some time later: a new lab of
    // this name must not meet them.
    let named = namespace::remove(lab)?;
    for stub in &stubs {
        netlink::delete_link(host, stub.index, &stub.name).await?;
    }
    Ok(named || !stubs.is_empty())
}

/// Sends everything that enters by `from` out of the link `to`.
async fn redirect(handle: &Handle, from: &Link, to: u32) -> Result<()> {
    let index = from.index as i32;
    let operation = || format!("redirect {}", from.name);
    let add = || async {
        handle
            .qdisc()
            .add(index)
            .ingress()
            .execute()
            .await
            .map_err(|e| error(operation(), e))
    };
    if let Err(e) = add().await {
        if errno(&e) != Some(EEXIST) {
            return Err(e);
        }
        // Of an earlier connection: its filter must go, and goes with it.
        delete_ingress(handle, from.index).await?;
        add().await?;
    }
    handle
        .traffic_filter(index)
        .add()
        .parent(0xffff_0000)
        .priority(1) // before `protocol`: it overwrites it
        .protocol(ALL_PROTOCOLS)
        .redirect(to)
        .map_err(|e| error(operation(), e))?
        .execute()
        .await
        .map_err(|e| error(operation(), e))
}

async fn delete_ingress(handle: &Handle, index: u32) -> Result<()> {
    let mut message = TcMessage::with_index(index as i32);
    message.header.parent = TcHandle::INGRESS;
    message.header.handle = TcHandle::from(0xffff_0000);
    let mut request = handle.qdisc().del(index as i32);
    *request.message_mut() = message;
    let result = request
        .execute()
        .await
        .map_err(|e| error(format!("delete the ingress qdisc of link {index}"), e));
    match gone_is_fine(result) {
        // The kernel's word for "has no such qdisc".
        Err(e) if errno(&e) == Some(EINVAL) => Ok(()),
        other => other,
    }
}

/// Where the first redirection on a link's ingress leads; `None` without one.
async fn redirect_target(handle: &Handle, index: u32) -> Option<u32> {
    let mut filters = handle.traffic_filter(index as i32);
    let mut stream = std::pin::pin!(filters.get().ingress().execute());
    while let Ok(Some(filter)) = stream.try_next().await {
        let options = filter.attributes.iter().find_map(|a| match a {
            TcAttribute::Options(options) => Some(options),
            _ => None,
        });
        let actions = options
            .into_iter()
            .flatten()
            .find_map(|option| match option {
                TcOption::U32(TcFilterU32Option::Action(actions)) => Some(actions),
                _ => None,
            });
        let target = actions
            .into_iter()
            .flatten()
            .flat_map(|action| &action.attributes)
            .filter_map(|attribute| match attribute {
                TcActionAttribute::Options(options) => Some(options),
                _ => None,
            })
            .flatten()
            .find_map(|option| match option {
                TcActionOption::Mirror(TcActionMirrorOption::Parms(mirror)) => Some(mirror.ifindex),
                _ => None,
            });
        if target.is_some() {
            return target;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_the_kernel_and_differ_by_lab_and_port() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let names = Names::of("lab", a);
        assert!(names.twin.len() <= 15 && names.stub.len() <= 15);
        assert_eq!(names, Names::of("lab", a));
        assert_ne!(names, Names::of("lab2", a));
        assert_ne!(names, Names::of("lab", b));
    }
}
