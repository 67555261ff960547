//! What `contrail-lab trace` says, beside what the packets do.

use contrail_lab::capture::{Capture, Packet};
use contrail_lab::dataplane::trace::End;
use contrail_lab::sandbox;
use contrail_lab::trace::TracedHop;

use crate::scene::{Scene, Service, ping_to};
use crate::world::Container;

/// A hop as the packets show it and as the trace tells it: the port's host end, whether the container
/// sends, the TTL.
type Seen = (String, bool, u8);

fn told(hops: &[TracedHop]) -> Vec<Seen> {
    let hop = |hop: &TracedHop| (hop.host_ifname.clone(), hop.sent, hop.ttl);
    hops.iter().map(hop).collect()
}

/// The requests of one ping as each container on the way sees them, in the order of the containers.
fn packets(from: &Container, services: &[&Service], to: &Container, family: usize) -> Vec<Seen> {
    let ends = (from.address(family), to.address(family));
    let captured = |container: &Container| Capture::start(container.netns.netns()).unwrap();
    let mut captures = vec![(captured(from), vec![from])];
    for service in services {
        captures.push((captured(&service.left), vec![&service.left, &service.right]));
    }
    captures.push((captured(to), vec![to]));
    assert!(from.first_ping(ends.1).is_some());
    let mut seen = Vec::new();
    for (capture, legs) in captures {
        let packets = capture.packets().unwrap();
        let on_the_way = |packet: &&Packet| (packet.source, packet.destination) == ends;
        for packet in packets.iter().filter(on_the_way) {
            let mut legs = legs.iter();
            let leg = legs.find(|leg| leg.ifname() == packet.interface).unwrap();
            seen.push((leg.tap(), packet.sent, packet.ttl));
        }
    }
    seen
}

#[test]
fn a_trace_tells_what_the_packets_do() {
    sandbox::test(|| {
        let scene = Scene::new();
        let services = [("si1", 10), ("si2", 11), ("si3", 12)];
        let services = services.map(|(name, host)| scene.service(name, host));
        for length in 0..=services.len() {
            let names = &["si1", "si2", "si3"][..length];
            scene.rules(&[scene.rule(names)]);
            // Neighbours are known then.
            assert_eq!(scene.ttls(), [Some(63 - length as u8); 4]);
            let mut there: Vec<&Service> = services[..length].iter().collect();
            for (from, to) in [(&scene.alp1, &scene.alp2), (&scene.alp2, &scene.alp1)] {
                for family in [0, 1] {
                    let trace = scene.trace(from, &ping_to(&to.address(family).to_string()));
                    assert_eq!(trace.end, End::Delivered);
                    let hops = told(&trace.hops);
                    assert_eq!(hops, packets(from, &there, to, family), "{length} {family}");
                }
                there.reverse();
            }
        }
        scene.stop();
    });
}

#[test]
fn rules_with_ports_have_ways_of_their_own() {
    sandbox::test(|| {
        let scene = Scene::new();
        let _services = [("si1", 10), ("si2", 11)].map(|(name, host)| scene.service(name, host));
        let [web, dns] = [("tcp", 80, "si1"), ("udp", 53, "si2")]
            .map(|(protocol, port, service)| scene.port_rule(protocol, port, &[service]));
        scene.rules(&[web, dns]);
        let through = |protocol: &str, port| {
            let mut question = ping_to(&scene.alp2.address(0).to_string());
            question.protocol = protocol.parse().unwrap();
            question.destination_port = port;
            let trace = scene.trace(&scene.alp1, &question);
            let services = trace.hops.iter().filter_map(|hop| hop.service.clone());
            let mut names: Vec<String> = services.map(|name| name.name().to_owned()).collect();
            names.dedup();
            (names.join(" "), trace.end)
        };
        assert_eq!(through("tcp", 80), ("si1".into(), End::Delivered));
        assert_eq!(through("udp", 53), ("si2".into(), End::Delivered));
        let (services, end) = through("udp", 80);
        assert_eq!(services, "");
        let End::Dropped(reason) = end else {
            panic!("{end:?}");
        };
        assert!(reason.contains("is about such packets"), "{reason}");
        scene.stop();
    });
}

#[test]
fn a_trace_names_the_reason_for_which_a_packet_is_dropped() {
    sandbox::test(|| {
        let scene = Scene::new();
        let target = scene.alp2.address(0).to_string();
        let reason = |destination: &str| scene.reason(destination);
        assert!(reason("10.9.9.9").contains("no network with a port here"));
        assert!(reason("10.1.1.77").contains("no port in"));
        assert!(reason(&target).contains("no policy on both"));
        let deny = contrail_lab::view::PolicyRule {
            pass: false,
            ..scene.rule(&[])
        };
        scene.rules(&[deny]);
        assert!(reason(&target).contains("denies it"));
        scene.rules(&[scene.rule(&["si1"])]);
        assert!(reason(&target).contains("si1 does not exist"));
        let service = scene.service("si1", 10);
        assert_eq!(
            scene.trace(&scene.alp1, &ping_to(&target)).end,
            End::Delivered
        );
        scene.world().unsubscribe(&service.right);
        scene.world().notifier().settle();
        assert!(
            reason(&target).contains("right port"),
            "{}",
            reason(&target)
        );
        let gateway = ping_to(&scene.alp1.gateway.to_string());
        assert_eq!(scene.trace(&scene.alp1, &gateway).end, End::Router);
        scene.alp1.run("ip", &["link", "set", "eth0", "down"]);
        crate::world::wait_for("the port is down", || {
            scene.world().notifier().settle();
            scene.world().state(&scene.alp1) != "active"
        });
        assert!(reason(&target).contains("os-state-down"));
        scene.stop();
    });
}
