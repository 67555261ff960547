//! What the driver finds again after restarts, a loss of its state, and times in which nobody answered.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use contrail_core::api::{
    InstanceIp, IpamSubnet, ListQuery, NetworkIpam, Project, VirtualMachineInterface,
    VirtualNetwork,
};
use contrail_core::kernel::{Dataplane, Kernel};
use contrail_core::ownership::mark::RESERVED;
use contrail_core::state::lock::InterfaceLock;
use contrail_core::{Deadline, FqName, values::identity};
use contrail_lab::http::ServiceName::ConfigApi;
use contrail_lab::lab::Restartable;
use contrail_lab::sandbox;
use opencontrail_tests::faults;
use opencontrail_tests::world::{client, fault, lab, make_flat_network};
use serde_json::{Value, json};

use crate::engine::{Engine, SUBNET, objects};

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
fn the_options_of_a_network_survive_the_loss_of_the_state() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        let options = json!({"name": "net1", "mtu": "1400", "gateway": "none", "ports": "error"});
        engine.create_with(options).unwrap();
        drop(engine);
        let engine = Engine::without_state("host1");
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        let joined = engine.join("n1", "e1", "s1").unwrap();
        assert_eq!(joined.get("Gateway"), None);
        let link = joined["InterfaceName"]["SrcName"].as_str().unwrap();
        let link = Kernel::new().link(None, link).unwrap().unwrap();
        assert_eq!(link.mtu, Some(1400));
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
fn a_network_on_a_flat_ipam_is_adopted_and_survives_the_loss_of_the_state() {
    sandbox::test(|| {
        let lab = lab();
        make_flat_network(&client(), &["10.60.0.0/24"], None);
        let before = objects(&lab);
        let adopt = json!({
            "NetworkID": "n1",
            "Options": {"com.docker.network.generic": {"vn": "pods"}},
            "IPv4Data": [{"Pool": "10.60.0.0/24", "Gateway": "10.60.0.254/24"}],
        });
        let engine = Engine::on("host1");
        engine.send("CreateNetwork", adopt).unwrap();
        drop(engine);
        let engine = Engine::without_state("host1");
        engine.create_endpoint("n1", "e1", "10.60.0.9/24").unwrap();
        engine.delete_endpoint("n1", "e1");
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
        // Two containers that start at once.
        thread::scope(|scope| {
            for (endpoint, address) in [("e1", "10.1.1.2/24"), ("e2", "10.1.1.3/24")] {
                let engine = &engine;
                scope.spawn(move || engine.create_endpoint("n1", endpoint, address).unwrap());
            }
        });
        let again = client().lookup::<VirtualNetwork>(&name).unwrap().unwrap();
        assert_eq!(again.route_target_list.route_target, ["target:64512:1"]);
        engine.delete_endpoint("n1", "e1");
        engine.delete_endpoint("n1", "e2");
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
fn an_endpoint_that_could_not_be_deleted_for_its_lock_is_deleted_later() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::impatient("1", "1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        engine.join("n1", "e1", "e1").unwrap();
        let interface = identity::interface("host1", "e1", "");
        let end = Deadline::after(Duration::from_secs(1));
        let lock = InterfaceLock::acquire(Path::new("/run/contrail"), interface, end).unwrap();
        let ids = json!({"NetworkID": "n1", "EndpointID": "e1"});
        engine.send("DeleteEndpoint", ids).unwrap_err();
        drop(lock);
        // Docker does not ask again.
        engine.tidy();
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn the_address_that_a_service_instance_shares_is_no_endpoints_own() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        let create = json!({
            "NetworkID": "n1", "EndpointID": "e1", "Interface": {"Address": "10.1.1.2/24"},
            "Options": {"service": "fw", "service-interface": "left"},
        });
        engine.send("CreateEndpoint", create).unwrap();
        engine.join("n1", "e1", "s1").unwrap();
        let interface = identity::interface("host1", "e1", "");
        let found: VirtualMachineInterface = client()
            .get_with(interface, &["instance_ip_back_refs"])
            .unwrap();
        assert_eq!(found.instance_ip_back_refs.len(), 3);

        // The answer to Join was lost with the plugin's state: Docker asks again.
        let engine = {
            drop(engine);
            Engine::without_state("host1")
        };
        engine.join("n1", "e1", "s1").unwrap();
        let file = format!("/var/lib/contrail/ports/{interface}");
        let port: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert_eq!(port["ip-address"], "10.1.1.2");
        engine.leave("n1", "e1");
        engine.delete_endpoint("n1", "e1");
        // What was noted of its part in the service went with the state.
        let left = objects(&lab);
        let left = left.difference(&before);
        assert!(
            left.clone()
                .all(|object| object.contains(":fw") || object.contains("service-template")),
            "{left:?}"
        );
    });
}

#[test]
fn a_container_that_comes_back_after_an_outage_gets_its_address() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        engine.join("n1", "e1", "s1").unwrap();
        lab.stop_service(Restartable::ConfigApi);
        engine.leave("n1", "e1");
        engine.delete_endpoint("n1", "e1");
        lab.start_service(Restartable::ConfigApi).unwrap();
        // What waits has the address; Docker's own IPAM gives it anew.
        engine.create_endpoint("n1", "e2", "10.1.1.2/24").unwrap();
    });
}

#[test]
fn an_endpoint_that_cannot_be_removed_does_not_keep_the_others_of_its_network() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        for (endpoint, address) in [("e1", "10.1.1.2/24"), ("e2", "10.1.1.3/24")] {
            engine.create_endpoint("n1", endpoint, address).unwrap();
            engine.join("n1", endpoint, endpoint).unwrap();
        }
        let interface = |endpoint| identity::interface("host1", endpoint, "");
        let path = format!("/virtual-machine-interface/{}", interface("e1"));
        lab.faults()
            .add(fault(ConfigApi, "DELETE", &path, faults::status(403)));
        // The engine was told of no end of its containers.
        engine.delete_network("n1");
        let left = crate::hosts::interfaces();
        assert_eq!(left.into_iter().collect::<Vec<_>>(), [interface("e1")]);
        lab.faults().clear();
        engine.tidy();
        engine.tidy();
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn the_mark_of_a_reserved_address_tells_whose_it_is_and_not_its_words() {
    sandbox::test(|| {
        let _lab = lab();
        let engine = Engine::on("host1");
        engine.create_with(json!({"name": "net1"})).unwrap();
        let pool = "default-domain:admin:net1@10.1.1.0/24@";
        let request = |engine: &Engine, address: &str| {
            let arguments = json!({"PoolID": pool, "Address": address, "Options": {}});
            engine.call("IpamDriver.RequestAddress", arguments)
        };
        request(&engine, "10.1.1.10").unwrap();
        drop(engine);
        // Each has the words of the other now.
        let auxiliary = "auxiliary address printer of Docker network n1";
        for (address, words) in [("10.1.1.9", "reserved by Docker"), ("10.1.1.10", auxiliary)] {
            let all = client()
                .list::<InstanceIp>(&ListQuery::all().detail())
                .unwrap();
            let wanted = Some(address.parse().unwrap());
            let ip = all.iter().find(|ip| ip.address == wanted).unwrap();
            let id = ip.meta.uuid.unwrap();
            client()
                .annotate::<InstanceIp>(id, RESERVED, Some(words))
                .unwrap();
        }
        let engine = Engine::without_state("host1");
        let error = request(&engine, "10.1.1.9").unwrap_err();
        assert!(
            error.contains("10.1.1.9") && error.contains("is taken"),
            "{error}"
        );
        assert_eq!(
            request(&engine, "10.1.1.10").unwrap()["Address"],
            "10.1.1.10/24"
        );
    });
}

#[test]
fn a_network_with_a_copied_annotation_gets_no_endpoint() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        drop(engine);
        let name: FqName = "default-domain:admin:net1".parse().unwrap();
        let own: VirtualNetwork = client().lookup(&name).unwrap().unwrap();
        // With the marks of owner and machine.
        let stranger = Project::new("default-domain:stranger".parse().unwrap());
        client().create(&stranger).unwrap();
        let copies = ["stranger:net1", "stranger:aaa", "admin:aaa"];
        for copy in copies {
            let name = format!("default-domain:{copy}").parse().unwrap();
            let subnet = IpamSubnet::new(SUBNET.parse().unwrap());
            let mut copy = VirtualNetwork::new(name, NetworkIpam::default_name(), vec![subnet]);
            copy.meta.annotations = own.meta.annotations.clone();
            client().create(&copy).unwrap();
        }
        let before = objects(&lab);
        let engine = Engine::without_state("host1");
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        let ports: Vec<VirtualMachineInterface> =
            client().list(&ListQuery::all().detail()).unwrap();
        let networks: Vec<&FqName> = ports
            .iter()
            .flat_map(|port| &port.virtual_network_refs)
            .filter_map(|network| network.to.as_ref())
            .collect();
        assert_eq!(networks, [&name]);
        engine.delete_endpoint("n1", "e1");
        assert_eq!(objects(&lab), before);
        // Where only the copies are left, none of them is meant.
        engine.delete_network("n1");
        drop(engine);
        let engine = Engine::without_state("host1");
        let error = engine
            .create_endpoint("n1", "e1", "10.1.1.2/24")
            .unwrap_err();
        assert!(error.contains("n1 is not known"), "{error}");
    });
}
