//! What an error says about the effect of a request that several servers, or one twice, were asked:
//! whoever undoes a failed call relies on it.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use contrail_core::api::VirtualMachine;
use contrail_core::http::{Http, TlsSettings};
use contrail_core::keystone::{Keystone, KeystoneSettings};
use contrail_core::{Deadline, Error, FqName, Secret};
use support::{Act, ID, LONG, Server, answer, client, client_with, nobody};
use uuid::Uuid;

fn create(addresses: &[SocketAddr]) -> Error {
    let outcome = client(addresses).create(&VirtualMachine::new(ID));
    outcome.unwrap_err()
}

/// Answers that are certain to have done nothing.
fn refusals() -> [Act; 4] {
    [
        answer(400, "Bad property in create"),
        answer(401, "Authentication required"),
        answer(404, "Unknown id: x"),
        answer(
            409,
            "['x'] already exists with uuid: 00000000-0000-0000-0000-000000000009",
        ),
    ]
}

#[test]
fn a_refusal_by_the_second_server_does_not_hide_that_the_first_may_have_done_it() {
    for lost in [Act::Close, Act::Reset, answer(502, ""), answer(504, "")] {
        for refusal in refusals() {
            let (first, second) = (
                Server::start(vec![lost.clone()]),
                Server::start(vec![refusal]),
            );
            let error = create(&[first.address, second.address]);
            assert_eq!(second.seen().len(), 1);
            assert!(!error.had_no_effect(), "{error}");
            assert!(
                error
                    .to_string()
                    .ends_with("an earlier attempt may have succeeded"),
                "{error}"
            );
        }
        let first = Server::start(vec![lost]);
        let error = create(&[first.address, nobody()]);
        assert!(!error.had_no_effect(), "{error}");
        assert!(error.is_transient(), "{error}");
    }
}

#[test]
fn a_single_server_that_is_asked_twice_is_no_exception() {
    for refusal in refusals() {
        let server = Server::start(vec![Act::Close, refusal]);
        let error = create(&[server.address]);
        assert!(!error.had_no_effect(), "{error}");
        assert!(matches!(error, Error::Unsure { .. }), "{error}");
    }
}

#[test]
fn what_never_left_or_was_refused_everywhere_had_no_effect() {
    let error = create(&[nobody(), nobody()]);
    assert!(error.had_no_effect(), "{error}");
    for refusal in refusals() {
        let second = Server::start(vec![refusal]);
        let error = create(&[nobody(), second.address]);
        assert!(error.had_no_effect(), "{error}");
    }
}

#[test]
fn a_question_has_no_effect_however_often_it_is_asked() {
    let first = Server::start(vec![Act::Close]);
    let error = client(&[first.address, nobody()]).get::<VirtualMachine>(ID);
    let error = error.unwrap_err();
    assert!(!matches!(error, Error::Unsure { .. }), "{error}");
}

#[test]
fn what_is_gone_needs_no_removal_whichever_attempt_met_it() {
    let gone = || {
        let first = Server::start(vec![Act::Close]);
        let second = Server::start(vec![Act::Answer(404, format!("Unknown id: {ID}"))]);
        client(&[first.address, second.address])
    };
    assert!(!gone().delete::<VirtualMachine>(ID).unwrap());
    let name = FqName::new(["vm"]);
    let to = ("virtual-machine", Uuid::from_u128(8), &name);
    let error = gone().remove_ref(("virtual-machine-interface", ID), to);
    assert!(matches!(error, Err(Error::NotFound { .. })));
}

#[test]
fn without_a_token_nothing_was_asked_of_the_api() {
    let keystone = Server::start(vec![Act::Hang]);
    let api = Server::start(vec![answer(500, "")]);
    let http = Http::new(&TlsSettings::default(), LONG).unwrap();
    let password = Secret::new("contrail123");
    let settings = KeystoneSettings::with_password(keystone.url("/v3"), "admin", password, "admin");
    let dir = tempfile::tempdir().unwrap();
    let tokens = Keystone::new(Arc::new(http), settings, dir.path()).unwrap();
    let client = client_with(&[api.address], Arc::new(tokens));
    let client = client.until(Deadline::after(Duration::from_millis(100)));
    let error = client.create(&VirtualMachine::new(ID)).unwrap_err();
    assert_eq!(api.seen().len(), 0);
    assert!(error.had_no_effect(), "{error}");
    assert!(error.is_transient(), "{error}");
    assert!(matches!(error.cause(), Error::Timeout { .. }), "{error:?}");
}
