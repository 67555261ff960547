//! Chains beside each other, and chains that change while packets flow.

use contrail_lab::capture::{Capture, Packet};
use contrail_lab::sandbox;

use crate::scene::{Scene, Service};
use crate::talk::{asks, connect, connects, echoes, serve};
use crate::world::Container;

/// The numbers of protocols.
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Runs something; whether it worked, and which of the services passed packets of the protocol between
/// the ends of the scene meanwhile.
fn through(
    scene: &Scene,
    services: &[Service],
    protocol: u8,
    action: impl FnOnce() -> bool,
) -> (bool, Vec<usize>) {
    let netns = |service: &Service| Capture::start(service.left.netns.netns()).unwrap();
    let captures: Vec<Capture> = services.iter().map(netns).collect();
    let worked = action();
    let ends = [&scene.alp1, &scene.alp2].map(|end| [end.address(0), end.address(1)]);
    let is_meant = |packet: &Packet| {
        let between = |from: usize, to: usize| {
            ends[from].contains(&packet.source) && ends[to].contains(&packet.destination)
        };
        packet.protocol == protocol && (between(0, 1) || between(1, 0))
    };
    let packets = captures.iter().map(|capture| capture.packets().unwrap());
    let used = packets
        .enumerate()
        .filter(|(_, packets)| packets.iter().any(is_meant));
    (worked, used.map(|(index, _)| index).collect())
}

#[test]
fn two_chains_on_different_ports_share_no_packet() {
    sandbox::test(|| {
        let scene = Scene::new();
        let services = [("si1", 10), ("si2", 11)].map(|(name, host)| scene.service(name, host));
        scene.rules(&[
            scene.port_rule("tcp", 80, &["si1"]),
            scene.port_rule("udp", 53, &["si2"]),
            scene.port_rule("udp", 54, &["si2", "si1"]),
        ]);
        let (alp1, alp2) = (&scene.alp1, &scene.alp2);
        for family in [0, 1] {
            let target = alp2.address(family);
            serve(alp2, target, 80);
            let web = through(&scene, &services, TCP, || connects(alp1, target, 80));
            assert_eq!(web, (true, vec![0]), "{family}");
            let dns = through(&scene, &services, UDP, || asks(alp1, alp2, family, 53).1);
            assert_eq!(dns, (true, vec![1]), "{family}");
            let both = through(&scene, &services, UDP, || asks(alp1, alp2, family, 54).1);
            assert_eq!(both, (true, vec![0, 1]), "{family}");
            let other = through(&scene, &services, UDP, || asks(alp1, alp2, family, 55).1);
            assert_eq!(other, (false, vec![]), "{family}");
            assert!(alp1.cannot_reach(target));
        }
        scene.stop();
    });
}

#[test]
fn networks_with_the_same_addresses_have_chains_of_their_own() {
    sandbox::test(|| {
        let red = Scene::new();
        let blue = red.same_addresses("b");
        let services = [red.service("si", 10), blue.service("si", 10)];
        let reaches = |scene: &Scene| scene.alp1.ping(scene.alp2.address(0)).is_some();
        red.rules(&[red.rule(&["si"])]);
        assert_eq!(
            through(&red, &services, ICMP, || reaches(&red)),
            (true, vec![0])
        );
        assert!(blue.is_closed());
        blue.rules(&[blue.rule(&["si"])]);
        assert_eq!(
            through(&blue, &services, ICMP, || reaches(&blue)),
            (true, vec![1])
        );
        assert_eq!((red.ttls(), blue.ttls()), ([Some(62); 4], [Some(62); 4]));
        red.rules(&[]);
        assert!(red.is_closed());
        assert_eq!(blue.ttls(), [Some(62); 4]);
        drop(blue);
        red.stop();
    });
}

#[test]
fn an_open_connection_follows_an_edited_chain_and_never_goes_past_it() {
    sandbox::test(|| {
        let scene = Scene::new();
        let services = [("si1", 10), ("si2", 11)].map(|(name, host)| scene.service(name, host));
        let target = scene.alp2.address(0);
        serve(&scene.alp2, target, 80);
        scene.rules(&[scene.rule(&["si1"])]);
        let mut stream = connect(&scene.alp1, target, 80).unwrap();
        let mut talk = || through(&scene, &services, TCP, || echoes(&mut stream));
        assert_eq!(talk(), (true, vec![0]));
        scene.rules(&[scene.rule(&["si2"])]);
        assert_eq!(talk(), (true, vec![1]));
        scene.rules(&[scene.rule(&["si1", "si2"])]);
        assert_eq!(talk(), (true, vec![0, 1]));
        // Without one of the two nothing passes, by neither of them.
        scene.world().unsubscribe(&services[1].left);
        scene.world().notifier().settle();
        assert_eq!(talk(), (false, vec![]));
        scene.stop();
    });
}

#[test]
fn a_chain_opens_whatever_comes_last() {
    sandbox::test(|| {
        let scene = Scene::new();
        let services = [("si1", 10), ("si2", 11)].map(|(name, host)| scene.service(name, host));
        let legs = services
            .each_ref()
            .map(|service| [&service.left, &service.right]);
        let legs: Vec<&Container> = legs.into_iter().flatten().collect();
        let rule = scene.rule(&["si1", "si2"]);
        // Each leg, and the policy, is once the last one.
        for last in 0..=legs.len() {
            let (world, order) = (scene.world(), (1..=legs.len()).map(|n| (last + n) % 5));
            legs.iter().for_each(|leg| world.unsubscribe(leg));
            scene.rules(&[]);
            for place in order.chain([last]) {
                if place == last {
                    assert!(scene.is_closed(), "{last}");
                }
                match legs.get(place) {
                    Some(leg) => world.subscribe(leg),
                    None => scene.rules(std::slice::from_ref(&rule)),
                }
                world.notifier().settle();
            }
            assert_eq!(scene.ttls(), [Some(61); 4], "{last}");
        }
        scene.stop();
    });
}
