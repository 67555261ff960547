//! A whole lab: from requests to its services to packets.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use contrail_core::Deadline;
use contrail_core::http::{Http, Method, Request, TlsSettings, Transport, TransportError};
use contrail_lab::dataplane::Mode;
use contrail_lab::lab::{Lab, LabOptions, Restartable};
use contrail_lab::sandbox;
use serde_json::{Value, json};

use crate::world::{Container, wait_for};

/// Sends a request to a service of a lab.
pub fn send(
    method: Method,
    address: SocketAddr,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, Value), TransportError> {
    let http = Http::new(&TlsSettings::default(), Duration::from_secs(5)).unwrap();
    let url = format!("http://{address}{path}");
    let request = Request::new(method, url, Deadline::after(Duration::from_secs(20)));
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let answer = http.send(&request)?;
    let text = || Value::String(String::from_utf8_lossy(&answer.body).into_owned());
    let body = serde_json::from_slice(&answer.body).unwrap_or_else(|_| text());
    Ok((answer.status, body))
}

pub fn post(address: SocketAddr, path: &str, body: &Value) {
    let (status, answer) = send(Method::POST, address, path, Some(body)).unwrap();
    assert_eq!(status, 200, "{path}: {answer}");
}

pub fn options() -> LabOptions {
    LabOptions {
        data_plane: Mode::On,
        ..LabOptions::new("/run/ports")
    }
}

pub fn create_network(api: SocketAddr, name: &str, prefix: &str) {
    let subnet = json!({
        "subnet": { "ip_prefix": prefix, "ip_prefix_len": 24 }, "addr_from_start": true
    });
    let ipam = json!({
        "to": ["default-domain", "default-project", "default-network-ipam"],
        "attr": { "ipam_subnets": [subnet] }
    });
    let network = json!({ "virtual-network": {
        "fq_name": ["default-domain", "admin", name], "parent_type": "project",
        "network_ipam_refs": [ipam]
    } });
    post(api, "/virtual-networks", &network);
}

/// Makes the objects of a container and its interface, in a client's order.
pub fn create_interface(api: SocketAddr, container: &Container, network: &str) {
    let vm = container.machine.to_string();
    let machine = json!({ "virtual-machine": { "fq_name": [vm], "uuid": vm } });
    post(api, "/virtual-machines", &machine);
    add_interface(api, container, network);
}

/// Makes the objects of one more interface of a container.
pub fn add_interface(api: SocketAddr, container: &Container, network: &str) {
    let (id, vm) = (container.id.to_string(), container.machine.to_string());
    let network = json!([{ "to": ["default-domain", "admin", network] }]);
    let interface = ["default-domain", "admin", &id];
    let body = json!({ "virtual-machine-interface": {
        "fq_name": interface, "uuid": id, "parent_type": "project",
        "virtual_network_refs": network, "virtual_machine_refs": [{ "to": [vm] }]
    } });
    post(api, "/virtual-machine-interfaces", &body);
    let body = json!({ "instance-ip": {
        "fq_name": [format!("{id}-v4")], "instance_ip_address": container.address(0),
        "virtual_network_refs": network,
        "virtual_machine_interface_refs": [{ "to": interface }]
    } });
    post(api, "/instance-ips", &body);
}

fn attach(lab: &Lab, name: &str, network: &str, address: &str) -> Container {
    let gateway = "10.1.1.1".parse().unwrap();
    let container = Container::new(name, vec![address.parse().unwrap()], gateway);
    create_interface(lab.addresses().config_api, &container, network);
    container.plug();
    post(lab.addresses().agent, "/port", &container.port());
    container
}

#[test]
fn a_container_is_reached_as_soon_as_the_agent_has_answered() {
    sandbox::test(|| {
        let lab = Lab::start(options()).unwrap();
        create_network(lab.addresses().config_api, "net1", "10.1.1.0");
        let a = attach(&lab, "a", "net1", "10.1.1.3/24");
        assert_eq!(a.first_ping(a.gateway), Some(64));
        let b = attach(&lab, "b", "net1", "10.1.1.4/24");
        assert_eq!(a.first_ping(b.address(0)), Some(64));
        let path = format!("/port/{}", b.id);
        let (status, info) = send(Method::GET, lab.addresses().agent, &path, None).unwrap();
        assert_eq!((status, &info["dns-server"]), (200, &json!("10.1.1.2")));
        send(Method::DELETE, lab.addresses().agent, &path, None).unwrap();
        assert!(a.cannot_reach(b.address(0)));
        lab.stop().unwrap();
    });
}

#[test]
fn configuration_may_come_after_the_port() {
    sandbox::test(|| {
        let lab = Lab::start(options()).unwrap();
        create_network(lab.addresses().config_api, "net1", "10.1.1.0");
        let address = vec!["10.1.1.3/24".parse().unwrap()];
        let a = Container::new("a", address, "10.1.1.1".parse().unwrap());
        post(lab.addresses().agent, "/port", &a.port());
        assert_eq!(lab.status().ports[0].reasons[0], "vn-null");
        a.plug();
        create_interface(lab.addresses().config_api, &a, "net1");
        lab.settle();
        assert!(lab.status().ports[0].active, "{:?}", lab.status().ports);
        assert_eq!(a.ping(a.gateway), Some(64));
        lab.stop().unwrap();
    });
}

#[test]
fn an_agent_that_comes_back_has_the_ports_of_its_files_and_packets_flow_meanwhile() {
    sandbox::test(|| {
        let lab = Lab::start(options()).unwrap();
        create_network(lab.addresses().config_api, "net1", "10.1.1.0");
        let a = attach(&lab, "a", "net1", "10.1.1.3/24");
        let b = attach(&lab, "b", "net1", "10.1.1.4/24");
        lab.stop_service(Restartable::Agent);
        let refused = send(Method::GET, lab.addresses().agent, "/port", None);
        assert!(
            matches!(refused, Err(TransportError::Connect { .. })),
            "{refused:?}"
        );
        assert_eq!(a.ping(b.address(0)), Some(64));
        // As a client does when the agent is down.
        std::fs::remove_file(Path::new("/run/ports").join(b.id.to_string())).unwrap();
        let control = lab.addresses().control;
        post(control, "/agent/start", &json!({}));
        assert_eq!(lab.status().ports.len(), 1);
        assert!(a.cannot_reach(b.address(0)));
        assert_eq!(a.ping(a.gateway), Some(64));
        lab.stop().unwrap();
    });
}

#[test]
fn a_lab_without_data_plane_serves_and_tells_the_state_of_ports() {
    sandbox::test(|| {
        let lab = Lab::start(LabOptions {
            data_plane: Mode::Off,
            ..options()
        })
        .unwrap();
        create_network(lab.addresses().config_api, "net1", "10.1.1.0");
        let a = attach(&lab, "a", "net1", "10.1.1.3/24");
        let status = lab.status();
        assert!(status.ports[0].active);
        assert_eq!(status.namespace, None);
        assert!(status.problems[0].starts_with("data plane off"));
        assert!(a.cannot_reach(a.gateway));
        a.run("ip", &["link", "set", "eth0", "down"]);
        wait_for("the port is inactive", || !lab.status().ports[0].active);
        lab.stop().unwrap();
    });
}

#[test]
fn a_snapshot_outlives_the_lab() {
    sandbox::test(|| {
        let options = || LabOptions {
            snapshot: Some("/run/lab/configuration.json".into()),
            ..options()
        };
        let lab = Lab::start(options()).unwrap();
        create_network(lab.addresses().config_api, "net1", "10.1.1.0");
        let a = attach(&lab, "a", "net1", "10.1.1.3/24");
        assert_eq!(a.ping(a.gateway), Some(64));
        lab.stop().unwrap();
        assert!(a.cannot_reach(a.gateway));
        let lab = Lab::start(options()).unwrap();
        assert_eq!(lab.status().networks.len(), networks_of_a_new_lab() + 1);
        // The port file is still there, too.
        assert_eq!(a.ping(a.gateway), Some(64));
        lab.stop().unwrap();
    });
}

fn networks_of_a_new_lab() -> usize {
    let lab = Lab::start(LabOptions {
        name: "new".into(),
        ..LabOptions::new("/run/other-ports")
    })
    .unwrap();
    lab.status().networks.len()
}

#[test]
fn a_second_lab_of_a_name_leaves_the_first_one_alone() {
    sandbox::test(|| {
        let lab = Lab::start(options()).unwrap();
        create_network(lab.addresses().config_api, "net1", "10.1.1.0");
        let a = attach(&lab, "a", "net1", "10.1.1.3/24");
        assert!(Lab::start(options()).is_err());
        assert_eq!(a.ping(a.gateway), Some(64));
        lab.stop().unwrap();
    });
}
