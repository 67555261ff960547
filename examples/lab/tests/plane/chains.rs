//! What policies open between networks, and the service instances that packets pass through.

use contrail_lab::sandbox;
use contrail_lab::view::PolicyRule;

use crate::scene::{Scene, Service};
use crate::talk::{connects, serve};
use crate::world::wait_for;

#[test]
fn a_policy_opens_two_networks_to_each_other_and_its_end_closes_them() {
    sandbox::test(|| {
        let scene = Scene::new();
        assert!(scene.is_closed());
        scene.rules(&[scene.rule(&[])]);
        assert_eq!(scene.ttls(), [Some(63); 4]);
        scene.rules(&[]);
        assert!(scene.is_closed());
        scene.stop();
    });
}

#[test]
fn a_policy_on_one_side_only_opens_nothing() {
    sandbox::test(|| {
        let scene = Scene::new();
        scene.rules_on_one_side(&[scene.rule(&[])]);
        scene.world().notifier().settle();
        assert!(scene.is_closed());
        scene.stop();
    });
}

#[test]
fn each_service_instance_costs_one_hop_in_both_directions() {
    sandbox::test(|| {
        let scene = Scene::new();
        let names = ["si1", "si2", "si3", "si4"];
        let services: Vec<Service> = (10..)
            .zip(names)
            .map(|(host, name)| scene.service(name, host))
            .collect();
        for length in 1..=4 {
            scene.rules(&[scene.rule(&names[..length])]);
            // Exactly the packets of four pings, there and back, on each leg of the chain.
            let before: Vec<u64> = services.iter().map(Service::packets).collect();
            assert_eq!(scene.ttls(), [Some(63 - length as u8); 4], "{length}");
            let after: Vec<u64> = services.iter().map(Service::packets).collect();
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                assert_eq!(index < length, after - before >= 16, "{index} of {length}");
            }
        }
        scene.stop();
    });
}

#[test]
fn a_chain_opens_when_its_last_leg_comes_and_closes_when_one_goes() {
    sandbox::test(|| {
        let scene = Scene::new();
        scene.rules(&[scene.rule(&["si1", "si2"])]);
        assert!(scene.is_closed());
        let first = scene.service("si1", 10);
        assert!(scene.is_closed());
        let second = scene.service("si2", 11);
        scene.world().notifier().settle();
        assert_eq!(scene.ttls(), [Some(61); 4]);

        for leg in [&first.left, &second.left, &first.right, &second.right] {
            scene.world().unsubscribe(leg);
            scene.world().notifier().settle();
            // Not past the other one, either.
            assert!(scene.is_closed());
            scene.world().subscribe(leg);
            scene.world().notifier().settle();
            assert_eq!(scene.ttls(), [Some(61); 4]);
        }
        scene.stop();
    });
}

#[test]
fn a_link_that_goes_down_closes_the_chain_at_once() {
    sandbox::test(|| {
        let scene = Scene::new();
        let first = scene.service("si1", 10);
        let _second = scene.service("si2", 11);
        scene.rules(&[scene.rule(&["si1", "si2"])]);
        assert_eq!(scene.ttls(), [Some(61); 4]);
        first.right.run("ip", &["link", "set", "eth1", "down"]);
        assert!(scene.is_closed());
        first.right.run("ip", &["link", "set", "eth1", "up"]);
        wait_for("the chain is up again", || {
            scene.alp1.first_ping(scene.alp2.address(0)) == Some(61)
        });
        scene.stop();
    });
}

#[test]
fn rules_with_ports_steer_only_their_own_packets() {
    sandbox::test(|| {
        let scene = Scene::new();
        let service = scene.service("si1", 10);
        let target = scene.alp2.address(0);
        for port in [80, 81, 82] {
            serve(&scene.alp2, target, port);
        }
        let web = |port, services: &[&str]| scene.port_rule("tcp", port, services);
        let deny = PolicyRule {
            pass: false,
            ..web(82, &[])
        };
        scene.rules(&[web(80, &["si1"]), deny, scene.rule(&[])]);
        let through = |port: u16| {
            let before = service.packets();
            let connected = connects(&scene.alp1, target, port);
            (connected, service.packets() - before >= 8)
        };
        assert_eq!(through(80), (true, true));
        assert_eq!(through(81), (true, false));
        assert_eq!(through(82), (false, false));
        assert_eq!(scene.alp1.ping(target), Some(63));

        // Without its service instance port 80 is closed, not open.
        scene.world().unsubscribe(&service.right);
        scene.world().notifier().settle();
        assert!(!through(80).0);
        assert!(through(81).0);
        scene.stop();
    });
}

#[test]
fn a_rule_in_one_direction_lets_only_answers_back() {
    sandbox::test(|| {
        let scene = Scene::new();
        scene.rules(&[PolicyRule {
            both_ways: false,
            ..scene.rule(&[])
        }]);
        assert_eq!(scene.alp1.ping(scene.alp2.address(0)), Some(63));
        assert!(scene.alp2.cannot_reach(scene.alp1.address(0)));
        scene.stop();
    });
}

#[test]
fn a_running_flow_follows_a_changed_policy() {
    sandbox::test(|| {
        let scene = Scene::new();
        scene.rules(&[scene.rule(&[])]);
        let (from, to) = (scene.alp1.address(0), scene.alp2.address(0));
        let (sender, receiver) = (scene.alp1.udp(from, 1000), scene.alp2.udp(to, 2000));
        let arrives = || {
            sender.send_to(b"x", (to, 2000)).unwrap();
            receiver.recv_from(&mut [0; 8]).is_ok()
        };
        assert!(arrives());
        let deny = PolicyRule {
            protocol: "udp".into(),
            pass: false,
            ..scene.rule(&[])
        };
        scene.rules(&[deny, scene.rule(&[])]);
        assert!(!arrives());
        scene.rules(&[scene.rule(&[])]);
        assert!(arrives());
        scene.stop();
    });
}

#[test]
fn a_service_instance_itself_is_an_ordinary_member_of_its_networks() {
    sandbox::test(|| {
        let scene = Scene::new();
        let service = scene.service("si1", 10);
        scene.rules(&[scene.rule(&["si1"])]);
        assert_eq!(service.left.ping(scene.alp1.address(0)), Some(64));
        assert_eq!(service.left.ping(scene.alp2.address(0)), Some(64));
        assert_eq!(scene.alp1.ping(service.left.address(0)), Some(64));
        scene.stop();
    });
}
