//! Networks and endpoints: what they make, what they cost, and that nothing of them is ever left.

use std::collections::BTreeSet;

use contrail_core::FqName;
use contrail_core::api::{IpamSubnet, NetworkIpam, VirtualNetwork};
use contrail_lab::faults::Action;
use contrail_lab::http::ServiceName;
use contrail_lab::lab::{Lab, Restartable};
use contrail_lab::sandbox;
use opencontrail_tests::world::{client, everything, fault, lab};
use serde_json::json;

use crate::engine::Engine;

const SUBNET: &str = "10.1.1.0/24";

/// What is there, without the files in which the driver remembers what exists.
fn objects(lab: &Lab) -> BTreeSet<String> {
    everything(lab, &[])
}

fn exists(name: &str) -> bool {
    let name = FqName::new(["default-domain", "admin", name]);
    client().lookup::<VirtualNetwork>(&name).unwrap().is_some()
}

#[test]
fn a_container_comes_and_goes_and_leaves_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let made = engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        // Only what Docker left empty.
        assert_eq!(
            made["Interface"]
                .as_object()
                .unwrap()
                .keys()
                .collect::<Vec<_>>(),
            ["MacAddress"]
        );
        let joined = engine.join("n1", "e1", "s1").unwrap();
        assert_eq!(joined["Gateway"], "10.1.1.1");
        assert_eq!(joined["InterfaceName"]["DstPrefix"], "eth");
        let status = lab.status();
        assert_eq!(
            status.ports[0].addresses,
            ["10.1.1.2".parse::<std::net::IpAddr>().unwrap()]
        );
        assert_eq!(
            Some(status.ports[0].mac.to_string()),
            made["Interface"]["MacAddress"].as_str().map(str::to_owned)
        );
        for _ in 0..2 {
            engine.leave("n1", "e1");
            engine.delete_endpoint("n1", "e1");
            engine.delete_network("n1");
        }
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn a_container_costs_as_many_requests_whatever_the_number_of_networks() {
    sandbox::test(|| {
        let lab = lab();
        for i in 0..200 {
            let subnet = IpamSubnet::new("10.9.0.0/16".parse().unwrap());
            let name = FqName::new(["default-domain", "admin"]).child(format!("other{i}"));
            let other = VirtualNetwork::new(name, NetworkIpam::default_name(), vec![subnet]);
            client().create(&other).unwrap();
        }
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let requests = |act: &dyn Fn()| {
            lab.request_log().reset();
            act();
            let entries = lab.request_log().entries();
            entries
                .iter()
                .filter(|e| e.service == ServiceName::ConfigApi)
                .count()
        };
        let start = requests(&|| {
            engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
            engine.join("n1", "e1", "s1").unwrap();
        });
        let stop = requests(&|| {
            engine.leave("n1", "e1");
            engine.delete_endpoint("n1", "e1");
        });
        assert_eq!((start, stop), (4, 3));
        // One more when the state is lost in between.
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        engine.join("n1", "e1", "s1").unwrap();
        let engine = Engine::without_state("host1");
        assert_eq!(requests(&|| engine.delete_endpoint("n1", "e1")), 4);
    });
}

#[test]
fn two_networks_of_one_container_share_its_virtual_machine() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        for (network, endpoint, subnet) in [("n1", "e1", SUBNET), ("n2", "e2", "10.1.2.0/24")] {
            engine.create_network(network, network, subnet).unwrap();
            let address = subnet.replace(".0/", ".2/");
            engine.create_endpoint(network, endpoint, &address).unwrap();
            engine.join(network, endpoint, "s1").unwrap();
        }
        let machines = objects(&lab)
            .into_iter()
            .filter(|o| o.starts_with("virtual-machine "));
        assert_eq!(machines.count(), 1);
        for (network, endpoint) in [("n1", "e1"), ("n2", "e2")] {
            // After a failed join some engines send no Leave.
            engine.delete_endpoint(network, endpoint);
            engine.delete_network(network);
        }
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn a_restart_at_any_point_with_or_without_the_state_forgets_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        for restart in [Engine::on, Engine::without_state] {
            let engine = Engine::on("host1");
            engine.create_network("n1", "net1", SUBNET).unwrap();
            let engine = {
                drop(engine);
                restart("host1")
            };
            engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
            // What CreateEndpoint was told is not known to anybody else, so this state is needed.
            let engine = {
                drop(engine);
                Engine::on("host1")
            };
            engine.join("n1", "e1", "s1").unwrap();
            let engine = {
                drop(engine);
                restart("host1")
            };
            engine.leave("n1", "e1");
            let engine = {
                drop(engine);
                restart("host1")
            };
            engine.delete_endpoint("n1", "e1");
            let engine = {
                drop(engine);
                restart("host1")
            };
            engine.delete_network("n1");
            assert_eq!(objects(&lab), before);
        }
    });
}

#[test]
fn a_network_goes_with_its_last_user_on_any_host() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        for order in [["host1", "host2"], ["host2", "host1"]] {
            let engines = order.map(Engine::on);
            for (engine, id) in engines.iter().zip(["a", "b"]) {
                engine.create_network(id, "net1", SUBNET).unwrap();
            }
            engines[0]
                .create_endpoint("a", "e1", "10.1.1.2/24")
                .unwrap();
            // Docker's own IPAM on the other host hands out the same address.
            let clash = engines[1]
                .create_endpoint("b", "e2", "10.1.1.2/24")
                .unwrap_err();
            for part in ["10.1.1.2", "net1", order[0], "--ipam-driver opencontrail"] {
                assert!(clash.contains(part), "{part}: {clash}");
            }
            engines[0].delete_endpoint("a", "e1");
            engines[1].delete_network("b");
            assert!(exists("net1"));
            engines[0].delete_network("a");
            assert_eq!(objects(&lab), before);
        }
    });
}

#[test]
fn an_adopted_network_is_never_removed_and_must_not_be_contradicted() {
    sandbox::test(|| {
        let lab = lab();
        let subnet = IpamSubnet::new(SUBNET.parse().unwrap());
        let name: FqName = "default-domain:admin:theirs".parse().unwrap();
        let theirs = VirtualNetwork::new(name, NetworkIpam::default_name(), vec![subnet]);
        client().create(&theirs).unwrap();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        let error = engine.create_network("n1", "theirs", SUBNET).unwrap_err();
        assert!(
            error.contains("10.1.1.254") && error.contains("10.1.1.1"),
            "{error}"
        );
        assert_eq!(objects(&lab), before);
        let adopt = json!({
            "NetworkID": "n1",
            "Options": {"com.docker.network.generic": {"vn": "theirs"}},
            "IPv4Data": [{"Pool": SUBNET, "Gateway": "10.1.1.254/24"}],
        });
        engine.send("CreateNetwork", adopt.clone()).unwrap();
        engine.send("CreateNetwork", adopt).unwrap();
        engine.delete_network("n1");
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn a_network_that_vanished_is_made_again_from_what_is_known() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let name: FqName = "default-domain:admin:net1".parse().unwrap();
        let found = client().lookup::<VirtualNetwork>(&name).unwrap().unwrap();
        client()
            .delete::<VirtualNetwork>(found.meta.uuid.unwrap())
            .unwrap();
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        let again = client().lookup::<VirtualNetwork>(&name).unwrap().unwrap();
        assert_eq!(again.route_target_list.route_target, ["target:64512:1"]);
        engine.delete_endpoint("n1", "e1");
        engine.delete_network("n1");
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn deletes_succeed_while_nobody_answers_and_are_done_later() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        engine.join("n1", "e1", "s1").unwrap();
        lab.stop_service(Restartable::ConfigApi);
        lab.stop_service(Restartable::Agent);
        engine.leave("n1", "e1");
        engine.delete_endpoint("n1", "e1");
        lab.start_service(Restartable::Agent).unwrap();
        lab.start_service(Restartable::ConfigApi).unwrap();
        // Anybody's delete will do.
        engine.delete_endpoint("n1", "never-was");
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn a_failed_half_leaves_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        lab.faults().add(fault(
            ServiceName::ConfigApi,
            "POST",
            "/instance-ips",
            Action::DropAfter,
        ));
        engine
            .create_endpoint("n1", "e1", "10.1.1.2/24")
            .unwrap_err();
        lab.faults().clear();
        assert_eq!(objects(&lab), before);

        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        let created = objects(&lab);
        lab.faults()
            .add(fault(ServiceName::Agent, "POST", "/port", Action::Forget));
        engine.join("n1", "e1", "s1").unwrap_err();
        lab.faults().clear();
        assert_eq!(objects(&lab), created);
        engine.join("n1", "e1", "s1").unwrap();
    });
}

#[test]
fn mistakes_are_refused_with_a_reason_and_change_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        let network = |options, pool: &str| {
            engine.send(
                "CreateNetwork",
                json!({
                    "NetworkID": "n1",
                    "Options": {"com.docker.network.generic": options},
                    "IPv4Data": [{"Pool": pool}],
                }),
            )
        };
        for (answer, reason) in [
            (
                network(json!({"nmae": "x"}), SUBNET),
                "did you mean \"name\"",
            ),
            (network(json!({"rt": "x"}), SUBNET), "option rt"),
            (network(json!({}), "10.1.1.0/99"), "10.1.1.0/99"),
            (network(json!({}), "0.0.0.0/0"), "--ipam-driver null"),
            (
                network(json!({"vn": "absent"}), SUBNET),
                "absent does not exist",
            ),
            (
                engine.create_endpoint("unknown", "e1", "10.1.1.2/24"),
                "docker network rm",
            ),
            (
                engine.create_endpoint("../n", "e1", "10.1.1.2/24"),
                "is not an id",
            ),
            (engine.join("unknown", "e1", "s"), "docker network rm"),
        ] {
            let error = answer.unwrap_err();
            assert!(error.contains(reason), "{reason}: {error}");
        }
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn published_ports_are_an_error_only_on_request() {
    sandbox::test(|| {
        let _lab = lab();
        let engine = Engine::on("host1");
        for (id, ports) in [
            ("n1", json!({"name": "a"})),
            ("n2", json!({"name": "b", "ports": "error"})),
        ] {
            let create = json!({
                "NetworkID": id,
                "Options": {"com.docker.network.generic": ports},
                "IPv4Data": [{"Pool": SUBNET, "Gateway": "10.1.1.1/24"}],
            });
            engine.send("CreateNetwork", create).unwrap();
            engine.create_endpoint(id, id, "10.1.1.2/24").unwrap();
            let publish = json!({
                "NetworkID": id,
                "EndpointID": id,
                "Options": {"com.docker.network.portmap": [{"Proto": 6, "Port": 80, "HostPort": 8080}]},
            });
            let answer = engine.send("ProgramExternalConnectivity", publish);
            assert_eq!(answer.is_err(), id == "n2", "{answer:?}");
        }
    });
}
