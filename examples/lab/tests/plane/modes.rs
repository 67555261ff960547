//! Service instances that are no plain routers: wires, and routers that translate addresses.

use contrail_lab::dataplane::trace::End;
use contrail_lab::sandbox;

use crate::scene::{Scene, ping_to};
use crate::talk::{connect, echoes, serve};

#[test]
fn a_wire_costs_no_hop_wherever_it_stands_in_a_chain() {
    sandbox::test(|| {
        let scene = Scene::new();
        let wire = scene.wire("wire", 10);
        let _other = scene.wire("other", 11);
        let _router = scene.service("router", 12);
        for (chain, ttl) in [
            (&["wire"][..], 63),
            (&["wire", "router"], 62),
            (&["router", "wire"], 62),
            (&["wire", "other"], 63),
            (&["wire", "router", "other"], 62),
        ] {
            scene.rules(&[scene.rule(chain)]);
            let before = wire.packets();
            assert_eq!(scene.ttls(), [Some(ttl); 4], "{chain:?}");
            assert!(wire.packets() - before >= 16, "{chain:?}");
            let target = scene.alp2.address(0).to_string();
            let trace = scene.trace(&scene.alp1, &ping_to(&target));
            assert_eq!(trace.end, End::Delivered, "{chain:?}");
            assert_eq!(trace.hops.last().map(|hop| hop.ttl), Some(ttl));
        }
        // Without the bridge there is no way past it.
        scene.rules(&[scene.rule(&["wire"])]);
        wire.left.run("ip", &["link", "set", "br0", "down"]);
        assert!(scene.is_closed());
        scene.stop();
    });
}

#[test]
fn a_wire_that_becomes_a_router_gets_the_routers_address_back() {
    sandbox::test(|| {
        let scene = Scene::new();
        let _wire = scene.wire("wire", 10);
        let _router = scene.service("router", 12);
        for _ in 0..2 {
            scene.rules(&[scene.rule(&["wire"])]);
            assert_eq!(scene.ttls(), [Some(63); 4]);
            scene.rules(&[scene.rule(&["router"])]);
            assert_eq!(scene.ttls(), [Some(62); 4]);
        }
        scene.stop();
    });
}

#[test]
fn answers_to_one_that_translates_addresses_come_back_to_it() {
    sandbox::test(|| {
        let scene = Scene::new();
        let nat = scene.nat("nat", 10);
        scene.rules(&[scene.rule(&["nat"])]);
        let (alp1, alp2) = (&scene.alp1, &scene.alp2);
        // The answers do not need the gateway: to alp2 the neighbour has asked.
        assert_eq!(alp1.ping(alp2.address(0)), Some(63));
        serve(alp2, alp2.address(0), 80);
        let mut open = connect(alp1, alp2.address(0), 80).unwrap();
        assert!(echoes(&mut open));
        let connections = alp2.run("ss", &["-Htn", "state", "established"]);
        assert!(
            connections.contains(&nat.right.address(0).to_string()),
            "{connections}"
        );
        assert!(!connections.contains(&alp1.address(0).to_string()));
        // Nobody calls the hidden side.
        assert!(alp2.cannot_reach(alp1.address(0)));
        scene.stop();
    });
}
