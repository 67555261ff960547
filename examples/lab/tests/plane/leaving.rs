//! A member of a service instance that leaves in the wrong order takes the chain's packets with it, until what
//! repairs the chain is done.

use std::net::SocketAddr;

use contrail_core::http::Method;
use contrail_lab::lab::Lab;
use contrail_lab::sandbox;
use serde_json::{Value, json};

use crate::lab::{add_interface, create_interface, create_network, options, post, send};
use crate::world::Container;

/// A container that forwards between the networks, with a port tuple of its own.
struct Member {
    legs: [Container; 2],
    tuple: String,
}

fn named(name: &str) -> Value {
    json!(["default-domain", "admin", name])
}

fn container(api: SocketAddr, name: &str, network: u8, host: u8) -> Container {
    let address = format!("10.1.{network}.{host}/24").parse().unwrap();
    let gateway = format!("10.1.{network}.1").parse().unwrap();
    let container = Container::new(name, vec![address], gateway);
    create_interface(api, &container, &format!("net{network}"));
    container.plug();
    container
}

/// Makes the service instance; its id.
fn instance(api: SocketAddr) -> String {
    let body = json!({"service-instance": {
        "fq_name": named("fw"), "parent_type": "project",
        "service_template_refs": [{"to": ["default-domain", "routers"]}],
    }});
    let (_, answer) = send(Method::POST, api, "/service-instances", Some(&body)).unwrap();
    answer["service-instance"]["uuid"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn chain(api: SocketAddr) {
    let body = json!({"service-template": {
        "fq_name": ["default-domain", "routers"], "parent_type": "domain",
        "service_template_properties": {
            "version": 2, "service_mode": "in-network",
            "interface_type": [
                {"service_interface_type": "left"}, {"service_interface_type": "right"},
            ],
        },
    }});
    post(api, "/service-templates", &body);
    let end = |name: &str| json!([{"virtual_network": format!("default-domain:admin:{name}")}]);
    let ports = json!([{"start_port": -1, "end_port": -1}]);
    let body = json!({"network-policy": {
        "fq_name": named("chain"), "parent_type": "project",
        "network_policy_entries": {"policy_rule": [{
            "direction": "<>", "protocol": "any", "src_ports": ports, "dst_ports": ports,
            "src_addresses": end("net1"), "dst_addresses": end("net2"),
            "action_list": {
                "simple_action": "pass", "apply_service": ["default-domain:admin:fw"],
            },
        }]},
    }});
    post(api, "/network-policys", &body);
    for network in ["net1", "net2"] {
        let id = |kind: &str, name: &str| {
            let body = json!({"type": kind, "fq_name": named(name)});
            send(Method::POST, api, "/fqname-to-id", Some(&body))
                .unwrap()
                .1["uuid"]
                .clone()
        };
        let body = json!({
            "operation": "ADD", "type": "virtual-network", "uuid": id("virtual-network", network),
            "ref-type": "network-policy", "ref-uuid": id("network-policy", "chain"),
            "attr": {"sequence": {"major": 0, "minor": 0}},
        });
        post(api, "/ref-update", &body);
    }
}

impl Member {
    fn new(lab: &Lab, name: &str, host: u8) -> Self {
        let (api, agent) = (lab.addresses().config_api, lab.addresses().agent);
        let left = container(api, name, 1, host);
        let address = format!("10.1.2.{host}/24").parse().unwrap();
        let right = left.leg("eth1", vec![address], "10.1.2.1".parse().unwrap());
        add_interface(api, &right, "net2");
        for forward in ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0"] {
            left.run("sysctl", &["-qw", forward]);
        }
        let tuple = json!({"port-tuple": {
            "fq_name": ["default-domain", "admin", "fw", name], "parent_type": "service-instance",
        }});
        let (_, answer) = send(Method::POST, api, "/port-tuples", Some(&tuple)).unwrap();
        let tuple = answer["port-tuple"]["uuid"].as_str().unwrap().to_owned();
        let member = Self {
            legs: [left, right],
            tuple,
        };
        member.refer(api, "ADD");
        for leg in &member.legs {
            post(agent, "/port", &leg.port());
        }
        member
    }

    /// Has both interfaces join or leave the tuple.
    fn refer(&self, api: SocketAddr, operation: &str) {
        for (leg, role) in self.legs.iter().zip(["left", "right"]) {
            let path = format!("/virtual-machine-interface/{}", leg.id);
            let role = json!({"service_interface_type": role});
            let body = json!({"virtual-machine-interface": {
                "virtual_machine_interface_properties": role,
            }});
            send(Method::PUT, api, &path, Some(&body)).unwrap();
            let body = json!({
                "operation": operation, "type": "virtual-machine-interface", "uuid": leg.id,
                "ref-type": "port-tuple", "ref-uuid": self.tuple,
            });
            post(api, "/ref-update", &body);
        }
    }

    fn delete_interfaces(&self, lab: &Lab) {
        let (api, agent) = (lab.addresses().config_api, lab.addresses().agent);
        for leg in &self.legs {
            delete(agent, &format!("/port/{}", leg.id));
            let path = format!("/virtual-machine-interface/{}", leg.id);
            let interface = send(Method::GET, api, &path, None).unwrap().1;
            let ips = &interface["virtual-machine-interface"]["instance_ip_back_refs"];
            for ip in ips.as_array().unwrap() {
                let is_shared = ip["to"][0] != format!("{}-v4", leg.id);
                if !is_shared {
                    delete(
                        api,
                        &format!("/instance-ip/{}", ip["uuid"].as_str().unwrap()),
                    );
                }
            }
            delete(api, &path);
        }
    }

    fn delete_tuple(&self, lab: &Lab) {
        let api = lab.addresses().config_api;
        delete(api, &format!("/port-tuple/{}", self.tuple));
    }
}

fn delete(address: SocketAddr, path: &str) {
    let (status, answer) = send(Method::DELETE, address, path, None).unwrap();
    assert_eq!(status, 200, "{path}: {answer}");
}

#[test]
fn packets_pass_again_once_a_chain_that_was_left_in_the_wrong_order_is_repaired() {
    sandbox::test(|| {
        let lab = Lab::start(options()).unwrap();
        let (api, agent) = (lab.addresses().config_api, lab.addresses().agent);
        create_network(api, "net1", "10.1.1.0");
        create_network(api, "net2", "10.1.2.0");
        chain(api);
        let [alp1, alp2] = [1, 2].map(|network| {
            let end = container(api, &format!("alp{network}"), network, 3);
            post(agent, "/port", &end.port());
            end
        });
        let ping = || {
            lab.settle();
            alp1.first_ping(alp2.address(0))
        };
        let id = instance(api);
        let first = Member::new(&lab, "fw1", 10);
        assert_eq!(ping(), Some(62));

        // The order that keeps the chain.
        first.refer(api, "DELETE");
        assert_eq!(ping(), None);
        first.delete_tuple(&lab);
        first.delete_interfaces(&lab);
        let second = Member::new(&lab, "fw2", 11);
        assert_eq!(ping(), Some(62));

        // The order that does not.
        second.delete_interfaces(&lab);
        second.delete_tuple(&lab);
        let third = Member::new(&lab, "fw3", 12);
        assert_eq!(ping(), None);

        third.refer(api, "DELETE");
        third.delete_tuple(&lab);
        third.delete_interfaces(&lab);
        delete(api, &format!("/service-instance/{id}"));
        instance(api);
        let _fourth = Member::new(&lab, "fw4", 13);
        assert_eq!(ping(), Some(62));
        lab.stop().unwrap();
    });
}
