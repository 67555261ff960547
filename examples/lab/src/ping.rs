//! ICMP echo, so that the demo and the tests need no `ping` program and can read the TTL.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use contrail_core::kernel::{Error, Netns, Result};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType,
    SockaddrStorage, recvmsg, sendto, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

/// An answer to an echo request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What was left of the packet's time to live (IPv6: hop limit).
    pub ttl: u8,
    /// The round-trip time.
    pub time: Duration,
}

/// Sends one echo request after the other from the network namespace and waits for each answer, at
/// most `patience`. `None` stands for one that stayed unanswered.
///
/// # Errors
/// When the namespace cannot be entered or does not allow raw sockets.
pub fn ping(
    netns: &Netns,
    destination: IpAddr,
    count: u16,
    patience: Duration,
) -> Result<Vec<Option<Reply>>> {
    netns.run(|| {
        let echo = Echo::open(destination)
            .map_err(|e| Error::kernel(format!("open a raw socket to ping {destination}"), e))?;
        (1..=count)
            .map(|sequence| {
                echo.ask(sequence, patience)
                    .map_err(|e| Error::kernel(format!("ping {destination}"), e))
            })
            .collect()
    })?
}

struct Echo {
    socket: OwnedFd,
    destination: IpAddr,
    identifier: u16,
}

impl Echo {
    fn open(destination: IpAddr) -> io::Result<Self> {
        let (family, protocol) = match destination {
            IpAddr::V4(_) => (AddressFamily::Inet, SockProtocol::Icmp),
            IpAddr::V6(_) => (AddressFamily::Inet6, SockProtocol::IcmpV6),
        };
        let socket = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
        if destination.is_ipv6() {
            setsockopt(&socket, sockopt::Ipv6RecvHopLimit, &true)?;
        }
        let identifier = uuid::Uuid::new_v4().as_fields().1;
        Ok(Self {
            socket,
            destination,
            identifier,
        })
    }

    /// `None` also when there is no route: then nothing comes back either.
    fn ask(&self, sequence: u16, patience: Duration) -> io::Result<Option<Reply>> {
        let start = Instant::now();
        let address = SockaddrStorage::from(match self.destination {
            IpAddr::V4(ip) => SocketAddr::V4(SocketAddrV4::new(ip, 0)),
            IpAddr::V6(ip) => SocketAddr::V6(SocketAddrV6::new(ip, 0, 0, 0)),
        });
        let request = request(self.destination, self.identifier, sequence);
        match sendto(
            self.socket.as_raw_fd(),
            &request,
            &address,
            MsgFlags::empty(),
        ) {
            Ok(_) => {}
            Err(nix::Error::ENETUNREACH | nix::Error::EHOSTUNREACH) => return Ok(None),
            Err(e) => return Err(e.into()),
        }
        loop {
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            let left = TimeVal::new(
                left.as_secs() as i64,
                i64::from(left.subsec_micros().max(1)),
            );
            setsockopt(&self.socket, sockopt::ReceiveTimeout, &left)?;
            match self.receive(sequence) {
                Ok(Some(ttl)) => {
                    return Ok(Some(Reply {
                        ttl,
                        time: start.elapsed(),
                    }));
                }
                Ok(None) | Err(nix::Error::EAGAIN | nix::Error::EINTR) => {}
                Err(nix::Error::EHOSTUNREACH | nix::Error::ENETUNREACH) => return Ok(None),
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// The TTL of the next packet if it is the answer.
    fn receive(&self, sequence: u16) -> nix::Result<Option<u8>> {
        let mut buffer = [0; 1500];
        let mut control = nix::cmsg_space!(i32);
        let mut iov = [io::IoSliceMut::new(&mut buffer)];
        let fd = self.socket.as_raw_fd();
        let message =
            recvmsg::<SockaddrStorage>(fd, &mut iov, Some(&mut control), MsgFlags::empty())?;
        let hop_limit = message.cmsgs()?.find_map(|c| match c {
            ControlMessageOwned::Ipv6HopLimit(limit) => u8::try_from(limit).ok(),
            _ => None,
        });
        let length = message.bytes;
        let from = message.address.and_then(|a| source(&a));
        let packet = &buffer[..length];
        let (icmp, ttl) = match self.destination {
            // A raw IPv4 socket sees the IP header, whose first nibbles tell its length.
            IpAddr::V4(_) => {
                let header = usize::from(packet.first().copied().unwrap_or(0) & 0x0f) * 4;
                (
                    packet.get(header..).unwrap_or_default(),
                    packet.get(8).copied(),
                )
            }
            IpAddr::V6(_) => (packet, hop_limit),
        };
        let is_answer = from == Some(self.destination)
            && icmp.first() == Some(&reply_type(self.destination))
            && icmp.get(4..6) == Some(&self.identifier.to_be_bytes())
            && icmp.get(6..8) == Some(&sequence.to_be_bytes());
        Ok(ttl.filter(|_| is_answer))
    }
}

fn source(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
}

fn reply_type(destination: IpAddr) -> u8 {
    match destination {
        IpAddr::V4(_) => 0,
        IpAddr::V6(_) => 129,
    }
}

/// An echo request with 56 bytes of data, as `ping` sends it. The kernel computes the checksum of
/// ICMPv6, which covers addresses that only it knows.
fn request(destination: IpAddr, identifier: u16, sequence: u16) -> Vec<u8> {
    let kind = if destination.is_ipv4() { 8 } else { 128 };
    let mut packet = vec![kind, 0, 0, 0];
    packet.extend(identifier.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend(0..56u8);
    if destination.is_ipv4() {
        let sum = checksum(&packet);
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

/// The checksum of RFC 1071 over an even number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_with_its_checksum_sums_up_to_zero() {
        let packet = request("10.1.1.1".parse().unwrap(), 0x1234, 7);
        assert_eq!(checksum(&packet), 0);
        assert_eq!(&packet[4..8], &[0x12, 0x34, 0, 7]);
    }

    #[test]
    fn loopback_answers_with_its_own_ttl_and_a_missing_route_does_not() {
        crate::sandbox::isolated(
            "ping::tests::loopback_answers_with_its_own_ttl_and_a_missing_route_does_not",
            || {
                let netns = crate::sandbox::TestNetns::new("pinger").unwrap();
                let up = netns.output("ip", &["link", "set", "lo", "up"]).unwrap();
                assert!(up.status.success(), "{up:?}");
                for (address, ttl) in [
                    ("127.0.0.1", Some(64)),
                    ("::1", Some(64)),
                    ("10.9.9.9", None),
                ] {
                    let replies = ping(
                        netns.netns(),
                        address.parse().unwrap(),
                        2,
                        Duration::from_millis(200),
                    );
                    let ttls: Vec<Option<u8>> =
                        replies.unwrap().iter().map(|r| r.map(|r| r.ttl)).collect();
                    assert_eq!(ttls, [ttl, ttl], "{address}");
                }
            },
        );
    }
}
