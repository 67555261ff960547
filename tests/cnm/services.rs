//! Containers that take roles in a service: the daemon keeps them in it, and its chain standing.

use contrail_core::FqName;
use contrail_core::api::{ListQuery, PortTuple, Resource, VirtualMachineInterface};
use contrail_core::service_chain::{Description, ServiceChains, ServiceRoles};
use contrail_lab::sandbox;
use opencontrail_tests::loss::lose_chains;
use opencontrail_tests::world::{client, everything, lab};
use serde_json::json;

use crate::engine::Engine;

const LEGS: [(&str, &str, &str); 2] = [
    ("n1", "10.1.1.2/24", "left"),
    ("n2", "10.1.2.2/24", "right"),
];

fn connect(engine: &Engine, (network, address, leg): (&str, &str, &str)) {
    let endpoint = json!({
        "NetworkID": network,
        "EndpointID": format!("e-{network}"),
        "Interface": {"Address": address},
        "Options": {"service": "fw", "service-interface": leg},
    });
    engine.send("CreateEndpoint", endpoint).unwrap();
    engine.join(network, &format!("e-{network}"), "s1").unwrap();
}

fn disconnect(engine: &Engine, (network, ..): (&str, &str, &str)) {
    engine.leave(network, &format!("e-{network}"));
    engine.delete_endpoint(network, &format!("e-{network}"));
}

/// An engine with a container that is both legs of the service.
fn member() -> Engine {
    let engine = Engine::on("host1");
    engine.create_network("n1", "net1", "10.1.1.0/24").unwrap();
    engine.create_network("n2", "net2", "10.1.2.0/24").unwrap();
    LEGS.into_iter().for_each(|leg| connect(&engine, leg));
    engine
}

/// The number of ports of each tuple.
fn tuples() -> Vec<usize> {
    let query = ListQuery::all().fields(&["virtual_machine_interface_back_refs"]);
    let tuples: Vec<PortTuple> = client().list(&query.detail()).unwrap();
    let count = |tuple: &PortTuple| tuple.virtual_machine_interface_back_refs.len();
    tuples.iter().map(count).collect()
}

fn apply_chain() -> (ServiceChains, Description) {
    let chains = ServiceChains::new(client(), "default-domain:admin".parse().unwrap());
    let text = json!({"name": "sc", "left": "net1", "right": "net2", "services": [{"name": "fw"}]});
    let chain = Description::read(&text.to_string(), "chain.json").unwrap();
    chains.apply(&chain).unwrap();
    (chains, chain)
}

fn is_built() -> bool {
    let roles = ServiceRoles::new(client(), "test");
    let fw = FqName::new(["default-domain", "admin", "fw"]);
    let chains = roles.built(&fw).unwrap();
    !chains.is_empty() && chains.iter().all(|chain| chain.is_built())
}

#[test]
fn the_networks_of_a_container_are_the_legs_of_a_service() {
    sandbox::test(|| {
        let lab = lab();
        let empty = everything(&lab, &[]);
        let engine = member();
        assert_eq!(tuples(), [2]);
        for leg in LEGS.into_iter().rev() {
            disconnect(&engine, leg);
        }
        for id in ["n1", "n2"] {
            engine.delete_network(id);
        }
        assert_eq!(everything(&lab, &[]), empty);
    });
}

#[test]
fn a_chain_that_the_controller_has_lost_comes_back_by_the_second_look() {
    sandbox::test(|| {
        let lab = lab();
        let engine = member();
        let (chains, chain) = apply_chain();
        engine.tidy();
        assert!(is_built());
        lose_chains(&client());
        // The controller may be at it: the first look only counts.
        engine.tidy();
        assert!(!is_built());
        engine.tidy();
        assert!(is_built());
        lab.request_log().reset();
        engine.tidy();
        let entries = lab.request_log().entries();
        let writes = entries
            .iter()
            .filter(|entry| entry.method == "DELETE" || entry.path == "/ref-update");
        assert_eq!(writes.count(), 0, "nothing is written when all is well");
        chains.delete(&chain).unwrap();
    });
}

#[test]
fn a_lost_membership_is_given_back_but_not_to_a_leg_that_lost_the_other() {
    sandbox::test(|| {
        let lab = lab();
        let empty = everything(&lab, &[]);
        let engine = member();
        let ports: Vec<VirtualMachineInterface> =
            client().list(&ListQuery::all().detail()).unwrap();
        for port in &ports {
            let tuple = &port.port_tuple_refs[0];
            let to = (PortTuple::TYPE, tuple.uuid.unwrap(), tuple.name().unwrap());
            let from = (VirtualMachineInterface::TYPE, port.uuid().unwrap());
            client().remove_ref(from, to).unwrap();
        }
        assert_eq!(tuples(), [0]);
        engine.tidy();
        assert_eq!(tuples(), [2]);

        disconnect(&engine, LEGS[0]);
        assert_eq!(tuples(), [0; 0]);
        engine.tidy();
        assert_eq!(tuples(), [0; 0]);
        connect(&engine, LEGS[0]);
        assert_eq!(tuples(), [2]);
        LEGS.into_iter().for_each(|leg| disconnect(&engine, leg));
        ["n1", "n2"]
            .into_iter()
            .for_each(|id| engine.delete_network(id));
        assert_eq!(everything(&lab, &[]), empty);
    });
}
