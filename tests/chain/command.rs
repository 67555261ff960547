//! The command `service-chain`, as a process of its own.

use std::process::{Command, Stdio};

use contrail_core::api::objects::Sequence;
use contrail_core::api::{
    NetworkIpam, NetworkPolicy, Resource, ServiceTemplate, VirtualNetwork, request,
};
use contrail_core::service_chain::Description;
use contrail_core::{Error, FqName};
use contrail_lab::lab::{CLIENT_ENVIRONMENT, Restartable};
use contrail_lab::sandbox;
use opencontrail_tests::plugin::program;
use opencontrail_tests::world::{client, everything};
use serde_json::{Value, json};

use crate::Scene;

const CHAIN: &str = include_str!("../../examples/service-chain/chain.json");
const EXPLAINED: &str = include_str!("../../examples/service-chain/chain.md");

/// How the command ended: its code, and what it said.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The command with the lab's settings.
pub fn command(command: &str, document: &Value, more: &[&str]) -> Command {
    std::fs::write("/run/chain.json", document.to_string()).unwrap();
    let mut program = Command::new(program("service-chain"));
    program
        .args([command, "/run/chain.json"])
        .args(more)
        .env_clear()
        .envs(CLIENT_ENVIRONMENT)
        .env("CONTRAIL_REQUEST_TIMEOUT", "2")
        .stdin(Stdio::null());
    program
}

pub fn service_chain(command: &str, document: &Value, more: &[&str]) -> Ended {
    let output = self::command(command, document, more).output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ended {
    #[track_caller]
    pub fn with(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self.out
    }
}

fn network(name: &str) -> VirtualNetwork {
    let name = FqName::new(["default-domain", "admin", name]);
    client().lookup(&name).unwrap().unwrap()
}

pub fn document() -> Value {
    json!({"name": "sc", "left": "net1", "right": "net2", "services": [
        {"name": "si1", "members": ["si1"]}, {"name": "si2", "members": ["si2"]}
    ]})
}

#[test]
fn a_chain_comes_and_goes_and_the_second_time_nothing_is_written() {
    sandbox::test(|| {
        let scene = Scene::new();
        let namespaces: Vec<_> = scene.services.iter().map(|s| s.netns.netns()).collect();
        let before = everything(&scene.lab, &namespaces);
        let chain = document();
        let difference = service_chain("diff", &chain, &[]).with(1);
        assert!(
            difference.contains("create service-instance"),
            "{difference}"
        );
        assert!(difference.contains("chain sc: not applied"), "{difference}");

        let done = service_chain("apply", &chain, &[]).with(0);
        assert!(difference.starts_with(&done), "{done}");
        scene.lab.settle();
        assert_eq!(scene.alp1.ttl(&scene.alp2), Some(61));
        scene.lab.request_log().reset();
        let again = service_chain("apply", &chain, &[]).with(0);
        assert_eq!(again, "chain sc: nothing to change\n");
        assert_eq!(
            service_chain("diff", &chain, &[]).with(0),
            "chain sc: complete\n"
        );
        let shown = service_chain("show", &chain, &[]).with(0);
        for object in [
            "service-instance",
            "port-tuple",
            "network-policy",
            "si1",
            "si2",
        ] {
            assert!(shown.contains(object), "{object}: {shown}");
        }
        let json = service_chain("show", &chain, &["--json"]).with(0);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&json["chain"], &json["changes"]),
            (&json!("sc"), &json!([]))
        );
        assert_eq!(scene.writes(), 0);

        service_chain("delete", &chain, &[]).with(0);
        scene.lab.settle();
        assert_eq!(scene.alp1.ttl(&scene.alp2), None);
        assert_eq!(everything(&scene.lab, &namespaces), before);
        let again = service_chain("delete", &chain, &[]).with(0);
        assert_eq!(again, "chain sc: nothing to change\n");
    });
}

#[test]
fn mistakes_are_named_with_code_2_and_nothing_is_written() {
    sandbox::test(|| {
        let scene = Scene::new();
        let bare = FqName::new(["default-domain", "admin", "bare"]);
        let ipam = NetworkIpam::default_name();
        let bare = VirtualNetwork::new(bare, ipam, Vec::new());
        client().create(&bare).unwrap();
        scene.lab.request_log().reset();
        let with = |key: &str, value: Value| {
            let mut chain = document();
            chain[key] = value;
            chain
        };
        for (chain, named) in [
            (with("left", json!("absent")), "absent"),
            (with("colour", json!("red")), "unknown field `colour`"),
            (with("services", json!([])), "service"),
            (with("left", json!("bare")), "bare has no subnet"),
            (with("right", json!("net1")), "the chain contains a cycle"),
            (
                with(
                    "services",
                    json!([{"name": "x", "members": ["si1"]}, {"name": "y", "members": ["si1"]}]),
                ),
                "si1",
            ),
            (
                with("services", json!([{"name": "x", "members": ["nobody"]}])),
                "nobody",
            ),
            (
                with("services", json!([{"name": "x", "members": ["alp1"]}])),
                "alp1",
            ),
            (json!("nothing"), "/run/chain.json"),
        ] {
            let ended = service_chain("apply", &chain, &[]);
            assert!(ended.err.contains(named), "{named}: {}", ended.err);
            assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{}", ended.err);
        }
        assert_eq!(scene.writes(), 0);

        scene.lab.stop_service(Restartable::ConfigApi);
        let ended = service_chain("diff", &document(), &[]);
        assert!(ended.err.contains("127.0.0.1:8082"), "{}", ended.err);
        assert!(!ended.err.contains("contrail123"), "{}", ended.err);
        ended.with(2);
        let ended = service_chain("diff", &document(), &["--nonsense"]);
        ended.with(2);
    });
}

#[test]
fn a_policy_that_was_there_before_stays_with_its_sequence() {
    sandbox::test(|| {
        let scene = Scene::new();
        let name: FqName = "default-domain:admin:theirs".parse().unwrap();
        let policy = NetworkPolicy::new(name.clone(), Default::default());
        let policy = client().create(&policy).unwrap();
        let place = json!({"sequence": {"major": 5, "minor": 0}});
        for network in ["net1", "net2"].map(network) {
            let id = network.meta.uuid.unwrap();
            let to = (NetworkPolicy::TYPE, policy, &name);
            let link = client().add_ref((VirtualNetwork::TYPE, id), to, Some(place.clone()));
            link.unwrap();
        }
        let places = || {
            ["net1", "net2"].map(|name| {
                let links = network(name).network_policy_refs;
                let mut places: Vec<(String, Option<Sequence>)> = links
                    .into_iter()
                    .map(|link| {
                        (
                            link.name().unwrap().name().to_owned(),
                            link.attr.unwrap().sequence,
                        )
                    })
                    .collect();
                places.sort();
                places
            })
        };
        let theirs = ("theirs".to_owned(), Some(Sequence { major: 5, minor: 0 }));
        service_chain("apply", &document(), &[]).with(0);
        for places in places() {
            assert_eq!(places.len(), 2);
            assert!(places.contains(&theirs), "{places:?}");
        }
        service_chain("delete", &document(), &[]).with(0);
        assert_eq!(places(), [[theirs.clone()], [theirs]]);
        drop(scene);
    });
}

#[test]
fn every_field_of_the_file_is_explained() {
    let explained = |section: &str| -> Vec<String> {
        let sections = EXPLAINED.split("\n## ");
        let body = sections.skip(1).find(|body| body.starts_with(section));
        let rows = body
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix("| `"));
        rows.map(|row| row.split('`').next().unwrap().to_owned())
            .collect()
    };
    let unknown = |document: Value| -> Vec<String> {
        // The message about a field that does not exist lists those that do.
        let error = Description::read(&document.to_string(), "x").unwrap_err();
        let Error::Decode { source, .. } = error else {
            panic!("{error}");
        };
        let text = source.to_string();
        let names = text.split("expected one of ").nth(1).unwrap();
        let names = names.split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect()
    };
    assert_eq!(explained("The chain"), unknown(json!({"x": 1})));
    let service = json!({"name": "a", "left": "b", "right": "c", "services": [{"x": 1}]});
    assert_eq!(explained("A service"), unknown(service));
    let description = Description::read(CHAIN, "chain.json").unwrap();
    assert_eq!(description.services.len(), 2);
    let full: Value = serde_json::to_value(&description).unwrap();
    let given: Value = serde_json::from_str(CHAIN).unwrap();
    assert_eq!(
        full["services"][1]["members"],
        given["services"][1]["members"]
    );
}

#[test]
fn the_template_that_an_administrator_makes_is_the_one_that_a_chain_would_make() {
    let body = EXPLAINED.split("-d '\n").nth(1).unwrap();
    let body: Value = serde_json::from_str(body.split('\'').next().unwrap()).unwrap();
    let name = FqName::new(["default-domain", "container-in-network"]);
    let template = ServiceTemplate::v2(name, "in-network", &["left", "right"]);
    assert_eq!(request::create(&template).unwrap().body, Some(body));
}
