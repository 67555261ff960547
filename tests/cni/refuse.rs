//! ADD when something is wrong: the right code, a message that names the cause, and nothing changed.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use contrail_core::api::VirtualNetwork;
use contrail_core::kernel::{Dataplane, Kernel, VethSpec};
use contrail_core::{FqName, MacAddr};
use contrail_lab::faults::{Action, StatusAnswer};
use contrail_lab::http::ServiceName::{Agent, ConfigApi};
use contrail_lab::lab::{Lab, Restartable};
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{client, everything, fault, lab, lab_with, network};
use serde_json::{Value, json};

/// A mistake or misfortune and what the plugin must answer.
struct Case {
    /// Prepares the lab.
    prepare: fn(&Lab),
    /// Changes the call.
    change: fn(Call) -> Call,
    code: u64,
    /// What the message must name.
    names: &'static [&'static str],
}

const NOTHING: fn(&Lab) = |_| {};
const UNCHANGED: fn(Call) -> Call = |call| call;

/// The time that a call may take when nothing answers: the whole attach, and undoing it.
const DEADLINE: Duration = Duration::from_secs(30);

fn call(command: &str, netns: &str) -> Call {
    Call::new(command, "c", netns, &network("n", "10.1.1.0/24"))
}

fn is_put_off(world: &BTreeSet<String>) -> bool {
    world.iter().any(|line| line.contains("/pending/"))
}

fn check(lab: &Lab, case: &Case) {
    let netns = TestNetns::new("c").unwrap();
    (case.prepare)(lab);
    let reachable = |lab: &Lab| {
        lab.faults().clear();
        lab.start_service(Restartable::ConfigApi).unwrap();
        lab.start_service(Restartable::Agent).unwrap();
        everything(lab, &[netns.netns()])
    };
    // The world before is read with the fault away, and set up again.
    let before = reachable(lab);
    (case.prepare)(lab);

    let path = netns.path().display().to_string();
    let outcome = (case.change)(call("ADD", &path)).run();
    let message = outcome.json.to_string();
    assert!(!outcome.success, "{message}");
    assert_eq!(
        outcome.json["code"], case.code,
        "{message}\n{}",
        outcome.log
    );
    for name in case.names {
        assert!(message.contains(name), "{name:?} is not named: {message}");
    }
    assert!(
        !message.contains("contrail123"),
        "the password is shown: {message}"
    );
    assert!(outcome.time < DEADLINE, "{:?}", outcome.time);
    let after = reachable(lab);
    if is_put_off(&after) {
        // Nobody knows yet what the requests without an answer have done.
        call("DEL", &path).run().ok();
        assert_eq!(reachable(lab), before, "{message}");
    } else {
        assert_eq!(after, before, "{message}");
    }
}

macro_rules! refuses {
    ($($name:ident: $case:expr;)*) => {
        $(
            #[test]
            fn $name() {
                sandbox::isolated(concat!("refuse::", stringify!($name)), || {
                    check(&lab(), &$case);
                });
            }
        )*
    };
}

refuses! {
    a_namespace_that_does_not_exist: Case {
        prepare: NOTHING,
        change: |call| call.with("CNI_NETNS", "/var/run/netns/absent"),
        code: 8,
        names: &["/var/run/netns/absent"],
    };
    a_file_that_is_no_namespace: Case {
        prepare: |_| fs::write("/run/file", "").unwrap(),
        change: |call| call.with("CNI_NETNS", "/run/file"),
        code: 8,
        names: &["/run/file"],
    };
    the_namespace_of_the_host: Case {
        prepare: NOTHING,
        change: |call| call.with("CNI_NETNS", "/proc/self/ns/net"),
        code: 8,
        names: &["/proc/self/ns/net"],
    };
    an_api_that_is_down: Case {
        prepare: |lab| lab.stop_service(Restartable::ConfigApi),
        change: UNCHANGED,
        code: 11,
        names: &["configuration API", "127.0.0.1:8082", "refused"],
    };
    an_api_that_hangs: Case {
        prepare: |lab| lab.faults().add(fault(ConfigApi, "", "", Action::Hang)),
        change: |call| {
            call.with("CONTRAIL_REQUEST_TIMEOUT", "1").with("CONTRAIL_ATTACH_TIMEOUT", "3")
        },
        code: 11,
        names: &["configuration API", "127.0.0.1:8082"],
    };
    an_agent_that_is_down: Case {
        prepare: |lab| lab.stop_service(Restartable::Agent),
        change: |call| call.with("CONTRAIL_ATTACH_TIMEOUT", "3"),
        code: 11,
        names: &["agent", "127.0.0.1:9091"],
    };
    an_agent_that_answers_500: Case {
        prepare: |lab| {
            let answer = StatusAnswer {
                code: 500,
                body: r#"{"error":"{ Operation Not Supported }"}"#.into(),
                content_type: "application/json".into(),
            };
            lab.faults().add(fault(Agent, "POST", "/port", Action::Status(answer)));
        },
        change: UNCHANGED,
        code: 104,
        names: &["agent", "Operation Not Supported"],
    };
    an_agent_that_takes_the_port_and_forgets_it: Case {
        prepare: |lab| lab.faults().add(fault(Agent, "POST", "/port", Action::Forget)),
        change: |call| call.with("CONTRAIL_ATTACH_TIMEOUT", "2"),
        code: 104,
        names: &["agent", "port"],
    };
    malformed_json: Case {
        prepare: NOTHING,
        change: |call| call.with_input(r#"{"name": "n", "#),
        code: 6,
        names: &[],
    };
    a_missing_name: Case {
        prepare: NOTHING,
        change: |call| call.with_input(r#"{"cniVersion":"1.0.0","type":"opencontrail"}"#),
        code: 7,
        names: &["name"],
    };
    an_unknown_version: Case {
        prepare: NOTHING,
        change: |call| call.with_input(r#"{"cniVersion":"9.9.9","name":"n","type":"opencontrail"}"#),
        code: 1,
        names: &["9.9.9", "1.1.0"],
    };
    a_network_that_does_not_exist_and_has_no_subnet: Case {
        prepare: NOTHING,
        change: |call| {
            call.with_input(r#"{"cniVersion":"1.0.0","name":"absent","type":"opencontrail"}"#)
        },
        code: 7,
        names: &["default-domain:admin:absent", "subnet"],
    };
    a_project_that_does_not_exist: Case {
        prepare: NOTHING,
        change: |call| call.with("OS_TENANT_NAME", "nobody").with("OS_AUTH_URL", "").with("OS_USERNAME", "").with("OS_PASSWORD", ""),
        code: 7,
        names: &["project", "default-domain:nobody"],
    };
}

#[test]
fn a_wrong_password() {
    sandbox::isolated("refuse::a_wrong_password", || {
        let lab = lab_with(|options| options.authentication = true);
        let case = Case {
            prepare: NOTHING,
            change: |call| call.with("OS_PASSWORD", "guessed"),
            code: 103,
            names: &["admin", "Keystone"],
        };
        let netns = TestNetns::new("c").unwrap();
        let path = netns.path().display().to_string();
        let call = Call::new("ADD", "c", &path, &network("n", "10.1.1.0/24"));
        let outcome = (case.change)(call).run();
        let message = outcome.json.to_string();
        assert_eq!(outcome.json["code"], case.code, "{message}");
        for name in case.names {
            assert!(message.contains(name), "{name:?} is not named: {message}");
        }
        assert!(
            !message.contains("guessed") && !outcome.log.contains("guessed"),
            "{message}"
        );
        assert_eq!(lab.status().ports.len(), 0);
    });
}

/// Cases that need something of the container's or the network's side first.
fn refused_after(
    test: &str,
    prepare: fn(&TestNetns),
    configuration: fn() -> Value,
    code: u64,
    names: &[&str],
) {
    sandbox::isolated(test, || {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        prepare(&netns);
        let before = everything(&lab, &[netns.netns()]);
        let path = netns.path().display().to_string();
        let outcome = Call::new("ADD", "c", &path, &configuration()).run();
        let message = outcome.json.to_string();
        assert_eq!(outcome.json["code"], code, "{message}");
        for name in names {
            assert!(message.contains(name), "{name:?} is not named: {message}");
        }
        assert_eq!(everything(&lab, &[netns.netns()]), before, "{message}");
    });
}

fn attach_others(count: usize, subnet: &str) {
    for i in 0..count {
        let netns = TestNetns::new(&format!("other{i}")).unwrap();
        let path = netns.path().display().to_string();
        Call::new("ADD", &format!("other{i}"), &path, &network("n", subnet))
            .run()
            .ok();
        // It shall outlive this function.
        std::mem::forget(netns);
    }
}

#[test]
fn an_interface_name_that_is_taken() {
    let prepare = |netns: &TestNetns| {
        let spec = VethSpec {
            host: "foreign".into(),
            container: "eth0".into(),
            mac: MacAddr([2, 0, 0, 0, 0, 1]),
            mtu: None,
            alias: "foreign".into(),
        };
        Kernel::new()
            .create_veth(&spec, Some(netns.netns()))
            .unwrap();
    };
    refused_after(
        "refuse::an_interface_name_that_is_taken",
        prepare,
        || network("n", "10.1.1.0/24"),
        4,
        &["eth0", "already exists"],
    );
}

#[test]
fn an_exhausted_subnet() {
    refused_after(
        "refuse::an_exhausted_subnet",
        |_| attach_others(4, "10.1.1.0/29"),
        || network("n", "10.1.1.0/29"),
        102,
        &[
            "default-domain:admin:n",
            "every address of subnet 10.1.1.0/29 is taken",
        ],
    );
}

/// A network of which the container asks for an address.
fn asking_for(address: &str) -> Value {
    let mut configuration = network("n", "10.1.1.0/24");
    configuration["capabilities"] = json!({"ips": true});
    configuration["runtimeConfig"] = json!({"ips": [format!("{address}/24")]});
    configuration
}

#[test]
fn an_address_in_use() {
    refused_after(
        "refuse::an_address_in_use",
        |_| attach_others(1, "10.1.1.0/24"),
        || asking_for("10.1.1.252"),
        102,
        &["10.1.1.252", "in use", "default-domain:admin:n"],
    );
}

#[test]
fn the_address_of_the_gateway() {
    refused_after(
        "refuse::the_address_of_the_gateway",
        |_| attach_others(1, "10.1.1.0/24"),
        || asking_for("10.1.1.254"),
        102,
        &["10.1.1.254 is the gateway of its subnet"],
    );
}

#[test]
fn a_broadcast_address_in_a_network_that_is_made() {
    refused_after(
        "refuse::a_broadcast_address_in_a_network_that_is_made",
        |_| {},
        || asking_for("10.1.1.255"),
        102,
        &["10.1.1.255 is the broadcast address of its subnet"],
    );
}

#[test]
fn an_mtu_without_room_for_ipv6() {
    refused_after(
        "refuse::an_mtu_without_room_for_ipv6",
        |_| {},
        || {
            let mut configuration = network("n", "fd00:1::/64");
            configuration["mtu"] = json!(1279);
            configuration
        },
        7,
        &["1279", "IPv6 needs at least 1280 bytes"],
    );
}

#[test]
fn a_subnet_that_contradicts_the_network() {
    refused_after(
        "refuse::a_subnet_that_contradicts_the_network",
        |_| attach_others(1, "10.1.1.0/24"),
        || network("n", "10.9.0.0/16"),
        7,
        &["10.1.1.0/24", "10.9.0.0/16"],
    );
}

#[test]
fn a_network_whose_creator_won_the_race_is_used() {
    sandbox::isolated(
        "refuse::a_network_whose_creator_won_the_race_is_used",
        || {
            // Twenty hosts create the same network at the same moment.
            let lab = lab();
            let namespaces: Vec<TestNetns> = (0..20)
                .map(|i| TestNetns::new(&format!("h{i}")).unwrap())
                .collect();
            let running: Vec<_> = namespaces
                .iter()
                .enumerate()
                .map(|(i, netns)| {
                    let path = netns.path().display().to_string();
                    Call::new("ADD", "c", &path, &network("race", "10.1.1.0/24"))
                        .with("CONTRAIL_NODE_NAME", &format!("host{i}"))
                        .with("CONTRAIL_STATE_DIR", &format!("/var/lib/contrail/host{i}"))
                        .with("CONTRAIL_RUN_DIR", &format!("/run/contrail/host{i}"))
                        .start()
                })
                .collect();
            for call in running {
                call.wait().ok();
            }
            let name = FqName::new(["default-domain", "admin", "race"]);
            let network = client().lookup::<VirtualNetwork>(&name).unwrap();
            assert!(network.is_some());
            assert_eq!(
                lab.status().ports.iter().filter(|port| port.active).count(),
                20
            );
        },
    );
}

#[test]
fn no_address_of_the_lab_is_taken_by_a_test() {
    // The tests above rely on a sandbox in which the default addresses are free.
    sandbox::isolated("refuse::no_address_of_the_lab_is_taken_by_a_test", || {
        for port in [8082, 35357, 9091] {
            std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).unwrap();
        }
    });
}
