//! The path of a ping's packets through the services, as captured on each leg.

use std::net::IpAddr;

use contrail_lab::capture::{Capture, Packet};
use contrail_lab::ping::Reply;

use crate::failure::{Failure, expect};
use crate::member::{Member, PINGS};
use crate::report::step;

/// The TTL with which both ends send.
const FIRST_TTL: u8 = 64;

/// What was measured.
pub struct Path<'a> {
    /// Who asked.
    pub from: &'a Member,
    /// The services in the order in which the requests passed them.
    pub services: Vec<Service<'a>>,
    /// Who answered.
    pub to: &'a Member,
    /// The TTL of the requests when they arrived, and of the replies.
    pub ttl: u8,
    /// The median of the round-trip times in microseconds.
    pub round_trip: u128,
}

/// A service with what its two legs saw: the one towards who asked first.
pub struct Service<'a> {
    /// The service.
    pub member: &'a Member,
    /// Its legs.
    pub legs: [Seen; 2],
}

/// What a leg saw of the requests and of the replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The packets on the way there.
    pub requests: Crossing,
    /// The packets on the way back.
    pub replies: Crossing,
}

/// Packets that crossed a leg in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// How many came in by it.
    pub received: usize,
    /// How many left by it.
    pub sent: usize,
    /// The TTL of the last one.
    pub ttl: u8,
}

/// Pings through the services, and checks that each leg saw every request and every reply once, in
/// this order of the services.
pub fn measure<'a>(
    [from, to]: [&'a Member; 2],
    services: [&'a Member; 2],
    networks: [&str; 2],
) -> Result<Path<'a>, Failure> {
    let (asking, asked) = (from.on(networks[0])?, to.on(networks[1])?);
    let captures: Vec<Capture> = services
        .iter()
        .map(|service| Ok(Capture::start(&service.netns)?))
        .collect::<Result<_, Failure>>()?;
    let names = services.map(|service| service.name).join(" and ");
    let replies = from.reaches_through(&format!("through {names}"), asked)?;
    let title = format!("the packets on the legs of {names}");
    step(&title, || {
        let mut passed = Vec::new();
        for (member, capture) in services.into_iter().zip(&captures) {
            let packets = capture.packets()?;
            let leg = |network| seen(member, &packets, network, [asking, asked]);
            passed.push(Service {
                member,
                legs: [leg(networks[0])?, leg(networks[1])?],
            });
        }
        let found = passed.iter().map(|service| service.legs).collect();
        expect("packets on the legs", found, promised(services.len()))?;
        let times = median(&replies);
        let line = format!("{PINGS} each way on each of the four legs, round trip {times} µs");
        let path = Path {
            from,
            services: passed,
            to,
            ttl: replies.first().map_or(0, |reply| reply.ttl),
            round_trip: times,
        };
        Ok((path, vec![line]))
    })
}

/// What one leg of a service saw.
fn seen(
    service: &Member,
    packets: &[Packet],
    network: &str,
    [asking, asked]: [IpAddr; 2],
) -> Result<Seen, Failure> {
    let mut legs = service.legs.iter();
    let leg = legs.find(|leg| leg.network == network);
    let leg = leg.ok_or_else(|| Failure::missing(service.name, "leg", network))?;
    let crossing = |source, destination| {
        let ends = (source, destination);
        let here = packets
            .iter()
            .filter(|p| p.interface == leg.interface && (p.source, p.destination) == ends);
        let sent = here.clone().filter(|packet| packet.sent).count();
        Crossing {
            received: here.clone().count() - sent,
            sent,
            ttl: here.clone().next_back().map_or(0, |packet| packet.ttl),
        }
    };
    Ok(Seen {
        requests: crossing(asking, asked),
        replies: crossing(asked, asking),
    })
}

/// What the legs see when all is well: the vRouter takes one off the TTL, and so does each service.
fn promised(services: usize) -> Vec<[Seen; 2]> {
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
    fn each_hop_takes_one_off_the_ttl_in_both_directions() {
        let legs = promised(2);
        let ttls = |of: fn(&Seen) -> u8| -> Vec<u8> { legs.iter().flatten().map(of).collect() };
        assert_eq!(ttls(|seen| seen.requests.ttl), [63, 62, 62, 61]);
        assert_eq!(ttls(|seen| seen.replies.ttl), [61, 62, 62, 63]);
    }
}
