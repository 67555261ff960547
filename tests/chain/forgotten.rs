//! Members whose removal had to wait, or that their runtime forgot: whoever removes them later keeps the chain
//! of those that took their place.

use contrail_lab::http::ServiceName::ConfigApi;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::faults;
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{fault, network};
use serde_json::{Value, json};

use crate::Scene;
use crate::member::{call, is_built, open_chain, tuples, with_roles};

/// One network of the document, and the name of its interface.
fn legs() -> [(Value, &'static str); 2] {
    let document = with_roles();
    let networks = &document["networks"];
    [(networks[0].clone(), "eth0"), (networks[1].clone(), "eth1")]
}

/// Attaches a member to each network by itself, as multus does.
fn add(netns: &TestNetns, container: &str) {
    for (document, ifname) in legs() {
        let add = call("ADD", netns, container, &document);
        add.with("CNI_IFNAME", ifname).run().ok();
    }
}

/// A chain through a member that its runtime forgets while another one takes its place.
fn replaced() -> (Scene, TestNetns) {
    let scene = Scene::with(&[], &json!({}));
    let [old, new] = ["old", "new"].map(|name| TestNetns::new(name).unwrap());
    add(&old, "old");
    scene.bring_up(&open_chain(), "with the old one");
    for ifname in ["eth0", "eth1"] {
        let gone = old.output("ip", &["link", "del", ifname]).unwrap();
        assert!(gone.status.success(), "{gone:?}");
    }
    add(&new, "new");
    assert_eq!(tuples(), [2, 2]);
    (scene, new)
}

fn assert_stands(scene: &Scene, what: &str) {
    assert_eq!(tuples(), [2], "{what}");
    assert!(is_built(), "{what}");
    scene.bring_up(&open_chain(), what);
    scene.assert_passes(62, what);
}

#[test]
fn a_removal_that_had_to_wait_keeps_the_chain() {
    sandbox::test(|| {
        let scene = Scene::with(&[], &json!({}));
        let [old, new] = ["old", "new"].map(|name| TestNetns::new(name).unwrap());
        let document = with_roles();
        call("ADD", &old, "old", &document).run().ok();
        scene.bring_up(&open_chain(), "with the old one");
        let down = fault(ConfigApi, "", "", faults::status(503));
        scene.lab.faults().add(down);
        call("DEL", &old, "old", &document).run().ok();
        scene.lab.faults().clear();
        assert_eq!(tuples(), [2]);
        call("ADD", &new, "new", &document).run().ok();
        // Whatever call comes next finishes what waits.
        call("DEL", &old, "stranger", &document).run().ok();
        assert_stands(&scene, "with the new one");
    });
}

#[test]
fn clean_keeps_the_chain() {
    sandbox::test(|| {
        let (scene, _new) = replaced();
        let clean = |arguments: &[&str]| {
            let call = Call::new("", "", "", &network("net1", "10.1.1.0/24"));
            call.output(&[&["clean"], arguments].concat())
        };
        clean(&[]);
        let report = clean(&["--remove", "--grace", "0"]);
        assert!(report.contains("2 of them removed"), "{report}");
        assert_stands(&scene, "after clean");
    });
}

#[test]
fn garbage_collection_keeps_the_chain() {
    sandbox::test(|| {
        let (scene, _new) = replaced();
        for (mut document, ifname) in legs() {
            // The ends of the chain are in these networks, too.
            let kept = [("new", ifname), ("alp1", "eth0"), ("alp2", "eth0")];
            let valid = kept.map(|(id, ifname)| json!({"containerID": id, "ifname": ifname}));
            let valid = json!(valid);
            document["cni.dev/valid-attachments"] = valid;
            let gc = Call::new("GC", "", "", &document).with("CNI_IFNAME", "");
            gc.run().ok();
            assert!(is_built(), "after {ifname}");
        }
        assert_stands(&scene, "after both");
    });
}
