//! ADD and DEL of the real program against the lab: what it makes, what it costs, what it leaves.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::TcpListener;
use std::time::Duration;

use contrail_lab::faults::Action;
use contrail_lab::http::ServiceName;
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{client, everything, fault, lab, lab_with, network};
use serde_json::{Value, json};

use contrail_core::FqName;
use contrail_core::api::{IpamSubnet, NetworkIpam, VirtualNetwork};

const DOCUMENT: &str = include_str!("../../examples/service-chain/10-opencontrail-multi.conf");

fn document() -> Value {
    serde_json::from_str(DOCUMENT).expect("the document is JSON")
}

fn path(netns: &TestNetns) -> String {
    netns.path().display().to_string()
}

#[test]
fn the_unchanged_document_makes_two_interfaces_and_del_leaves_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let cni_si = TestNetns::new("cniSI").unwrap();
        let before = everything(&lab, &[cni_si.netns()]);

        // As typed in the walk-through: no container id but that of the namespace's path.
        let netns = "/var/run/netns/cniSI";
        let added = Call::new("ADD", "", netns, &document()).run().ok();
        assert_eq!(added.addresses(), ["10.1.1.252/24", "10.1.2.252/24"]);
        let names: Vec<&Value> = added.json["interfaces"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|interface| interface["sandbox"] == netns)
            .map(|interface| &interface["name"])
            .collect();
        assert_eq!(names, ["eth0", "eth1"]);

        let ip = |arguments: &[&str]| {
            let output = cni_si.output("ip", arguments).unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        for (ifname, address) in [("eth0", "10.1.1.252/24"), ("eth1", "10.1.2.252/24")] {
            let shown = ip(&["addr", "show", ifname]);
            assert!(
                shown.contains("mtu 1492") && shown.contains(address),
                "{shown}"
            );
        }
        let default = ip(&["route", "show", "default"]);
        assert!(
            default.starts_with("default via 10.1.1.254 dev eth0"),
            "{default}"
        );
        assert_eq!(default.lines().count(), 1, "{default}");

        for _ in 0..2 {
            let deleted = Call::new("DEL", "", netns, &document()).run().ok();
            assert_eq!(deleted.json, Value::Null);
        }
        assert_eq!(everything(&lab, &[cni_si.netns()]), before);
    });
}

/// What a warm ADD and a DEL of one interface cost, with so many networks in the project.
fn costs(lab: &Lab, networks: usize) -> Vec<(String, usize)> {
    let client = client();
    let name = |i: usize| FqName::new(["default-domain", "admin"]).child(format!("n{i}"));
    for i in 0..networks {
        let subnet = IpamSubnet::new("10.5.0.0/16".parse().unwrap());
        let network = VirtualNetwork::new(name(i), NetworkIpam::default_name(), vec![subnet]);
        client.create(&network).unwrap();
    }
    let configuration = network(&format!("n{}", networks - 1), "10.5.0.0/16");
    let warm = TestNetns::new("warm").unwrap();
    let netns = TestNetns::new("counted").unwrap();
    let call = |command, netns| Call::new(command, "c", &path(netns), &configuration);
    call("ADD", &warm)
        .with("CNI_CONTAINERID", "warm")
        .run()
        .ok();

    // Requests that are sent side by side must also be seen side by side.
    lab.faults()
        .add(fault(ServiceName::ConfigApi, "", "", Action::Delay(30)));
    let mut costs = Vec::new();
    for command in ["ADD", "DEL"] {
        lab.request_log().reset();
        call(command, &netns).run().ok();
        let entries = lab.request_log().entries();
        let count = |service| entries.iter().filter(|e| e.service == service).count();
        let connections = entries.iter().map(|e| e.connection);
        let spans = entries
            .iter()
            .filter(|e| e.service == ServiceName::ConfigApi);
        let depth =
            contrail_lab::request_log::serial_depth(spans.map(|e| (e.start, e.end)).collect());
        for (what, number) in [
            ("config API", count(ServiceName::ConfigApi)),
            ("depth", depth),
            ("Keystone", count(ServiceName::Keystone)),
            ("agent", count(ServiceName::Agent)),
            ("connections", connections.collect::<BTreeSet<_>>().len()),
        ] {
            costs.push((format!("{command} {what}"), number));
        }
    }
    lab.faults().clear();
    costs
}

#[test]
fn the_cost_of_add_and_del_does_not_depend_on_the_number_of_networks() {
    for networks in [1, 1000] {
        let test = "attach::the_cost_of_add_and_del_does_not_depend_on_the_number_of_networks";
        sandbox::isolated(test, || {
            let costs = costs(&lab(), networks);
            let costs: Vec<(&str, usize)> = costs.iter().map(|(k, n)| (k.as_str(), *n)).collect();
            assert_eq!(
                costs,
                [
                    ("ADD config API", 6),
                    ("ADD depth", 3),
                    ("ADD Keystone", 0),
                    ("ADD agent", 2), // the port, and the look whether it is there
                    ("ADD connections", 4), // three at once to the API, one to the agent
                    ("DEL config API", 4), // one asks whether it is a member of a service
                    ("DEL depth", 3),
                    ("DEL Keystone", 0),
                    ("DEL agent", 1),
                    ("DEL connections", 3), // two at once to the API, one to the agent
                ]
            );
        });
    }
}

#[test]
fn fifty_at_once_get_fifty_addresses_and_leave_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let namespaces: Vec<TestNetns> = (0..50)
            .map(|i| TestNetns::new(&format!("c{i}")).unwrap())
            .collect();
        let netns: Vec<_> = namespaces.iter().map(TestNetns::netns).collect();
        let before = everything(&lab, &netns);
        let configuration = network("crowd", "10.7.0.0/24");
        let all = |command: &str| {
            let calls = namespaces.iter().enumerate().map(|(i, netns)| {
                Call::new(
                    command,
                    &format!("container-{i}"),
                    &path(netns),
                    &configuration,
                )
                .start()
            });
            let running: Vec<_> = calls.collect();
            let ended = running.into_iter().map(|call| call.wait().ok());
            ended
                .flat_map(|outcome| outcome.addresses())
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(all("ADD").len(), 50);
        let active = lab.status().ports.iter().filter(|port| port.active).count();
        assert_eq!(active, 50);
        all("DEL");
        assert_eq!(everything(&lab, &netns), before);
    });
}

#[test]
fn two_interfaces_of_one_container_at_once_share_its_virtual_machine() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        for _ in 0..10 {
            let both = |command: &str| {
                let calls = ["eth0", "net1"].map(|ifname| {
                    Call::new(command, "c", &path(&netns), &network("net1", "10.1.1.0/24"))
                        .with("CNI_IFNAME", ifname)
                        .start()
                });
                calls.map(|call| call.wait().ok().addresses())
            };
            let [first, second] = both("ADD");
            assert_ne!(first, second);
            let machines: BTreeSet<String> = everything(&lab, &[])
                .into_iter()
                .filter(|line| line.starts_with("virtual-machine "))
                .collect();
            assert_eq!(machines.len(), 1);
            both("DEL");
            assert_eq!(everything(&lab, &[netns.netns()]), before);
        }
    });
}

#[test]
fn the_same_interface_twice_at_once_is_made_once() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let call = |command| Call::new(command, "c", &path(&netns), &network("n", "10.1.1.0/24"));
        let calls = [call("ADD").start(), call("ADD").start()].map(|running| running.wait());
        let (won, lost): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| call.success);
        assert_eq!((won.len(), lost.len()), (1, 1));
        assert_eq!(lost[0].json["code"], 4, "{}", lost[0].json);
        // The loser has not taken anything of the winner's with it.
        assert!(lab.status().ports.iter().all(|port| port.active));
        assert_eq!(lab.status().ports.len(), 1);
        call("DEL").run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

#[test]
fn a_dual_stack_network_gives_both_families() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let mut configuration = network("dual", "10.1.1.0/24");
        configuration["ipam"] = json!({"ranges": [
            [{"subnet": "10.1.1.0/24"}], [{"subnet": "fd00:1::/64"}]
        ]});
        let call = |command| Call::new(command, "c", &path(&netns), &configuration);
        let added = call("ADD").run().ok();
        assert_eq!(
            added.addresses(),
            ["10.1.1.252/24", "fd00:1::ffff:ffff:ffff:fffc/64"]
        );
        call("DEL").run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

#[test]
fn a_token_is_fetched_once_and_renewed_when_the_api_refuses_it() {
    sandbox::test(|| {
        let lab = lab_with(|options| options.authentication = true);
        let netns = TestNetns::new("c").unwrap();
        let call = |command| Call::new(command, "c", &path(&netns), &network("n", "10.1.1.0/24"));
        let tokens = || {
            lab.request_log()
                .count(ServiceName::Keystone, "POST", "/v2.0/tokens")
        };
        call("ADD").run().ok();
        call("DEL").run().ok();
        assert_eq!(tokens(), 1);

        let unauthorized = Action::Status(contrail_lab::faults::StatusAnswer {
            code: 401,
            body: "Unauthorized".into(),
            content_type: "text/plain".into(),
        });
        let mut rule = fault(ServiceName::ConfigApi, "", "", unauthorized);
        rule.count = Some(1);
        lab.faults().add(rule);
        call("ADD").run().ok();
        assert_eq!(tokens(), 2);
        call("DEL").run().ok();
        assert_eq!(tokens(), 2);
    });
}

#[test]
fn a_crashed_add_is_taken_over_by_the_next_one() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let call = |command| Call::new(command, "c", &path(&netns), &network("n", "10.1.1.0/24"));
        call("ADD").run().ok();
        // The container's end is gone, everything else is as a killed plugin leaves it.
        let gone = netns.output("ip", &["link", "del", "eth0"]).unwrap();
        assert!(gone.status.success());
        call("ADD").run().ok();
        assert_eq!(lab.status().ports.len(), 1);
        assert!(lab.status().ports[0].active);
        call("DEL").run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

#[test]
fn what_was_attached_under_an_earlier_name_of_the_host_is_found() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let call = |command, node| {
            let call = Call::new(command, "c", &path(&netns), &network("n", "10.1.1.0/24"));
            call.with("CONTRAIL_NODE_NAME", node)
        };
        call("ADD", "old-name").run().ok();
        call("DEL", "new-name").run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

#[test]
fn places_share_the_time_of_the_call() {
    sandbox::test(|| {
        // Both accept and never answer.
        let silent = ["127.0.0.1:18082", "127.0.0.1:28082"];
        let _silent = silent.map(|address| TcpListener::bind(address).unwrap());
        let netns = TestNetns::new("c").unwrap();
        let networks = silent.map(|api| json!({"name": "n", "api_server": api}));
        let document = json!({"networks": networks});
        let outcome = Call::new("DEL", "c", &path(&netns), &document)
            .with("CONTRAIL_ATTACH_TIMEOUT", "2")
            .run();
        let time = outcome.time;
        outcome.ok();
        assert!(time < Duration::from_millis(3500), "{time:?}");
    });
}

#[test]
fn what_del_cannot_remove_is_removed_by_a_later_one() {
    use contrail_lab::lab::Restartable;
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let call =
            |command, id: &str| Call::new(command, id, &path(&netns), &network("n", "10.1.1.0/24"));
        call("ADD", "c").run().ok();
        lab.stop_service(Restartable::ConfigApi);
        lab.stop_service(Restartable::Agent);
        call("DEL", "c").run().ok();
        lab.start_service(Restartable::Agent).unwrap();
        lab.start_service(Restartable::ConfigApi).unwrap();
        assert_ne!(everything(&lab, &[netns.netns()]), before);
        // Anybody's DEL will do.
        call("DEL", "somebody-else").run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

#[test]
fn an_add_whose_result_cannot_be_written_leaves_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let add = Call::new("ADD", "c", &path(&netns), &network("n", "10.5.0.0/16"));
        let full = File::options().write(true).open("/dev/full").unwrap();
        assert!(!add.run_into(full).success());
        assert_eq!(everything(&lab, &[netns.netns()]), before);
        add.run().ok();
    });
}

#[test]
fn a_container_that_is_attached_in_another_namespace_is_refused_and_stays() {
    sandbox::test(|| {
        let lab = lab();
        let (first, second) = (TestNetns::new("a").unwrap(), TestNetns::new("b").unwrap());
        let namespaces = [first.netns(), second.netns()];
        let call =
            |command, netns| Call::new(command, "c", &path(netns), &network("n", "10.5.0.0/16"));
        call("ADD", &first).run().ok();
        let attached = everything(&lab, &namespaces);
        let refused = call("ADD", &second).run();
        assert!(!refused.success);
        assert_eq!(refused.json["code"], 105);
        let details = refused.json["details"].as_str().unwrap();
        assert!(details.contains("another network namespace"), "{details}");
        assert_eq!(everything(&lab, &namespaces), attached);
        call("DEL", &first).run().ok();
        call("ADD", &second).run().ok();
    });
}
