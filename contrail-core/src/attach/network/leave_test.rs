//! How networks come and go while others want them, against answers as the API server gave them.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::attach::network;
use crate::http::{Method, Request, Response, TransportError};
use crate::testing::{FakeTransport, client_of};

const ID: Uuid = Uuid::from_u128(1);
const NAME: [&str; 3] = ["d", "p", "n"];

/// The network of the plugins, with a subnet, or without one while it is being deleted.
fn network_with(subnets: bool) -> Value {
    let entry =
        json!({"subnet": {"ip_prefix": "10.1.1.0", "ip_prefix_len": 24}, "subnet_uuid": ID});
    let refs = json!([{"to": ["d", "p", "i"], "uuid": ID, "attr": {"ipam_subnets": [entry]}}]);
    json!({
        "fq_name": NAME, "uuid": ID,
        "annotations": {"key_value_pair": [{"key": "container-plugin.owner", "value": "cni"}]},
        "network_ipam_refs": if subnets { refs } else { json!([]) },
    })
}

fn ok(body: &Value) -> Result<Response, TransportError> {
    Ok(Response::new(200, body.to_string()))
}

fn refused(status: u16, text: &str) -> Result<Response, TransportError> {
    Ok(Response::new(status, text))
}

/// What somebody may have linked to a network of the plugins, as the API answers it, keeps it.
#[test]
fn a_network_with_references_to_other_objects_is_kept() {
    let table = json!([{"to": ["d", "p", "t"], "uuid": ID, "attr": null}]);
    let cases = [
        ("route_table_refs", table.clone(), false),
        ("qos_config_refs", table.clone(), false),
        ("bgpvpn_refs", table.clone(), false),
        ("virtual_network_refs", table.clone(), false),
        ("network_policy_refs", table.clone(), false),
        ("a_kind_of_tomorrow_refs", table.clone(), false),
        // None of these was given by somebody.
        ("route_table_refs", json!([]), true),
        ("route_table_refs", Value::Null, true),
        ("routing_instances", table.clone(), true),
        ("instance_ip_back_refs", table, true),
    ];
    for (field, value, deleted) in cases {
        let mut network = network_with(true);
        network[field] = value;
        let transport = FakeTransport::new(move |request| match request.method {
            Method::GET => found(&network),
            _ => done(),
        });
        let outcome = delete_unless_used(&client_of(transport.clone()), ID).unwrap();
        assert_eq!(outcome, deleted, "{field}");
        if !deleted {
            assert_eq!(methods(&transport), [Method::GET], "{field}");
        }
    }
}

/// The answer to reading the network, or to looking for it.
fn found(network: &Value) -> Result<Response, TransportError> {
    ok(&json!({"virtual-network": network}))
}

fn listed(network: Option<Value>) -> Result<Response, TransportError> {
    let items = network.map(|network| json!({"virtual-network": network}));
    let items: Vec<Value> = items.into_iter().collect();
    ok(&json!({"virtual-networks": items}))
}

/// An API that is deleting a network: what it answers to each kind of request.
fn api(
    update: fn() -> Result<Response, TransportError>,
    delete: fn() -> Result<Response, TransportError>,
) -> Arc<FakeTransport> {
    FakeTransport::new(move |request| match request.method {
        Method::PUT => update(),
        Method::DELETE => delete(),
        _ => found(&network_with(true)),
    })
}

fn done() -> Result<Response, TransportError> {
    ok(&json!({"virtual-network": {"uuid": ID}}))
}

fn methods(transport: &FakeTransport) -> Vec<Method> {
    transport
        .requests()
        .iter()
        .map(|r| r.method.clone())
        .collect()
}

/// The subnets that an update gives.
fn refs(request: &Request) -> Value {
    let body: Value = serde_json::from_slice(request.body.as_deref().unwrap()).unwrap();
    body["virtual-network"]["network_ipam_refs"].clone()
}

#[test]
fn the_subnets_of_a_network_go_before_the_network() {
    let transport = api(done, || refused(200, ""));
    assert!(delete_unless_used(&client_of(transport.clone()), ID).unwrap());
    assert_eq!(
        methods(&transport),
        [Method::GET, Method::PUT, Method::DELETE]
    );
    assert_eq!(refs(&transport.requests()[1]), json!([]));
}

#[test]
fn a_network_with_addresses_in_use_keeps_its_subnets_and_stays() {
    let transport = api(
        || {
            refused(
                409,
                "Cannot update IP Block, IP(10.1.1.252) is not in subnets ([])",
            )
        },
        || panic!("not to be asked"),
    );
    assert!(!delete_unless_used(&client_of(transport.clone()), ID).unwrap());
    assert_eq!(methods(&transport), [Method::GET, Method::PUT]);
}

#[test]
fn a_network_that_gained_an_interface_gets_its_subnets_back() {
    let transport = api(done, || {
        refused(
            409,
            "Delete when children/back_refs still present: ['http://h/virtual-machine-interface/x']",
        )
    });
    assert!(!delete_unless_used(&client_of(transport.clone()), ID).unwrap());
    let requests = transport.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!(refs(&requests[3]), network_with(true)["network_ipam_refs"]);
}

#[test]
fn a_network_that_another_user_is_removing_keeps_what_that_one_gives_back() {
    for (status, text, deleted) in [
        (200, "", true),
        (404, "No virtual-network object found for id", false),
        (
            409,
            "Delete when children/back_refs still present: ['http://h/instance-ip/x']",
            false,
        ),
    ] {
        let transport = FakeTransport::new(move |request| match request.method {
            Method::GET => found(&network_with(false)),
            _ => refused(status, text),
        });
        let outcome = delete_unless_used(&client_of(transport.clone()), ID).unwrap();
        assert_eq!(outcome, deleted, "{status}");
        assert_eq!(methods(&transport), [Method::GET, Method::DELETE]);
    }
}

/// An API that answers like this, the last answer again and again.
fn answering(answers: Vec<fn() -> Result<Response, TransportError>>) -> Arc<FakeTransport> {
    let place = Mutex::new(0);
    FakeTransport::new(move |_| {
        let mut place = place.lock().unwrap();
        let answer = answers[(*place).min(answers.len() - 1)];
        *place += 1;
        answer()
    })
}

fn absent() -> Result<Response, TransportError> {
    listed(None)
}

fn whole() -> Result<Response, TransportError> {
    listed(Some(network_with(true)))
}

fn going() -> Result<Response, TransportError> {
    listed(Some(network_with(false)))
}

fn locked() -> Result<Response, TransportError> {
    let text = "['d', 'p', 'n'] already exists with uuid: 759e1046-9312-4ed9-a54e-2d616abf2cd9";
    refused(409, text)
}

#[test]
fn a_network_that_is_being_deleted_is_waited_for() {
    let name = FqName::new(NAME);
    for (end, exists) in [(absent as fn() -> _, false), (whole, true)] {
        let transport = answering(vec![going, going, end]);
        let found = network::find(&client_of(transport.clone()), &name).unwrap();
        assert_eq!(found.is_some(), exists);
        assert_eq!(transport.requests().len(), 3);
    }
}

#[test]
fn an_interrupted_removal_is_finished_by_a_call_that_needs_the_network() {
    let is_gone = Mutex::new(false);
    let transport = FakeTransport::new(move |request| {
        let mut is_gone = is_gone.lock().unwrap();
        match (&request.method, *is_gone) {
            (&Method::DELETE, _) => {
                *is_gone = true;
                done()
            }
            (&Method::PUT, _) => done(),
            (_, true) => absent(),
            (_, false) if request.url.contains(&ID.to_string()) => found(&network_with(false)),
            (_, false) => going(),
        }
    });
    let found = network::find(&client_of(transport), &FqName::new(NAME)).unwrap();
    assert_eq!(found, None);
}

#[test]
fn a_network_is_created_as_soon_as_the_deleted_one_frees_its_name() {
    let transport = answering(vec![locked, absent, locked, absent, done, whole]);
    let object = serde_json::from_value(network_with(true)).unwrap();
    let made = network::create(&client_of(transport.clone()), &object).unwrap();
    assert_eq!(made.uuid(), Some(ID));
    assert_eq!(transport.requests().len(), 6);
}

#[test]
fn a_name_that_stays_taken_is_an_error_in_time_that_may_be_tried_again() {
    let transport = FakeTransport::new(|request| match request.method {
        Method::POST => locked(),
        _ => absent(),
    });
    let object = serde_json::from_value(network_with(true)).unwrap();
    let soon = crate::Deadline::after(Duration::from_millis(100));
    let client = client_of(transport).until(soon);
    let error = network::create(&client, &object).unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[test]
fn a_network_on_a_flat_ipam_is_not_being_deleted() {
    let is_going = |network: Value| super::is_going(&serde_json::from_value(network).unwrap());
    assert!(!is_going(network_with(true)));
    assert!(is_going(network_with(false)));
    let mut flat = network_with(true);
    flat["network_ipam_refs"][0]["attr"] = json!({"ipam_subnets": [{"subnet_uuid": ID}]});
    assert!(!is_going(flat));
}
