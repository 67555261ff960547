//! Packets go where the controller has built a way, not where a policy alone asks for one.

use contrail_lab::dataplane::trace::End;
use contrail_lab::sandbox;
use contrail_lab::view::PolicyRule;

use crate::scene::{Scene, ping_to};
use crate::talk::asks;
use crate::world::Built;

#[test]
fn a_chain_that_the_controller_has_not_built_lets_nothing_pass() {
    sandbox::test(|| {
        let scene = Scene::new();
        let _service = scene.service("si1", 10);
        scene.rules(&[scene.rule(&["si1"])]);
        assert_eq!(scene.ttls(), [Some(62); 4]);
        scene.built(Built::Nothing);
        assert!(scene.is_closed());
        let reason = scene.reason(&scene.alp2.address(0).to_string());
        assert!(
            reason.contains("the controller has not built it"),
            "{reason}"
        );
        scene.built(Built::Whole);
        assert_eq!(scene.ttls(), [Some(62); 4]);
        scene.stop();
    });
}

#[test]
fn a_chain_in_one_direction_has_no_way_back() {
    sandbox::test(|| {
        let scene = Scene::new();
        let services = [("si1", 10), ("si2", 11)].map(|(name, host)| scene.service(name, host));
        let one_way = PolicyRule {
            both_ways: false,
            ..scene.rule(&["si1", "si2"])
        };
        scene.rules(&[one_way]);
        is_one_way(&scene, "leads to default-domain:admin:net2, not from there");
        // The requests have passed both.
        assert!(services.iter().all(|service| service.packets() > 0));
        scene.stop();
    });
}

#[test]
fn a_chain_of_which_the_right_network_knows_no_way_back_has_none() {
    sandbox::test(|| {
        let scene = Scene::new();
        let _service = scene.service("si1", 10);
        scene.built(Built::WayThere);
        scene.rules(&[scene.rule(&["si1"])]);
        is_one_way(
            &scene,
            "leads to default-domain:admin:net2, not back from there",
        );
        scene.stop();
    });
}

/// What is sent from alp1 arrives, and nothing comes back.
fn is_one_way(scene: &Scene, why: &str) {
    let (alp1, alp2) = (&scene.alp1, &scene.alp2);
    for family in [0, 1] {
        let target = alp2.address(family);
        assert!(alp1.cannot_reach(target));
        assert_eq!(asks(alp1, alp2, family, 53), (true, false), "{family}");
        let there = scene.trace(alp1, &ping_to(&target.to_string()));
        assert_eq!(there.end, End::Delivered);
        let back = scene.trace(alp2, &ping_to(&alp1.address(family).to_string()));
        let End::Dropped(reason) = back.end else {
            panic!("{:?}", back.end);
        };
        assert!(reason.contains(why), "{reason}");
    }
}
