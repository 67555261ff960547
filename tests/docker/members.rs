//! A container that is a member of a service by its own options: whatever restarts, it joins again by
//! itself, and the controller has the chain again.

use contrail_core::FqName;
use contrail_core::api::{ListQuery, PortTuple, Resource, ServiceInstance, ServiceTemplate};
use contrail_core::service_chain::{ChainState, Description, ServiceChains, ServiceRoles};
use opencontrail_tests::wait_for;

use crate::engine::{docker, label, remove_containers};
use crate::world::{World, address_of, name, reaches};

/// How often the container is restarted.
const ROUNDS: usize = 20;

/// A chain whose service is open to whoever joins it.
const CHAIN: &str = r#"{
    "name": "oct-chain", "left": "net1", "right": "net2", "services": [ { "name": "fw" } ]
}"#;

const LEFT: [&str; 2] = ["service=fw", "service-interface=left"];
const RIGHT: [&str; 2] = ["service=fw", "service-interface=right"];

/// The networks with a container each, and between them the chain with its only member.
struct Scene {
    world: World,
    chains: ServiceChains,
    description: Description,
}

impl Scene {
    fn start(test: &str) -> Option<Self> {
        let world = World::start(test)?;
        for (number, network) in [(1, "oct1"), (2, "oct2")] {
            let options = format!("-o name=net{number} --subnet 10.1.{number}.0/24 {network}");
            world.network(&options);
        }
        let scene = Self {
            chains: ServiceChains::new(world.client(), FqName::new(["default-domain", "admin"])),
            description: Description::read(CHAIN, "the test").unwrap(),
            world,
        };
        scene.chains.apply(&scene.description).unwrap();
        assert!(!scene.is_built(), "there is no member yet");
        scene.world.run("--network oct1 --name oct-a");
        scene.world.run("--network oct2 --name oct-b");
        start_member("oct-si");
        Some(scene)
    }

    /// What the controller has built of the chains through the service.
    fn built(&self) -> Vec<ChainState> {
        let instance = FqName::new(["default-domain", "admin", "fw"]);
        let roles = ServiceRoles::new(self.world.client(), "test");
        roles.built(&instance).unwrap()
    }

    fn is_built(&self) -> bool {
        self.world.lab().settle();
        let chains = self.built();
        chains.len() == 1 && chains.iter().all(ChainState::is_built)
    }

    /// Holds when the chain stands and packets go through it, without any `apply`.
    #[track_caller]
    fn assert_stands(&self, after: &str) {
        let (built, log) = (self.is_built(), || self.world.log());
        assert!(built, "after {after}: {:#?}\n{}", self.built(), log());
        let address = address_of("oct-b", "eth0").to_string();
        assert!(reaches("oct-a", &address), "after {after}: {}", log());
    }

    /// Restarts the member, and the plugin when it has sent so many requests for that.
    fn kill_plugin_after(&mut self, requests: usize) {
        self.world.lab().request_log().reset();
        std::thread::scope(|scope| {
            scope.spawn(|| docker("restart -t 0 oct-si"));
            wait_for("so many requests", || {
                self.world.lab().request_log().entries().len() >= requests
            });
            self.world.restart_plugin();
        });
        // Whatever the engine made of it: the container shall run.
        docker("start oct-si").ok();
    }

    /// Everything goes: the members first, and the chain before its networks.
    fn end(self, members: &[&str]) {
        remove_containers(members);
        remove_containers(&["oct-a", "oct-b"]);
        self.chains.delete(&self.description).unwrap();
        docker("network rm oct1 oct2").ok();
        self.assert_none::<PortTuple>();
        self.assert_none::<ServiceInstance>();
        self.assert_none::<ServiceTemplate>();
        self.world.assert_clean();
    }

    fn assert_none<R: Resource + std::fmt::Debug>(&self) {
        let found: Vec<R> = self.world.client().list(&ListQuery::all()).unwrap();
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// A container with a leg of the service in each network.
fn start_member(member: &str) {
    let (image, label) = (name(), label());
    let left = LEFT.map(|option| format!(",driver-opt={option}")).concat();
    docker(&format!(
        "create --label {label} --name {member} --sysctl net.ipv4.ip_forward=1 \
         --network name=oct1{left} {image} sleep 1d"
    ))
    .ok();
    connect_right(member);
    docker(&format!("start {member}")).ok();
}

fn connect_right(member: &str) {
    let options = RIGHT.map(|option| format!("--driver-opt {option}"));
    let options = options.join(" ");
    docker(&format!("network connect {options} oct2 {member}")).ok();
}

#[test]
fn a_member_that_restarts_joins_again_by_itself_and_the_chain_stands() {
    let test = "a_member_that_restarts_joins_again_by_itself_and_the_chain_stands";
    let Some(mut scene) = Scene::start(test) else {
        return;
    };
    scene.assert_stands("the start");
    for round in 0..ROUNDS {
        docker("restart -t 0 oct-si").ok();
        scene.assert_stands(&format!("restart {round}"));
    }

    docker("network disconnect oct2 oct-si").ok();
    assert!(!scene.is_built(), "one leg is not enough");
    connect_right("oct-si");
    scene.assert_stands("one leg has left and come back");

    docker("stop -t 0 oct-si").ok();
    scene.world.restart_plugin();
    docker("start oct-si").ok();
    scene.assert_stands("kill -9 of the plugin");
    scene.end(&["oct-si"]);
}

#[test]
fn a_member_that_restarts_never_harms_the_other_one() {
    let Some(scene) = Scene::start("a_member_that_restarts_never_harms_the_other_one") else {
        return;
    };
    start_member("oct-other");
    scene.assert_stands("the start of the other one");
    for member in ["oct-si", "oct-other", "oct-si"] {
        docker(&format!("stop -t 0 {member}")).ok();
        scene.assert_stands(&format!("the stop of {member}"));
        docker(&format!("start {member}")).ok();
        scene.assert_stands(&format!("the start of {member}"));
    }
    scene.end(&["oct-si", "oct-other"]);
}

#[test]
fn a_plugin_that_is_killed_while_a_member_restarts_does_not_cost_the_chain() {
    let test = "a_plugin_that_is_killed_while_a_member_restarts_does_not_cost_the_chain";
    let Some(mut scene) = Scene::start(test) else {
        return;
    };
    let whole = scene.world.left().len();
    for requests in [1, 3, 5, 7, 10, 14] {
        scene.kill_plugin_after(requests);
        let what = format!("kill -9 at request {requests}");
        let is_back = |world: &World| scene.is_built() && world.left().len() == whole;
        scene.world.wait_until(&what, is_back);
        scene.assert_stands(&what);
    }
    scene.end(&["oct-si"]);
}
