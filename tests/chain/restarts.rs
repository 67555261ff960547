//! Members of a service restart in every way that runtimes know, and the chain stands again: the controller
//! never loses it, since they leave it in the right order.

use std::thread;
use std::time::Duration;

use contrail_core::FqName;
use contrail_core::api::{ListQuery, PortTuple, ServiceInstance};
use contrail_core::service_chain::{Description, Event, ServiceRoles};
use contrail_lab::faults::{Action, Rule};
use contrail_lab::http::ServiceName::ConfigApi;
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::wait_for;
use opencontrail_tests::world::{client, everything, fault, network};
use serde_json::{Value, json};

use crate::Scene;

/// How often members are restarted.
const ROUNDS: u32 = 20;

fn call(command: &str, netns: &TestNetns, container: &str, document: &Value) -> Call {
    let path = netns.path().display().to_string();
    // Long enough for an id that has just left its service.
    Call::new(command, container, &path, document).with("CONTRAIL_ATTACH_TIMEOUT", "20")
}

/// Starts a call and kills it at its request number `at`; whether it did not end before.
fn kill_at(lab: &Lab, at: u32, action: &Action, call: &Call) -> bool {
    let rule = Rule {
        skip: at,
        count: Some(1),
        ..fault(ConfigApi, "", "", action.clone())
    };
    lab.faults().add(rule);
    let mut running = call.start();
    let was_hit = || lab.faults().list()[0].hit == 1;
    wait_for("the request that hangs, or the end", || {
        was_hit() || running.has_ended()
    });
    running.kill();
    let was_hit = was_hit();
    lab.faults().clear();
    was_hit
}

/// The present container of a namespace.
struct Service<'a> {
    netns: &'a TestNetns,
    document: &'a Value,
    container: String,
}

impl Service<'_> {
    fn run(&self, command: &str) {
        call(command, self.netns, &self.container, self.document)
            .run()
            .ok();
    }

    fn restart(&self) {
        self.run("DEL");
        self.run("ADD");
    }

    fn replace(&mut self, name: String) {
        self.run("DEL");
        self.container = name;
        self.run("ADD");
    }

    /// Restarts it with a DEL that is killed at its request number `at`; the runtime repeats it.
    fn restart_after_killed_del(&self, lab: &Lab, at: u32) {
        let del = call("DEL", self.netns, &self.container, self.document);
        kill_at(lab, at, &Action::Hang, &del);
        self.restart();
    }

    /// The same with an ADD that is killed; the runtime takes that back.
    fn restart_after_killed_add(&self, lab: &Lab, at: u32) {
        self.run("DEL");
        let add = call("ADD", self.netns, &self.container, self.document);
        kill_at(lab, at, &Action::Hang, &add);
        self.restart();
    }
}

impl Scene {
    fn assert_passes(&self, ttl: u8, what: &str) {
        self.lab.settle();
        assert_eq!(self.alp1.ttl(&self.alp2), Some(ttl), "{what}");
        assert_eq!(self.alp2.ttl(&self.alp1), Some(ttl), "{what}, back");
    }

    /// Applies a chain and waits until it stands, which it does by itself.
    fn bring_up(&self, chain: &Description, what: &str) {
        self.chains.apply(chain).unwrap();
        let limit = Duration::from_secs(20);
        let state = self.chains.bring_up(chain, limit, |event| {
            let is_repair = !matches!(event, Event::Changed(_));
            assert!(!is_repair, "{what}: the controller had lost it: {event:?}");
        });
        let state = state.unwrap();
        assert!(state.is_built(), "{what}: {state:?}");
    }
}

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

/// A chain of services with these members.
fn chain_of(services: &[&str], members: &[&str]) -> Description {
    let services: Vec<Value> = services
        .iter()
        .zip(members)
        .map(|(name, member)| json!({"name": name, "members": [member]}))
        .collect();
    let text = json!({"name": "sc", "left": "net1", "right": "net2", "services": services});
    Description::read(&text.to_string(), "chain.json").unwrap()
}

/// Two interfaces that take the roles of the service `fw`.
fn with_roles() -> Value {
    let leg = |name: &str, subnet: &str, interface: &str| {
        let mut leg = network(name, subnet);
        leg["service"] = json!({"instance": "fw", "interface": interface, "forwarding": true});
        leg
    };
    json!({"networks": [
        leg("net1", "10.1.1.0/24", "left"), leg("net2", "10.1.2.0/24", "right"),
    ]})
}

fn fw() -> FqName {
    FqName::new(["default-domain", "admin", "fw"])
}

/// Whether the controller has built the chain through `fw`.
fn is_built() -> bool {
    let roles = ServiceRoles::new(client(), "test");
    let chains = roles.built(&fw());
    let chains = chains.unwrap();
    !chains.is_empty() && chains.iter().all(|chain| chain.is_built())
}

fn tuples() -> Vec<usize> {
    let query = ListQuery::all().fields(&["virtual_machine_interface_back_refs"]);
    let tuples: Vec<PortTuple> = client().list(&query.detail()).unwrap();
    let count = |tuple: &PortTuple| tuple.virtual_machine_interface_back_refs.len();
    tuples.iter().map(count).collect()
}

/// A chain through the service `fw`, which containers join by their own role.
fn open_chain() -> Description {
    let text = json!({"name": "sc", "left": "net1", "right": "net2", "services": [{"name": "fw"}]});
    Description::read(&text.to_string(), "chain.json").unwrap()
}

/// That chain with these members.
fn scene_of(members: &[&str]) -> Scene {
    let scene = Scene::with(members, &with_roles());
    scene.bring_up(&open_chain(), "at first");
    scene.assert_passes(62, "at first");
    scene
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

/// Kills the DEL of a member at each of its requests, before and after it took effect. The runtime repeats it;
/// a new container takes its place, and the controller must not have lost the chain.
fn killed_at_every_request_of_leaving(document: &Value, chain: impl Fn(&str) -> Description) {
    let scene = Scene::with(&[], document);
    let mut member = Service {
        netns: &TestNetns::new("m").unwrap(),
        document,
        container: "m".into(),
    };
    member.run("ADD");
    scene.bring_up(&chain("m"), "at first");
    for action in [Action::Hang, Action::Swallow] {
        for at in 0.. {
            let del = call("DEL", member.netns, &member.container, document);
            let was_hit = kill_at(&scene.lab, at, &action, &del);
            let what = format!("killed at request {at}, {action:?}");
            member.replace(format!("m-{at}-{action:?}"));
            scene.bring_up(&chain(&member.container), &what);
            if !was_hit {
                assert!(at > 6, "a member leaves with more than {at} requests");
                break;
            }
        }
    }
}

#[test]
fn a_killed_del_of_a_member_that_its_description_names_loses_no_chain() {
    sandbox::test(|| {
        let mut document = with_roles();
        for network in document["networks"].as_array_mut().unwrap() {
            network.as_object_mut().unwrap().remove("service");
        }
        killed_at_every_request_of_leaving(&document, |member| chain_of(&["fw"], &[member]));
    });
}

#[test]
fn a_killed_del_of_a_member_by_its_own_role_loses_no_chain() {
    sandbox::test(|| killed_at_every_request_of_leaving(&with_roles(), |_| open_chain()));
}
