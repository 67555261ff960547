//! Networks with the same addresses, forged sources, ports without configuration, no filter.

use contrail_lab::sandbox;

use crate::world::World;

const SAME: [&str; 2] = ["10.1.1.0/24", "fd00:1::/64"];

#[test]
fn two_networks_may_use_the_same_addresses() {
    sandbox::test(|| {
        let world = World::new();
        let (red, blue) = (world.network("red", &SAME), world.network("blue", &SAME));
        let red1 = world.attach("red1", red, 3);
        let red2 = world.attach("red2", red, 4);
        let blue1 = world.attach("blue1", blue, 3);
        let blue3 = world.attach("blue3", blue, 5);
        for prefix in [0, 1] {
            assert_eq!(red1.ping(red2.address(prefix)), Some(64));
            assert_eq!(blue1.ping(blue3.address(prefix)), Some(64));
            // .4 is only in red, .5 only in blue.
            assert!(blue1.cannot_reach(red2.address(prefix)));
            assert!(red1.cannot_reach(blue3.address(prefix)));
        }
        for container in [&red1, &blue1] {
            for gateway in ["10.1.1.1", "fd00:1::1"] {
                assert_eq!(container.ping(gateway.parse().unwrap()), Some(64));
            }
        }
        world.stop();
    });
}

#[test]
fn a_gateways_address_may_be_an_instance_of_another_network() {
    sandbox::test(|| {
        let world = World::new();
        let red = world.network("red", &["10.1.1.0/24"]);
        let blue = world.network("blue", &["10.1.0.0/16"]);
        let red1 = world.attach("red1", red, 3);
        let blue1 = world.attach("blue1", blue, 7);
        // 10.1.1.1, red's gateway.
        let blue2 = world.attach("blue2", blue, 257);
        assert_eq!(blue2.address(0), red1.gateway);
        assert_eq!(blue1.ping(blue2.address(0)), Some(64));
        assert_eq!(red1.ping(red1.gateway), Some(64));
        world.stop();
    });
}

#[test]
fn a_forged_source_is_dropped() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &SAME);
        let a = world.attach("a", net1, 3);
        let b = world.attach("b", net1, 4);
        a.run("ip", &["addr", "add", "10.1.1.9/32", "dev", "eth0"]);
        a.run(
            "ip",
            &["addr", "add", "fd00:1::9/128", "dev", "eth0", "nodad"],
        );
        for (prefix, forged) in ["10.1.1.9", "fd00:1::9"].into_iter().enumerate() {
            let receiver = b.udp(b.address(prefix), 5000);
            let honest = a.address(prefix);
            // The first one also resolves the neighbour's address, with an honest source.
            for source in [honest, forged.parse().unwrap(), honest] {
                let target = (b.address(prefix), 5000);
                let message = source.to_string();
                a.udp(source, 0)
                    .send_to(message.as_bytes(), target)
                    .unwrap();
            }
            for _ in 0..2 {
                let mut message = [0; 100];
                let length = receiver.recv(&mut message).unwrap();
                let text = String::from_utf8_lossy(&message[..length]).into_owned();
                assert_eq!(text, honest.to_string());
            }
        }
        world.stop();
    });
}

#[test]
fn a_port_without_configuration_reaches_nothing() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &SAME);
        let a = world.attach("a", net1, 3);
        let stranger = world.container("stranger", net1, 4);
        stranger.plug();
        world.subscribe(&stranger);
        world.notifier().settle();
        assert_eq!(
            world.state(&stranger),
            "inactive vn-null no-ipv4-addr no-ipv6-addr"
        );
        for target in [a.address(0), a.address(1), a.gateway] {
            assert!(stranger.cannot_reach(target));
        }
        world.configure(&stranger, net1);
        world.notifier().settle();
        assert_eq!(stranger.ping(a.address(0)), Some(64));
        world.stop();
    });
}

#[test]
fn without_a_packet_filter_networks_are_still_apart() {
    sandbox::test(|| {
        let world = World::named("lab", Some("/nonexistent/nft".into()));
        let net1 = world.network("net1", &SAME);
        let net2 = world.network("net2", &["10.1.2.0/24", "fd00:2::/64"]);
        let a = world.attach("a", net1, 3);
        let b = world.attach("b", net1, 4);
        let c = world.attach("c", net2, 3);
        for prefix in [0, 1] {
            assert_eq!(a.ping(b.address(prefix)), Some(63));
            assert!(a.cannot_reach(c.address(prefix)));
        }
        assert_eq!(a.ping(a.gateway), Some(64));
        assert!(a.cannot_reach(c.gateway));
        let problems = world.notifier().snapshot().problems;
        assert!(problems[0].starts_with("no packet filter"), "{problems:?}");
        world.stop();
    });
}
