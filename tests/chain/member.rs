//! Members of a service as processes make and remove them, and what their chains need.

use std::time::Duration;

use contrail_core::FqName;
use contrail_core::api::{ListQuery, PortTuple};
use contrail_core::service_chain::{Description, Event, ServiceRoles};
use contrail_lab::faults::{Action, Rule};
use contrail_lab::http::ServiceName::ConfigApi;
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::TestNetns;
use opencontrail_tests::plugin::Call;
use opencontrail_tests::wait_for;
use opencontrail_tests::world::{client, fault, network};
use serde_json::{Value, json};

use crate::Scene;

pub fn call(command: &str, netns: &TestNetns, container: &str, document: &Value) -> Call {
    let path = netns.path().display().to_string();
    // Long enough for an id that has just left its service.
    Call::new(command, container, &path, document).with("CONTRAIL_ATTACH_TIMEOUT", "20")
}

/// Starts a call and kills it at its request number `at`; whether it did not end before.
pub fn kill_at(lab: &Lab, at: u32, action: &Action, call: &Call) -> bool {
    let rule = Rule {
        skip: at,
        count: Some(1),
        ..fault(ConfigApi, "", "", action.clone())
    };
    lab.faults().add(rule);
    let mut running = call.start();
    let was_hit = || lab.faults().list()[0].hit == 1;
    wait_for("the request that hangs, or the end", || {
        running.has_ended() || was_hit() && running.is_waiting()
    });
    running.kill();
    let was_hit = was_hit();
    lab.faults().clear();
    was_hit
}

/// The present container of a namespace.
pub struct Service<'a> {
    pub netns: &'a TestNetns,
    pub document: &'a Value,
    pub container: String,
}

impl Service<'_> {
    pub fn run(&self, command: &str) {
        call(command, self.netns, &self.container, self.document)
            .run()
            .ok();
    }

    pub fn restart(&self) {
        self.run("DEL");
        self.run("ADD");
    }

    pub fn replace(&mut self, name: String) {
        self.run("DEL");
        self.container = name;
        self.run("ADD");
    }

    /// Restarts it with a DEL that is killed at its request number `at`; the runtime repeats it.
    pub fn restart_after_killed_del(&self, lab: &Lab, at: u32) {
        let del = call("DEL", self.netns, &self.container, self.document);
        kill_at(lab, at, &Action::Hang, &del);
        self.restart();
    }

    /// Restarts it with an ADD that is killed at its request number `at`; the runtime takes that back.
    pub fn restart_after_killed_add(&self, lab: &Lab, at: u32) {
        self.run("DEL");
        let add = call("ADD", self.netns, &self.container, self.document);
        kill_at(lab, at, &Action::Hang, &add);
        self.restart();
    }
}

impl Scene {
    pub fn assert_passes(&self, ttl: u8, what: &str) {
        self.lab.settle();
        assert_eq!(self.alp1.ttl(&self.alp2), Some(ttl), "{what}");
        assert_eq!(self.alp2.ttl(&self.alp1), Some(ttl), "{what}, back");
    }

    /// Applies a chain and waits until it stands, which it does by itself.
    pub fn bring_up(&self, chain: &Description, what: &str) {
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

/// A chain of services with these members.
pub fn chain_of(services: &[&str], members: &[&str]) -> Description {
    let services: Vec<Value> = services
        .iter()
        .zip(members)
        .map(|(name, member)| json!({"name": name, "members": [member]}))
        .collect();
    let text = json!({"name": "sc", "left": "net1", "right": "net2", "services": services});
    Description::read(&text.to_string(), "chain.json").unwrap()
}

/// Two interfaces that take the roles of the service `fw`.
pub fn with_roles() -> Value {
    let leg = |name: &str, subnet: &str, interface: &str| {
        let mut leg = network(name, subnet);
        leg["service"] = json!({"instance": "fw", "interface": interface, "forwarding": true});
        leg
    };
    json!({"networks": [
        leg("net1", "10.1.1.0/24", "left"), leg("net2", "10.1.2.0/24", "right"),
    ]})
}

pub fn fw() -> FqName {
    FqName::new(["default-domain", "admin", "fw"])
}

/// Whether the controller has built the chain through `fw`.
pub fn is_built() -> bool {
    let roles = ServiceRoles::new(client(), "test");
    let chains = roles.built(&fw());
    let chains = chains.unwrap();
    !chains.is_empty() && chains.iter().all(|chain| chain.is_built())
}

pub fn tuples() -> Vec<usize> {
    let query = ListQuery::all().fields(&["virtual_machine_interface_back_refs"]);
    let tuples: Vec<PortTuple> = client().list(&query.detail()).unwrap();
    let count = |tuple: &PortTuple| tuple.virtual_machine_interface_back_refs.len();
    tuples.iter().map(count).collect()
}

/// A chain through the service `fw`, which containers join by their own role.
pub fn open_chain() -> Description {
    let text = json!({"name": "sc", "left": "net1", "right": "net2", "services": [{"name": "fw"}]});
    Description::read(&text.to_string(), "chain.json").unwrap()
}

/// That chain with these members.
pub fn scene_of(members: &[&str]) -> Scene {
    let scene = Scene::with(members, &with_roles());
    scene.bring_up(&open_chain(), "at first");
    scene.assert_passes(62, "at first");
    scene
}
