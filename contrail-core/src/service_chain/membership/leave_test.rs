//! Leaving a service against answers as the API gives them.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::http::{Method, Response};
use crate::testing::{FakeTransport, client_of};

const ID: Uuid = Uuid::from_u128(1);

fn made_here(kind: &str, name: &[&str]) -> Value {
    let pairs = [json!({"key": "container-plugin.service-role", "value": "true"})];
    json!({kind: {"fq_name": name, "uuid": ID, "annotations": {"key_value_pair": pairs}}})
}

/// An API with a service instance that is not in use, as far as can be read, and with its template.
fn api(tuples: Value, policies: Value) -> Arc<FakeTransport> {
    let instance = made_here("service-instance", &["d", "p", "fw"]);
    FakeTransport::new(move |request| {
        let is_of = |part: &str| request.url.contains(part);
        let answer = match request.method {
            Method::DELETE if is_of("/service-template/") => {
                return Ok(Response::new(403, "Permission Denied"));
            }
            Method::DELETE => return Ok(Response::new(200, "")),
            _ if is_of("/service-instances") => json!({"service-instances": [instance]}),
            _ if is_of("/port-tuples") => json!({"port-tuples": tuples}),
            _ if is_of("/network-policys") => json!({"network-policys": policies}),
            _ => made_here("service-template", &["d", "t"]),
        };
        Ok(Response::new(200, answer.to_string()))
    })
}

fn deletions(transport: &Arc<FakeTransport>) -> usize {
    let roles = ServiceRoles::new(client_of(transport.clone()), "cni");
    roles.sweep(&FqName::new(["d", "p", "fw"])).unwrap();
    let requests = transport.requests();
    let deletions = requests.iter().filter(|r| r.method == Method::DELETE);
    deletions.count()
}

#[test]
fn an_instance_stays_while_something_that_may_use_it_cannot_be_read() {
    let odd = |kind: &str| json!([{kind: {"fq_name": "odd", "uuid": ID}}]);
    assert_eq!(deletions(&api(json!([]), json!([]))), 1);
    assert_eq!(deletions(&api(odd("port-tuple"), json!([]))), 0);
    assert_eq!(deletions(&api(json!([]), odd("network-policy"))), 0);
}

#[test]
fn a_port_leaves_a_tuple_that_its_user_may_not_read_or_delete() {
    let port = json!({"to": ["d", "p", "1"], "uuid": ID});
    for forbidden in [Method::GET, Method::DELETE] {
        let mut tuple = made_here("port-tuple", &["d", "p", "fw", "t"]);
        tuple["port-tuple"]["virtual_machine_interface_back_refs"] = json!([port]);
        let refused = forbidden.clone();
        let transport = FakeTransport::new(move |request| {
            Ok(match &request.method {
                method if *method == refused => Response::new(403, "Permission Denied"),
                &Method::GET => Response::new(200, tuple.to_string()),
                _ => Response::new(200, "{}"),
            })
        });
        let roles = ServiceRoles::new(client_of(transport.clone()), "cni");
        roles.dissolve(Uuid::from_u128(9), ID).unwrap();
        let requests = transport.requests();
        let mut left = requests.iter().filter(|r| r.url.ends_with("/ref-update"));
        assert!(
            left.next().is_some(),
            "{forbidden:?}: {:?}",
            transport.lines()
        );
    }
}

/// The ports of a tuple that a chain made: the one that is deleted, and another one, with a role of the
/// chain.
const PORTS: [Uuid; 2] = [Uuid::from_u128(1), Uuid::from_u128(2)];

/// An API with that tuple, of which some ports have left already; what changes a role is answered so.
fn chain_tuple(joined: &[Uuid], role_change: u16) -> Arc<FakeTransport> {
    let pairs = json!([{"key": "container-plugin.owner", "value": "service-chain"}]);
    let ports: Vec<Value> = joined
        .iter()
        .map(|id| json!({"to": ["d", "p", id.to_string()], "uuid": id}))
        .collect();
    let tuple = json!({"port-tuple": {"fq_name": ["d", "p", "fw", "t"], "uuid": ID,
        "annotations": {"key_value_pair": pairs}, "virtual_machine_interface_back_refs": ports}});
    let port = json!({"virtual-machine-interface": {"fq_name": ["d", "p", "2"], "uuid": PORTS[1],
        "virtual_machine_interface_properties": {"service_interface_type": "right"}}});
    FakeTransport::new(move |request| {
        Ok(match request.method {
            Method::PUT if role_change == 200 => Response::new(200, "{}"),
            Method::PUT => Response::new(role_change, "Unknown id, or not allowed"),
            Method::GET if request.url.contains("/port-tuple/") => {
                Response::new(200, tuple.to_string())
            }
            Method::GET => Response::new(200, port.to_string()),
            _ => Response::new(200, "{}"),
        })
    })
}

fn methods_of_changes(transport: &Arc<FakeTransport>) -> Vec<Method> {
    let requests = transport.requests();
    let methods = requests.iter().map(|request| request.method.clone());
    methods.filter(|method| *method != Method::GET).collect()
}

#[test]
fn ports_leave_before_roles_are_cleared_and_the_tuple_goes_last() {
    let (leave, role, delete) = (Method::POST, Method::PUT, Method::DELETE);
    // A port that is deleted meanwhile, or whose role this user may not change, does not keep the tuple.
    for role_change in [200, 404, 403] {
        let transport = chain_tuple(&PORTS, role_change);
        let roles = ServiceRoles::new(client_of(transport.clone()), "cni");
        assert!(roles.dissolve(ID, PORTS[0]).unwrap().is_some());
        assert_eq!(
            methods_of_changes(&transport),
            [&leave, &leave, &role, &delete].map(Method::clone),
            "{role_change}"
        );
    }
}

#[test]
fn a_port_that_an_interrupted_call_took_out_still_loses_its_role() {
    let transport = chain_tuple(&[], 200);
    let roles = ServiceRoles::new(client_of(transport.clone()), "cni");
    roles.dissolve_noted(ID, PORTS[0], &PORTS, |_| ()).unwrap();
    assert_eq!(
        methods_of_changes(&transport),
        [Method::PUT, Method::DELETE]
    );
}

#[test]
fn a_template_that_only_an_administrator_can_remove_stays() {
    let transport = api(json!([]), json!([]));
    let roles = ServiceRoles::new(client_of(transport.clone()), "cni");
    let mut template: Ref = Ref::named(FqName::new(["d", "t"]));
    template.uuid = Some(ID);
    roles.drop_template(&template).unwrap();
    assert_eq!(transport.requests().last().unwrap().method, Method::DELETE);
}
