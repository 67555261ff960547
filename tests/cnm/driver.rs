//! Networks and endpoints: what they make, what they cost, and that nothing of them is ever left.

use std::collections::BTreeSet;

use contrail_core::FqName;
use contrail_core::api::{
    IpamSubnet, ListQuery, NetworkIpam, PortTuple, SecurityGroup, VirtualMachineInterface,
    VirtualNetwork,
};
use contrail_core::net::{Dataplane, Kernel};
use contrail_lab::faults::Action;
use contrail_lab::http::ServiceName;
use contrail_lab::lab::{Lab, Restartable};
use contrail_lab::sandbox;
use opencontrail_tests::world::{client, everything, fault, lab};
use serde_json::{Value, json};

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
            let engine = {
                drop(engine);
                restart("host1")
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

/// Creates the network `n1` with options.
fn create(engine: &Engine, options: Value) -> Result<Value, String> {
    engine.send(
        "CreateNetwork",
        json!({
            "NetworkID": "n1",
            "Options": {"com.docker.network.generic": options},
            "IPv4Data": [{
                "AddressSpace": "LocalDefault", "Pool": SUBNET, "Gateway": "10.1.1.1/24",
                "AuxAddresses": {"printer": "10.1.1.9/24"},
            }],
        }),
    )
}

#[test]
fn the_options_of_a_network_survive_the_loss_of_the_state() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        let options = json!({"name": "net1", "mtu": "1400", "gateway": "none", "ports": "error"});
        create(&engine, options).unwrap();
        drop(engine);
        let engine = Engine::without_state("host1");
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        let joined = engine.join("n1", "e1", "s1").unwrap();
        assert_eq!(joined.get("Gateway"), None);
        let link = joined["InterfaceName"]["SrcName"].as_str().unwrap();
        let link = Kernel::new().link(None, link).unwrap().unwrap();
        assert_eq!(link.mtu, 1400);
        engine.leave("n1", "e1");
        engine.delete_endpoint("n1", "e1");
        // With the auxiliary address.
        engine.delete_network("n1");
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn an_adopted_network_survives_the_loss_of_the_state_too() {
    sandbox::test(|| {
        let lab = lab();
        let subnet = IpamSubnet::new(SUBNET.parse().unwrap());
        let name: FqName = "default-domain:admin:theirs".parse().unwrap();
        let mut theirs =
            VirtualNetwork::new(name.clone(), NetworkIpam::default_name(), vec![subnet]);
        theirs.meta.annotations = [("colour", "red")].into_iter().collect();
        client().create(&theirs).unwrap();
        let before = objects(&lab);
        let adopt = json!({
            "NetworkID": "n1",
            "Options": {"com.docker.network.generic": {"vn": "theirs"}},
            "IPv4Data": [{"Pool": SUBNET, "Gateway": "10.1.1.254/24"}],
        });
        let engine = Engine::on("host1");
        engine.send("CreateNetwork", adopt).unwrap();
        drop(engine);
        let engine = Engine::without_state("host1");
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        engine.delete_endpoint("n1", "e1");
        engine.delete_network("n1");
        assert_eq!(objects(&lab), before);
        let theirs: VirtualNetwork = client().lookup(&name).unwrap().unwrap();
        let annotations: Vec<&String> = theirs.meta.annotations.0.keys().collect();
        assert_eq!(annotations, ["colour"]);
    });
}

#[test]
fn a_network_that_exists_must_have_the_route_targets_that_are_asked_for() {
    sandbox::test(|| {
        let lab = lab();
        let [one, two] = ["host1", "host2"].map(Engine::on);
        create(&one, json!({"name": "net1", "rt": "64512:1,64512:2"})).unwrap();
        let before = objects(&lab);
        let error = create(&two, json!({"name": "net1", "rt": "64512:3"})).unwrap_err();
        assert!(
            error.contains("target:64512:3") && error.contains("target:64512:1, target:64512:2"),
            "{error}"
        );
        assert_eq!(objects(&lab), before);
        create(&two, json!({"name": "net1", "rt": "64512:2"})).unwrap();
    });
}

#[test]
fn an_address_for_dns_is_that_of_the_subnet() {
    sandbox::test(|| {
        let _lab = lab();
        let engine = Engine::on("host1");
        let error = create(&engine, json!({"name": "net1", "dns": "10.9.9.9"})).unwrap_err();
        assert!(
            error.contains("option dns") && error.contains("10.9.9.9"),
            "{error}"
        );
        create(&engine, json!({"name": "net1", "dns": "10.1.1.53"})).unwrap();
        let name: FqName = "default-domain:admin:net1".parse().unwrap();
        let network: VirtualNetwork = client().lookup(&name).unwrap().unwrap();
        let dns = network.subnets().next().unwrap().dns();
        assert_eq!(dns, Some("10.1.1.53".parse().unwrap()));
    });
}

#[test]
fn security_groups_filter_an_endpoint() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        let endpoint = json!({
            "NetworkID": "n1",
            "EndpointID": "e1",
            "Interface": {"Address": "10.1.1.2/24"},
            "Options": {"security-group": "web"},
        });
        let error = engine.send("CreateEndpoint", endpoint.clone()).unwrap_err();
        assert!(error.contains("default-domain:admin:web"), "{error}");
        assert_eq!(objects(&lab), before);

        let name: FqName = "default-domain:admin:web".parse().unwrap();
        let group = SecurityGroup::new(name.clone(), Default::default());
        client().create(&group).unwrap();
        engine.send("CreateEndpoint", endpoint).unwrap();
        let ports: Vec<VirtualMachineInterface> =
            client().list(&ListQuery::all().detail()).unwrap();
        assert_eq!(ports[0].security_group_refs[0].to, name);
        engine.delete_endpoint("n1", "e1");
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn the_networks_of_a_container_are_the_legs_of_a_service() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        engine.create_network("n2", "net2", "10.1.2.0/24").unwrap();
        let before = everything(&lab, &[]);
        for (network, address, leg) in [
            ("n1", "10.1.1.2/24", "left"),
            ("n2", "10.1.2.2/24", "right"),
        ] {
            let endpoint = json!({
                "NetworkID": network,
                "EndpointID": format!("e-{network}"),
                "Interface": {"Address": address},
                "Options": {"service": "fw", "service-interface": leg},
            });
            engine.send("CreateEndpoint", endpoint).unwrap();
            engine.join(network, &format!("e-{network}"), "s1").unwrap();
        }
        let query = ListQuery::all().fields(&["virtual_machine_interface_back_refs"]);
        let tuples: Vec<PortTuple> = client().list(&query.detail()).unwrap();
        assert_eq!(tuples.len(), 1);
        assert_eq!(tuples[0].virtual_machine_interface_back_refs.len(), 2);
        for network in ["n2", "n1"] {
            engine.leave(network, &format!("e-{network}"));
            engine.delete_endpoint(network, &format!("e-{network}"));
        }
        assert_eq!(everything(&lab, &[]), before);
    });
}

#[test]
fn an_address_that_docker_gives_anew_is_taken_from_an_endpoint_that_ended_unheard() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        engine.create_network("n2", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        engine.join("n1", "e1", "s1").unwrap();
        // The container ended while the plugin was down.
        engine.create_endpoint("n1", "e2", "10.1.1.2/24").unwrap();
        assert_eq!(lab.status().ports.len(), 0);
        // Another Docker network of the same virtual network has an IPAM of its own.
        let error = engine
            .create_endpoint("n2", "e3", "10.1.1.2/24")
            .unwrap_err();
        assert!(error.contains("--ipam-driver opencontrail"), "{error}");
        engine.delete_endpoint("n1", "e2");
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
            let ports = json!([{"Proto": 6, "Port": 80, "HostPort": 8080}]);
            let publish = json!({
                "NetworkID": id,
                "EndpointID": id,
                "Interface": {"Address": "10.1.1.2/24"},
                "Options": {"com.docker.network.portmap": ports},
            });
            let answer = engine.send("CreateEndpoint", publish);
            assert_eq!(answer.is_err(), id == "n2", "{answer:?}");
            if let Err(reason) = answer {
                assert!(
                    reason.contains("8080:80") && reason.contains("10.1.1.2"),
                    "{reason}"
                );
            }
        }
    });
}
