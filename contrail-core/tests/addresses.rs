//! Creating instance IPs when answers get lost: never is one sent while the first may still be worked on.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use contrail_core::api::{Client, InstanceIp, Ref};
use contrail_core::keystone::NoAuth;
use contrail_core::values::Family;
use contrail_core::{Error, FqName, Result};
use serde_json::json;
use support::{Act, Server, answer, client_with};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(7);
const POST: &str = "POST /instance-ips";

fn ensure(addresses: &[SocketAddr]) -> Result<bool> {
    let client: Client = client_with(addresses, Arc::new(NoAuth));
    let named = |name: &str| Ref::named(FqName::new(["d", "p", name]));
    let ip = InstanceIp::new(ID, Family::V4, named("n"), named("i"));
    let ensured = client.ensure_address(&ip)?;
    assert_eq!((ensured.uuid, ensured.created), (ID, true));
    Ok(ensured.is_certain)
}

fn object() -> Act {
    let object = json!({"instance-ip": {"fq_name": [ID], "uuid": ID}});
    Act::Answer(200, object.to_string())
}

fn absent() -> Act {
    Act::Answer(404, format!("No instance-ip object found for id {ID}"))
}

fn methods(server: &Server) -> Vec<String> {
    let lines = server.lines().into_iter();
    lines
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn an_address_whose_answer_got_lost_is_looked_for_and_not_made_twice() {
    let server = Server::start(vec![Act::Close, object()]);
    assert!(!ensure(&[server.address]).unwrap());
    assert_eq!(methods(&server), ["POST", "GET"]);
}

#[test]
fn an_address_that_is_not_there_after_the_connection_broke_is_made() {
    let server = Server::start(vec![Act::Close, absent(), object()]);
    assert!(ensure(&[server.address]).unwrap());
    assert_eq!(methods(&server), ["POST", "GET", "POST"]);
}

#[test]
fn a_server_that_may_still_be_at_it_is_not_sent_the_address_again_nor_is_another_one() {
    for status in [502, 504] {
        let slow = Server::start(vec![answer(status, "no answer in time"), absent()]);
        let other = Server::start(vec![absent()]);
        let error = ensure(&[slow.address, other.address]).unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }) && !error.had_no_effect());
        let lines = [slow.lines(), other.lines()].concat();
        let posts = lines.iter().filter(|line| *line == POST).count();
        assert_eq!(posts, 1, "{lines:?}");
    }
}

#[test]
fn a_server_that_did_nothing_is_left_for_the_next_one() {
    let busy = Server::start(vec![answer(503, "busy")]);
    let other = Server::start(vec![object()]);
    assert!(ensure(&[busy.address, other.address]).unwrap());
    assert_eq!(methods(&other), ["POST"]);
}
