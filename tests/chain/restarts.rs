//! Members of a service restart in every way that runtimes know, and the chain stands again: the controller
//! never loses it, since they leave it in the right order.

use std::thread;

use contrail_core::api::ServiceInstance;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::world::{client, everything};
use serde_json::{Value, json};

use crate::Scene;
use crate::member::{
    Service, call, chain_of, fw, is_built, open_chain, scene_of, tuples, with_roles,
};

/// How often members are restarted.
const ROUNDS: u32 = 20;

#[test]
fn a_chain_stands_again_after_each_restart_of_a_member_that_its_description_names() {
    sandbox::test(|| {
        let scene = Scene::new();
        let document: Value = serde_json::from_str(crate::DOCUMENT).unwrap();
        let service = |index: usize, name: &str| Service {
            netns: &scene.services[index].netns,
            document: &document,
            container: name.into(),
        };
        let (first, mut second) = (service(0, "si1"), service(1, "si2"));
        for round in 0..ROUNDS {
            let at = round / 5 * 2;
            let what = match round % 5 {
                0 => {
                    first.restart();
                    "the same id"
                }
                1 => {
                    second.replace(format!("si2-{round}"));
                    "a new id"
                }
                2 => {
                    thread::scope(|scope| {
                        scope.spawn(|| first.restart());
                        second.restart();
                    });
                    "both at once"
                }
                3 => {
                    first.restart_after_killed_del(&scene.lab, at);
                    "a killed DEL"
                }
                _ => {
                    second.restart_after_killed_add(&scene.lab, at);
                    "a killed ADD"
                }
            };
            let what = format!("round {round}, {what}");
            let members = [&*first.container, &*second.container];
            scene.bring_up(&chain_of(&["fw1", "fw2"], &members), &what);
            scene.assert_passes(61, &what);
        }
    });
}

#[test]
fn a_chain_stands_again_after_each_restart_of_a_member_by_its_own_role() {
    sandbox::test(|| {
        let scene = scene_of(&["m"]);
        let document = with_roles();
        let mut member = Service {
            netns: &scene.services[0].netns,
            document: &document,
            container: "m".into(),
        };
        for round in 0..ROUNDS {
            let at = round / 4 * 3;
            match round % 4 {
                0 => member.restart(),
                1 => member.replace(format!("m{round}")),
                2 => member.restart_after_killed_del(&scene.lab, at),
                _ => member.restart_after_killed_add(&scene.lab, at),
            }
            let what = format!("round {round}");
            assert!(is_built(), "{what}");
            scene.assert_passes(62, &what);
        }
    });
}

#[test]
fn a_service_whose_last_member_has_gone_stays_until_its_chain_goes() {
    sandbox::test(|| {
        let scene = Scene::with(&[], &json!({}));
        let objects = || everything(&scene.lab, &[]);
        let (empty, member) = (objects(), TestNetns::new("m").unwrap());
        call("ADD", &member, "m", &with_roles()).run().ok();
        scene.bring_up(&open_chain(), "at first");
        call("DEL", &member, "m", &with_roles()).run().ok();
        let client = client();
        let is_there = || client.lookup::<ServiceInstance>(&fw()).unwrap().is_some();
        assert!(is_there());
        scene.chains.delete(&open_chain()).unwrap();
        assert!(!is_there());
        assert_eq!(objects(), empty);
    });
}

#[test]
fn a_service_that_its_chain_made_goes_with_its_last_member_when_the_chain_has_gone() {
    sandbox::test(|| {
        let scene = Scene::with(&[], &json!({}));
        let objects = || everything(&scene.lab, &[]);
        let (before, member) = (objects(), TestNetns::new("m").unwrap());
        scene.chains.apply(&open_chain()).unwrap();
        call("ADD", &member, "m", &with_roles()).run().ok();
        scene.bring_up(&open_chain(), "with a member");
        scene.chains.delete(&open_chain()).unwrap();
        assert_eq!(tuples(), [2]);
        call("DEL", &member, "m", &with_roles()).run().ok();
        assert_eq!(objects(), before);
    });
}

#[test]
fn the_restart_of_one_member_never_harms_the_other() {
    sandbox::test(|| {
        let scene = scene_of(&["m1", "m2"]);
        let document = with_roles();
        let member = |index: usize| Service {
            netns: &scene.services[index].netns,
            document: &document,
            container: format!("m{}", index + 1),
        };
        for round in 0..4 {
            let restarted = member(round % 2);
            let what = format!("round {round}, {}", restarted.container);
            restarted.run("DEL");
            assert!(is_built(), "{what} is gone");
            scene.assert_passes(62, &format!("{what} is gone"));
            restarted.run("ADD");
            assert!(is_built(), "{what} is back");
            scene.assert_passes(62, &format!("{what} is back"));
            assert_eq!(tuples(), [2, 2], "{what}");
        }
    });
}

/// The documents of two separate networks, as multus has them, for one container.
fn separately(command: &str, netns: &TestNetns, leg: usize) {
    let document = &with_roles()["networks"][leg];
    let ifname = ["eth0", "eth1"][leg];
    let call = call(command, netns, "m", document).with("CNI_IFNAME", ifname);
    call.run().ok();
}

#[test]
fn a_leg_that_stays_leaves_with_the_other_and_joins_again_when_that_comes_back() {
    sandbox::test(|| {
        let scene = Scene::with(&[], &json!({}));
        let member = TestNetns::new("m").unwrap();
        separately("ADD", &member, 0);
        separately("ADD", &member, 1);
        scene.bring_up(&open_chain(), "at first");
        scene.assert_passes(62, "at first");
        for gone in [0, 1, 0] {
            separately("DEL", &member, gone);
            // A tuple with one leg would be of no use, and break the chain when it goes later.
            assert_eq!(tuples(), [0; 0], "leg {gone} is gone");
            separately("ADD", &member, gone);
            let what = format!("leg {gone} is back");
            assert_eq!(tuples(), [2], "{what}");
            assert!(is_built(), "{what}");
            scene.assert_passes(62, &what);
        }
    });
}
