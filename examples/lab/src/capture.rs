//! Packets as the interfaces of a network namespace see them, with their TTL.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};

use contrail_core::kernel::{Error, Netns, Result};
use nix::errno::Errno;
use nix::libc;
use nix::net::if_::if_nameindex;
use nix::sys::socket::{
    AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, recvfrom, socket,
};

/// What is read of a packet: the longest header of those that are understood.
const HEADER: usize = 40;

/// An IP packet at an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The name of the interface.
    pub interface: String,
    /// Whether it left by the interface; otherwise it came in.
    pub sent: bool,
    /// Its source.
    pub source: IpAddr,
    /// Its destination.
    pub destination: IpAddr,
    /// What is left of its time to live (IPv6: hop limit).
    pub ttl: u8,
    /// The number of its protocol: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6.
    pub protocol: u8,
}

/// Collects the packets of all interfaces of a network namespace, from the moment it is made. The kernel
/// keeps some hundred that were not fetched.
pub struct Capture {
    socket: OwnedFd,
    interfaces: BTreeMap<usize, String>,
}

impl Capture {
    /// Starts to collect.
    ///
    /// # Errors
    /// When the namespace cannot be entered or does not allow packet sockets.
    pub fn start(netns: &Netns) -> Result<Self> {
        let failed = |errno: Errno| {
            let what = format!("capture packets in {}", netns.path().display());
            Error::kernel(what, errno.into())
        };
        netns.run(|| {
            let interfaces = if_nameindex().map_err(failed)?;
            let interfaces = interfaces.iter().map(|interface| {
                let name = interface.name().to_string_lossy().into_owned();
                (interface.index() as usize, name)
            });
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            let (family, kind) = (AddressFamily::Packet, SockType::Datagram);
            // Of one protocol it would be only what comes in.
            let socket = socket(family, kind, flags, SockProtocol::EthAll).map_err(failed)?;
            Ok(Self {
                socket,
                interfaces: interfaces.collect(),
            })
        })?
    }

    /// The IP packets since the last call, in their order. Those of interfaces that came later are left
    /// out.
    ///
    /// # Errors
    /// When the kernel does not give them.
    pub fn packets(&self) -> Result<Vec<Packet>> {
        let mut packets = Vec::new();
        let mut buffer = [0; HEADER];
        loop {
            match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut buffer) {
                Ok((length, Some(at))) => packets.extend(self.packet(&buffer[..length], &at)),
                Ok((_, None)) | Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(packets),
                Err(errno) => return Err(Error::kernel("read captured packets", errno.into())),
            }
        }
    }

    fn packet(&self, bytes: &[u8], at: &LinkAddr) -> Option<Packet> {
        let header = header(bytes)?;
        Some(Packet {
            interface: self.interfaces.get(&at.ifindex())?.clone(),
            sent: at.pkttype() == libc::PACKET_OUTGOING,
            source: header.source,
            destination: header.destination,
            ttl: header.ttl,
            protocol: header.protocol,
        })
    }
}

struct Header {
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    protocol: u8,
}

/// The fields of RFC 791 and RFC 8200; `None` for other packets and incomplete ones.
fn header(bytes: &[u8]) -> Option<Header> {
    match bytes.first()? >> 4 {
        4 => {
            let address = |at| Some(Ipv4Addr::from(*bytes.get(at..)?.first_chunk::<4>()?).into());
            Some(Header {
                source: address(12)?,
                destination: address(16)?,
                ttl: bytes[8],
                protocol: bytes[9],
            })
        }
        6 => {
            let address = |at| Some(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?).into());
            Some(Header {
                source: address(8)?,
                destination: address(24)?,
                ttl: bytes[7],
                protocol: bytes[6],
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ping::ping;
    use crate::sandbox::{self, TestNetns};

    #[test]
    fn a_ping_is_seen_leaving_and_coming_in() {
        sandbox::test(|| {
            let netns = TestNetns::new("seen").unwrap();
            let up = netns.output("ip", &["link", "set", "lo", "up"]).unwrap();
            assert!(up.status.success(), "{up:?}");
            let capture = Capture::start(netns.netns()).unwrap();
            for (address, protocol) in [("127.0.0.1", 1), ("::1", 58)] {
                let address: IpAddr = address.parse().unwrap();
                let replies = ping(netns.netns(), address, 1, Duration::from_secs(5)).unwrap();
                assert!(replies[0].is_some(), "{address}");
                let packets = capture.packets().unwrap();
                let pings = packets.iter().filter(|packet| packet.protocol == protocol);
                let seen: Vec<_> = pings.map(|p| (&*p.interface, p.sent, p.ttl)).collect();
                // The request and the reply, each at both ends of the loop.
                let once = [("lo", true, 64), ("lo", false, 64)];
                assert_eq!(seen, [once, once].concat(), "{address}");
                assert!(packets.iter().all(|packet| packet.source == address));
            }
        });
    }

    #[test]
    fn what_is_no_whole_ip_header_is_no_packet() {
        for bytes in [&[][..], &[0x45; 19], &[0x60; 39], &[0x10; 40]] {
            assert!(header(bytes).is_none(), "{bytes:?}");
        }
    }
}
