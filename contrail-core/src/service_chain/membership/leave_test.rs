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

#[test]
fn a_port_that_is_deleted_while_its_role_is_removed_is_no_error() {
    let [own, other] = [1, 2].map(Uuid::from_u128);
    let pairs = json!([{"key": "container-plugin.owner", "value": "service-chain"}]);
    let ports = [own, other].map(|id| json!({"to": ["d", "p", id.to_string()], "uuid": id}));
    let tuple = json!({"port-tuple": {"fq_name": ["d", "p", "fw", "t"], "uuid": own,
        "annotations": {"key_value_pair": pairs}, "virtual_machine_interface_back_refs": ports}});
    let port = json!({"virtual-machine-interface": {"fq_name": ["d", "p", "2"], "uuid": other,
        "virtual_machine_interface_properties": {"service_interface_type": "right"}}});
    let transport = FakeTransport::new(move |request| {
        Ok(match request.method {
            Method::PUT => Response::new(404, "Unknown id"),
            Method::GET if request.url.contains("/port-tuple/") => {
                Response::new(200, tuple.to_string())
            }
            Method::GET => Response::new(200, port.to_string()),
            _ => Response::new(200, "{}"),
        })
    });
    let roles = ServiceRoles::new(client_of(transport.clone()), "cni");
    assert!(roles.dissolve(own, own).unwrap().is_some());
    let last = transport.requests().pop().unwrap();
    assert_eq!(last.method, Method::PUT);
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
