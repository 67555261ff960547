//! Networks and endpoints: what they make, what they cost, and that nothing of them is ever left.

use contrail_core::FqName;
use contrail_core::api::{IpamSubnet, NetworkIpam, VirtualNetwork};
use contrail_lab::faults::Action;
use contrail_lab::http::ServiceName;
use contrail_lab::sandbox;
use opencontrail_tests::world::{client, fault, lab};
use serde_json::json;

use crate::engine::{Engine, SUBNET, objects};

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
        // One of those at the end asks whether the endpoint is a member of a service.
        assert_eq!((start, stop), (4, 4));
        // One more when the state is lost in between.
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        engine.join("n1", "e1", "s1").unwrap();
        let engine = Engine::without_state("host1");
        assert_eq!(requests(&|| engine.delete_endpoint("n1", "e1")), 5);
    });
}

#[test]
fn twenty_containers_come_and_go_at_once() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        let at_once = |act: &(dyn Fn(usize) + Sync)| {
            std::thread::scope(|scope| {
                for number in 0..20 {
                    scope.spawn(move || act(number));
                }
            });
        };
        at_once(&|number| {
            let (endpoint, sandbox) = (format!("e{number}"), format!("s{number}"));
            let address = format!("10.1.1.{}/24", 10 + number);
            engine.create_endpoint("n1", &endpoint, &address).unwrap();
            engine.join("n1", &endpoint, &sandbox).unwrap();
        });
        assert_eq!(lab.status().ports.len(), 20);
        at_once(&|number| {
            engine.leave("n1", &format!("e{number}"));
            engine.delete_endpoint("n1", &format!("e{number}"));
        });
        assert_eq!(objects(&lab), before);
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
            Action::DropBefore,
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
