//! The message that creates a veth pair, as a value.

use std::os::fd::{AsRawFd, BorrowedFd};

use rtnetlink::packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoVeth, LinkAttribute, LinkMessage,
};
use rtnetlink::{LinkMessageBuilder, LinkUnspec, LinkVeth};

use super::link::VethSpec;

/// One message that creates the whole pair, with the container's end created in `netns`: moving it there
/// afterwards would take thirty times as long and hold a global lock of the kernel.
pub(super) fn create(spec: &VethSpec, netns: Option<BorrowedFd<'_>>) -> LinkMessage {
    let mut peer = LinkMessageBuilder::<LinkUnspec>::new()
        .name(&spec.container)
        .address(spec.mac.0.to_vec());
    // Only the file descriptor: gVisor ignores a process id here.
    if let Some(netns) = netns {
        peer = peer.setns_by_fd(netns.as_raw_fd());
    }
    let mut host = LinkVeth::new(&spec.host, &spec.container).up();
    if let Some(mtu) = spec.mtu {
        peer = peer.mtu(mtu);
        host = host.mtu(mtu);
    }
    host.set_info_data(InfoData::Veth(InfoVeth::Peer(peer.build())))
        .build()
}

/// The message that completes the host's end: its alias and, on a host with IPv6, that the kernel
/// gives it no address of its own. In the message that creates the pair, the kernel ignores the
/// former and refuses the latter.
pub(super) fn complete(spec: &VethSpec, has_ipv6: bool) -> LinkMessage {
    let mut host = LinkMessageBuilder::<LinkUnspec>::new()
        .name(&spec.host)
        .alias(&spec.alias);
    if has_ipv6 {
        let inet6 = AfSpecUnspec::Inet6(vec![AfSpecInet6::AddrGenMode(In6AddrGenMode::None)]);
        host = host.append_extra_attribute(LinkAttribute::AfSpecUnspec(vec![inet6]));
    }
    host.build()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use rtnetlink::packet_route::link::{InfoKind, LinkFlags, LinkInfo};

    use super::*;
    use crate::values::MacAddr;

    fn spec(mtu: Option<u32>) -> VethSpec {
        VethSpec {
            host: "tapd2addb42-43".into(),
            container: "eth0".into(),
            mac: MacAddr([2, 0, 0, 0, 0, 1]),
            mtu,
            alias: "d2addb42-4371-5012-bee6-417003b71696".into(),
        }
    }

    fn peer(link: &LinkMessage) -> &LinkMessage {
        let infos = link
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                LinkAttribute::LinkInfo(infos) => Some(infos),
                _ => None,
            })
            .unwrap();
        assert!(infos.contains(&LinkInfo::Kind(InfoKind::Veth)));
        infos
            .iter()
            .find_map(|info| match info {
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))) => Some(peer),
                _ => None,
            })
            .unwrap()
    }

    #[test]
    fn one_message_names_both_ends_and_sets_only_the_hosts_end_up() {
        let netns = File::open("/proc/self/ns/net").unwrap();
        let link = create(&spec(Some(1400)), Some(netns.as_fd()));
        assert!(link.header.flags.contains(LinkFlags::Up));
        for attribute in [
            LinkAttribute::IfName("tapd2addb42-43".into()),
            LinkAttribute::Mtu(1400),
        ] {
            assert!(link.attributes.contains(&attribute), "{attribute:?}");
        }
        assert!(!peer(&link).header.flags.contains(LinkFlags::Up));
        assert_eq!(
            peer(&link).attributes,
            [
                LinkAttribute::IfName("eth0".into()),
                LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1]),
                LinkAttribute::NetNsFd(netns.as_raw_fd()),
                LinkAttribute::Mtu(1400),
            ]
        );
    }

    #[test]
    fn a_host_without_ipv6_is_not_asked_for_a_mode_of_it() {
        let alias = LinkAttribute::IfAlias("d2addb42-4371-5012-bee6-417003b71696".into());
        let name = LinkAttribute::IfName("tapd2addb42-43".into());
        let attributes = complete(&spec(None), true).attributes;
        assert!(matches!(attributes[2], LinkAttribute::AfSpecUnspec(_)));
        assert_eq!(complete(&spec(None), false).attributes, [name, alias]);
    }

    #[test]
    fn without_a_namespace_and_an_mtu_the_kernel_decides() {
        let link = create(&spec(None), None);
        assert_eq!(
            peer(&link).attributes,
            [
                LinkAttribute::IfName("eth0".into()),
                LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1]),
            ]
        );
    }
}
