//! A member that leaves is killed or meets a fault at each of its requests: whoever finishes its removal does it
//! in the order that keeps the chain.

use contrail_core::service_chain::Description;
use contrail_lab::faults::{Action, Rule};
use contrail_lab::http::ServiceName::ConfigApi;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::faults;
use opencontrail_tests::world::fault;
use serde_json::Value;

use crate::Scene;
use crate::member::{Service, call, chain_of, kill_at, open_chain, with_roles};

/// A member of a chain, which the function describes by the member's name.
struct Leaving<'a, F> {
    scene: Scene,
    member: Service<'a>,
    chain: F,
}

impl<'a, F: Fn(&str) -> Description> Leaving<'a, F> {
    fn new(netns: &'a TestNetns, document: &'a Value, chain: F) -> Self {
        let scene = Scene::with(&[], document);
        let member = Service {
            netns,
            document,
            container: "m".into(),
        };
        member.run("ADD");
        scene.bring_up(&chain("m"), "at first");
        Self {
            scene,
            member,
            chain,
        }
    }

    /// The runtime repeats DEL, a new container takes the place, and the chain stands again by itself.
    fn go_on(&mut self, name: String, what: &str) {
        self.member.replace(name);
        let chain = (self.chain)(&self.member.container);
        self.scene.bring_up(&chain, what);
    }
}

/// Kills the DEL of a member at each of its requests, before and after it took effect.
fn killed_at_every_request(document: &Value, chain: impl Fn(&str) -> Description) {
    let netns = TestNetns::new("m").unwrap();
    let mut leaving = Leaving::new(&netns, document, chain);
    for action in [Action::Hang, Action::Swallow] {
        for at in 0.. {
            let del = call("DEL", &netns, &leaving.member.container, document);
            let was_hit = kill_at(&leaving.scene.lab, at, &action, &del);
            let what = format!("killed at request {at}, {action:?}");
            leaving.go_on(format!("m-{at}-{action:?}"), &what);
            if !was_hit {
                assert!(at > 6, "a member leaves with more than {at} requests");
                break;
            }
        }
    }
}

/// Strikes each request of the DEL of a member with each fault.
fn struck_at_every_request(document: &Value, chain: impl Fn(&str) -> Description) {
    let netns = TestNetns::new("m").unwrap();
    let mut leaving = Leaving::new(&netns, document, chain);
    let mut cases = 0;
    for action in faults::all() {
        for skip in 0.. {
            let rule = Rule {
                skip,
                count: Some(1),
                ..fault(ConfigApi, "", "", action.clone())
            };
            let faults = leaving.scene.lab.faults();
            faults.add(rule);
            let del = call("DEL", &netns, &leaving.member.container, document);
            let outcome = del.with("CONTRAIL_REQUEST_TIMEOUT", "1").run();
            let was_hit = faults.list()[0].hit == 1;
            faults.clear();
            let what = format!("struck by {action:?} at request {skip}: {}", outcome.json);
            cases += 1;
            leaving.go_on(format!("m{cases}"), &what);
            if !was_hit {
                break;
            }
        }
    }
    sandbox::note(&format!(
        "CNI plugin, DEL of a member of a chain, each request struck once: {cases} cases, the chain always stood again"
    ));
}

/// Two interfaces without a role: a description of the chain names their container.
fn without_roles() -> Value {
    let mut document = with_roles();
    for network in document["networks"].as_array_mut().unwrap() {
        network.as_object_mut().unwrap().remove("service");
    }
    document
}

fn naming(member: &str) -> Description {
    chain_of(&["fw"], &[member])
}

#[test]
fn a_killed_del_of_a_member_that_its_description_names_loses_no_chain() {
    sandbox::test(|| killed_at_every_request(&without_roles(), naming));
}

#[test]
fn a_killed_del_of_a_member_by_its_own_role_loses_no_chain() {
    sandbox::test(|| killed_at_every_request(&with_roles(), |_| open_chain()));
}

#[test]
fn a_fault_in_the_del_of_a_member_that_its_description_names_loses_no_chain() {
    sandbox::test(|| struck_at_every_request(&without_roles(), naming));
}

#[test]
fn a_fault_in_the_del_of_a_member_by_its_own_role_loses_no_chain() {
    sandbox::test(|| struck_at_every_request(&with_roles(), |_| open_chain()));
}
