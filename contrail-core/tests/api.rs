//! The client of the configuration API over real HTTP: fail-over, repetition, tokens, answers that
//! make no sense.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use contrail_core::api::{Client, ListQuery, Project, VirtualMachine, VirtualNetwork};
use contrail_core::keystone::{FixedToken, NoAuth, TokenSource};
use contrail_core::{Deadline, Error, FqName, Result, Secret};
use support::{Act, ID, LONG, Server, answer, client, client_with, created, network, nobody};
use uuid::Uuid;

fn exists(uuid: Uuid) -> Act {
    let text = format!("{uuid} already exists with fq_name: ['{uuid}']");
    Act::Answer(409, text)
}

#[test]
fn a_request_names_the_caller_and_its_token() {
    let server = Server::start(vec![answer(
        200,
        r#"{"uuid":"00000000-0000-0000-0000-000000000007"}"#,
    )]);
    let tokens = Arc::new(FixedToken(Secret::new("sesame")));
    let client = client_with(&[server.address], tokens);
    let name = FqName::new(["default-domain", "admin"]);
    assert_eq!(client.id_of::<Project>(&name).unwrap(), Some(ID));
    let seen = server.seen().pop().unwrap();
    assert_eq!(seen.header("x-auth-token"), Some("sesame"));
    assert_eq!(seen.header("x-contrail-useragent"), Some("host:test"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
}

#[test]
fn the_next_server_is_asked_when_one_cannot_answer_and_stays_the_first_choice() {
    // A 408 may be about the connection and not about the request: that is tried over a new one.
    for (status, tries) in [(502, 1), (503, 1), (504, 1), (408, 2)] {
        let bad = Server::start(vec![answer(status, "Api server is Initializing")]);
        let good = Server::start(vec![answer(404, "Unknown id: x")]);
        let client = client(&[nobody(), bad.address, good.address]);
        for _ in 0..2 {
            assert!(client.get_opt::<VirtualMachine>(ID).unwrap().is_none());
        }
        assert_eq!(bad.seen().len(), tries, "{status}");
        assert_eq!(good.seen().len(), 2, "{status}");
    }
}

#[test]
fn a_creation_goes_to_the_next_server_only_when_it_certainly_had_no_effect() {
    for (status, is_repeated) in [(503, true), (502, false), (504, false)] {
        let bad = Server::start(vec![answer(status, "")]);
        let good = Server::start(vec![created("virtual-network", ID)]);
        let outcome = client(&[bad.address, good.address]).create(&network());
        assert_eq!(outcome.is_ok(), is_repeated, "{status}");
        assert_eq!(good.seen().len(), usize::from(is_repeated), "{status}");
    }
}

#[test]
fn when_no_server_answers_all_are_named() {
    let (a, b) = (nobody(), nobody());
    let error = client(&[a, b]).get::<VirtualMachine>(ID).unwrap_err();
    assert!(error.is_transient());
    let text = error.to_string();
    assert!(
        text.contains(&a.to_string()) && text.contains(&b.to_string()),
        "{text}"
    );
    let none = client(&[]).get::<VirtualMachine>(ID).unwrap_err();
    assert!(matches!(none, Error::Missing { .. }));
}

#[test]
fn a_creation_without_an_id_is_not_repeated_after_the_connection_broke() {
    for act in [Act::Close, Act::Reset] {
        let server = Server::start(vec![act, created("virtual-network", ID)]);
        let other = Server::start(vec![created("virtual-network", ID)]);
        for addresses in [&[server.address][..], &[server.address, other.address]] {
            let count = server.seen().len();
            if count > 0 {
                break;
            }
            let error = client(addresses).create(&network()).unwrap_err();
            assert!(error.is_transient(), "{error}");
            assert_eq!(server.seen().len(), 1);
        }
        assert!(other.seen().is_empty());
    }
}

#[test]
fn a_creation_with_an_id_is_repeated_and_finding_itself_is_success() {
    let machine = VirtualMachine::new(ID);
    for act in [Act::Close, Act::Reset] {
        let server = Server::start(vec![act.clone(), exists(ID)]);
        assert_eq!(client(&[server.address]).create(&machine).unwrap(), ID);
        assert_eq!(server.seen().len(), 2);

        // Who made what the second request found is not known.
        for (second, is_certain) in [(exists(ID), false), (created("virtual-machine", ID), true)] {
            let server = Server::start(vec![act.clone(), second]);
            let ensured = client(&[server.address]).ensure(&machine).unwrap();
            assert_eq!((ensured.created, ensured.is_certain), (true, is_certain));
        }
    }
}

#[test]
fn an_object_that_was_there_before_is_told_from_one_that_was_made() {
    let machine = VirtualMachine::new(ID);
    let server = Server::start(vec![exists(ID)]);
    let client = client(&[server.address]);
    assert!(!client.ensure(&machine).unwrap().created);
    assert!(matches!(
        client.create(&machine).unwrap_err(),
        Error::AlreadyExists { uuid: Some(ID), .. }
    ));
    assert!(matches!(
        client.ensure(&network()).unwrap_err(),
        Error::Missing { .. }
    ));

    let foreign = Uuid::from_u128(8);
    let text = format!("['x'] already exists with uuid: {foreign}");
    let server = Server::start(vec![Act::Answer(409, text)]);
    let error = self::client(&[server.address])
        .ensure(&machine)
        .unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { uuid: Some(id), .. } if id == foreign));
}

#[test]
fn a_duplicate_is_asked_for_by_name_if_the_answer_does_not_say_which_it_is() {
    let machine = VirtualMachine::new(ID);
    for (found, is_own) in [(ID, true), (Uuid::from_u128(8), false)] {
        let server = Server::start(vec![
            answer(409, "this name already exists with another text"),
            answer(200, &format!(r#"{{"uuid":"{found}"}}"#)),
        ]);
        let ensured = client(&[server.address]).ensure(&machine);
        assert_eq!(ensured.is_ok_and(|ensured| !ensured.created), is_own);
        assert_eq!(server.lines()[1], "POST /fqname-to-id");
    }
}

#[test]
fn requests_that_only_read_or_may_be_done_twice_are_repeated() {
    let to = FqName::new(["vm"]);
    let server = || Server::start(vec![Act::Reset, Act::Close, answer(200, "{}")]);
    // Once more over a new connection, and then by the other server.
    let first = server();
    assert!(
        client(&[first.address])
            .delete::<VirtualMachine>(ID)
            .is_err()
    );
    assert_eq!(first.seen().len(), 2);
    let calls: [fn(&Client, &FqName) -> Result<()>; 3] = [
        |client, _| client.delete::<VirtualMachine>(ID).map(drop),
        |client, _| client.update::<VirtualMachine>(ID, &serde_json::json!({})),
        |client, to| {
            let from = ("virtual-machine-interface", ID);
            client.add_ref(from, ("virtual-machine", ID, to), None)
        },
    ];
    for call in calls {
        let bad = Server::start(vec![Act::Reset]);
        let good = Server::start(vec![answer(200, "{}")]);
        call(&client(&[bad.address, good.address]), &to).unwrap();
        assert_eq!((bad.seen().len(), good.seen().len()), (2, 1));
    }
}

/// Gives out tokens by number.
struct Numbered(std::sync::atomic::AtomicU32);

impl TokenSource for Numbered {
    fn token(&self, _: Deadline) -> Result<Option<Secret>> {
        let number = self.0.load(std::sync::atomic::Ordering::SeqCst);
        Ok(Some(Secret::new(format!("token{number}"))))
    }
    fn refresh(&self, _: &Secret, deadline: Deadline) -> Result<Option<Secret>> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.token(deadline)
    }
    fn identity(&self) -> String {
        "admin".into()
    }
}

#[test]
fn a_rejected_token_is_replaced_once() {
    let unauthorized =
        r#"{"error":{"code":401,"message":"The request you have made requires authentication."}}"#;
    let server = Server::acting({
        let mut seen = 0;
        move |_| {
            seen += 1;
            match seen {
                1 => answer(401, unauthorized),
                _ => answer(200, r#"{"virtual-machines":[]}"#),
            }
        }
    });
    let client = client_with(&[server.address], Arc::new(Numbered(0.into())));
    let all = client.list::<VirtualMachine>(&ListQuery::all()).unwrap();
    assert!(all.is_empty());
    let tokens: Vec<_> = server
        .seen()
        .iter()
        .map(|s| s.header("x-auth-token").unwrap().to_owned())
        .collect();
    assert_eq!(tokens, ["token0", "token1"]);

    let strict = Server::start(vec![answer(401, unauthorized)]);
    let client = client_with(&[strict.address], Arc::new(Numbered(0.into())));
    let error = client
        .list::<VirtualMachine>(&ListQuery::all())
        .unwrap_err();
    assert_eq!(strict.seen().len(), 2);
    let text = error.to_string();
    assert!(
        text.contains("\"admin\"") && text.contains("requires authentication"),
        "{text}"
    );
    assert!(!text.contains("token1"), "{text}");
}

#[test]
fn without_another_token_a_401_is_final() {
    let server = Server::start(vec![answer(401, "Authentication required")]);
    for tokens in [
        Arc::new(NoAuth) as Arc<dyn TokenSource>,
        Arc::new(FixedToken(Secret::new("sesame"))),
    ] {
        let before = server.seen().len();
        let error = client_with(&[server.address], tokens)
            .get::<VirtualMachine>(ID)
            .unwrap_err();
        assert!(matches!(error, Error::Unauthorized { status: 401, .. }));
        assert!(!error.to_string().contains("sesame"));
        assert_eq!(server.seen().len(), before + 1);
    }
}

#[test]
fn hanging_servers_cost_no_more_than_the_deadline() {
    let servers = [
        Server::start(vec![Act::Hang]),
        Server::start(vec![Act::Hang]),
    ];
    let client = client(&[servers[0].address, servers[1].address]);
    let started = Instant::now();
    let deadline = Deadline::after(Duration::from_millis(200));
    let error = client
        .until(deadline)
        .get::<VirtualMachine>(ID)
        .unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert!(started.elapsed() < LONG / 3);
}

#[test]
fn answers_that_make_no_sense_are_errors_of_the_right_kind() {
    for (act, is_transient) in [
        (answer(200, ""), true),
        (answer(200, "{"), false),
        (answer(200, "[]"), true),
        (answer(200, "<html>"), true),
        (answer(200, r#"{"virtual-network":{}}"#), false),
        (answer(200, r#"{"virtual-machine":{"fq_name":"x"}}"#), false),
        (Act::Raw(b"garbage".to_vec()), true),
        (
            Act::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}".to_vec()),
            true,
        ),
        (Act::Flood, false),
    ] {
        let server = Server::start(vec![act]);
        let error = client(&[server.address])
            .get::<VirtualMachine>(ID)
            .unwrap_err();
        assert_eq!(error.is_transient(), is_transient, "{error}");
    }
}

#[test]
fn lookup_selects_by_name_from_whatever_a_server_lists() {
    let text = r#"{"virtual-networks":[
        {"virtual-network":{"fq_name":["default-domain","other","net1"],"uuid":"00000000-0000-0000-0000-000000000001"}},
        {"virtual-network":{"fq_name":["default-domain","admin","net1"],"uuid":"00000000-0000-0000-0000-000000000007"}}]}"#;
    let server = Server::start(vec![answer(200, text)]);
    let client = client(&[server.address]);
    let found: VirtualNetwork = client.lookup(&network().meta.fq_name).unwrap().unwrap();
    assert_eq!(found.meta.uuid, Some(ID));
    let absent = client
        .lookup::<VirtualNetwork>(&FqName::new(["d", "p", "x"]))
        .unwrap();
    assert!(absent.is_none());
    assert_eq!(server.lines().len(), 2, "one request each");
}

#[test]
fn the_missing_end_of_a_reference_is_named() {
    let to = FqName::new(["vm"]);
    let (from, target) = (Uuid::from_u128(1), Uuid::from_u128(2));
    for (missing, kind) in [
        (from, "virtual-machine-interface"),
        (target, "virtual-machine"),
    ] {
        let server = Server::start(vec![Act::Answer(404, format!("Unknown id: {missing}"))]);
        let error = client(&[server.address])
            .add_ref(
                ("virtual-machine-interface", from),
                ("virtual-machine", target, &to),
                None,
            )
            .unwrap_err();
        assert!(
            matches!(&error, Error::NotFound { kind: k, name, .. } if *k == kind && *name == missing.to_string()),
            "{error}"
        );
    }
}

#[test]
fn one_client_serves_parallel_threads() {
    let server = Server::start(vec![answer(404, "Unknown id: x")]);
    let client = client(&[server.address]);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(client.get_opt::<VirtualMachine>(ID).unwrap().is_none()));
        }
    });
    assert_eq!(server.seen().len(), 8);
}
