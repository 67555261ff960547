//! Measures a path: captures the packets of a ping on each leg of the services.

use std::net::IpAddr;

use contrail_lab::capture::{Capture, Packet};
use contrail_lab::ping::Reply;

use super::{Crossing, End, Leg, Path, Seen, Service};
use crate::failure::{Failure, expect};
use crate::members::{Interface, Member, PINGS};
use crate::report::step;

/// The TTL of the packets that both ends send.
const FIRST_TTL: u8 = 64;

/// Pings through the services, and checks that each leg saw every request and every reply once, in
/// this order of the services.
pub fn measure(
    [from, to]: [&Member; 2],
    services: [&Member; 2],
    networks: [&str; 2],
) -> Result<Path, Failure> {
    let ends = [from.on(networks[0])?, to.on(networks[1])?];
    let captures: Vec<Capture> = services
        .iter()
        .map(|service| Ok(Capture::start(&service.netns)?))
        .collect::<Result<_, Failure>>()?;
    let names = services.map(|service| service.name).join(" and ");
    let replies = from.reaches_through(&format!("through {names}"), ends[1])?;
    let title = format!("the packets on the legs of {names}");
    step(&title, || {
        let mut passed = Vec::new();
        for (member, capture) in services.into_iter().zip(&captures) {
            let packets = capture.packets()?;
            let leg = |network| leg(member, &packets, network, ends);
            passed.push(Service {
                name: member.name,
                kind: member.kind,
                legs: [leg(networks[0])?, leg(networks[1])?],
            });
        }
        let seen = |service: &Service| service.legs.each_ref().map(|leg| leg.seen);
        let found = passed.iter().map(seen).collect();
        expect("packets on the legs", found, expected(services.len()))?;
        let times = median(&replies);
        let line = format!("{PINGS} each way on each of the four legs, round trip {times} µs");
        let path = Path {
            from: End::new(from, networks[0])?,
            services: passed,
            to: End::new(to, networks[1])?,
            ttl: replies.first().map_or(0, |reply| reply.ttl),
            round_trip: times,
        };
        Ok((path, vec![line]))
    })
}

/// One leg of a service, with what was captured on it.
fn leg(
    service: &Member,
    packets: &[Packet],
    network: &str,
    [from, to]: [IpAddr; 2],
) -> Result<Leg, Failure> {
    let interface = service.interface(network)?;
    Ok(Leg {
        interface: interface.clone(),
        seen: seen(interface, packets, [from, to]),
    })
}

fn seen(interface: &Interface, packets: &[Packet], [from, to]: [IpAddr; 2]) -> Seen {
    let crossing = |source, destination| {
        let ends = (source, destination);
        let here = packets
            .iter()
            .filter(|p| p.interface == interface.name && (p.source, p.destination) == ends);
        let sent = here.clone().filter(|packet| packet.sent).count();
        Crossing {
            received: here.clone().count() - sent,
            sent,
            ttl: here.clone().next_back().map_or(0, |packet| packet.ttl),
        }
    };
    Seen {
        requests: crossing(from, to),
        replies: crossing(to, from),
    }
}

/// The packets on the legs of a chain that works: the vRouter and each service decrement the TTL.
fn expected(services: usize) -> Vec<[Seen; 2]> {
    let all = usize::from(PINGS);
    let received = |ttl| Crossing {
        received: all,
        sent: 0,
        ttl,
    };
    let sent = |ttl| Crossing {
        received: 0,
        sent: all,
        ttl,
    };
    let ttl = |passed: usize| FIRST_TTL - passed as u8;
    (0..services)
        .map(|place| {
            let back = services - 1 - place;
            [
                Seen {
                    requests: received(ttl(1 + place)),
                    replies: sent(ttl(2 + back)),
                },
                Seen {
                    requests: sent(ttl(2 + place)),
                    replies: received(ttl(1 + back)),
                },
            ]
        })
        .collect()
}

fn median(replies: &[Reply]) -> u128 {
    let mut times: Vec<u128> = replies.iter().map(|reply| reply.time.as_micros()).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hop_decrements_the_ttl_in_both_directions() {
        let legs = expected(2);
        let ttls = |of: fn(&Seen) -> u8| -> Vec<u8> { legs.iter().flatten().map(of).collect() };
        assert_eq!(ttls(|seen| seen.requests.ttl), [63, 62, 62, 61]);
        assert_eq!(ttls(|seen| seen.replies.ttl), [61, 62, 62, 63]);
    }
}
