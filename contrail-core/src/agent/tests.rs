//! The agent's client against an agent in memory.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::error::Error;
use crate::http::{Method, Response, Transport};
use crate::testing::{FakeTransport, lost, refused};
use crate::values::{Deadline, MacAddr};

fn port() -> Port {
    Port {
        id: Uuid::from_u128(0x9755_6910_7aaf_11eb_9576_0016_3e6d_1150),
        instance_id: Uuid::from_u128(2),
        vn_id: Uuid::from_u128(3),
        project_id: None,
        display_name: "web-1".into(),
        address: Some(Ipv4Addr::new(10, 10, 0, 5)),
        address6: None,
        mac: MacAddr([2, 0x97, 0x55, 0x69, 0x10, 0x7a]),
        host_ifname: "tap97556910-7a".into(),
    }
}

/// An agent as it behaves: it keeps an older port of the same id, answers 200 to everything that it
/// can read, and knows a port only after `delay` looks.
#[derive(Default)]
struct Model {
    ports: BTreeMap<String, Value>,
    delay: usize,
    swallow: bool,
}

fn agent_with(model: Model) -> (Agent, Arc<FakeTransport>) {
    let model = Mutex::new(model);
    let transport = FakeTransport::new(move |request| {
        let mut model = model.lock().unwrap();
        let id = request
            .url
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        Ok(match request.method {
            Method::POST => {
                let body: Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
                let id = body["id"].as_str().unwrap().to_owned();
                if !model.swallow {
                    model.ports.entry(id).or_insert(body);
                }
                Response::new(200, "{}")
            }
            Method::DELETE => {
                model.ports.remove(&id);
                Response::new(200, "{}")
            }
            _ if model.delay > 0 => {
                model.delay -= 1;
                not_found()
            }
            _ => match model.ports.get(&id) {
                Some(port) => Response::new(200, port.to_string()),
                None => not_found(),
            },
        })
    });
    (
        agent(transport.clone(), Path::new("/nonexistent")),
        transport,
    )
}

fn agent(transport: Arc<dyn Transport>, ports_dir: &Path) -> Agent {
    Agent::new(transport, "127.0.0.1:9091".into(), ports_dir.to_owned())
}

fn not_found() -> Response {
    Response::new(404, r#"{"error":"{ Not Found }"}"#)
}

fn methods(transport: &FakeTransport) -> Vec<Method> {
    let requests = transport.requests();
    requests.iter().map(|r| r.method.clone()).collect()
}

#[test]
fn the_body_has_all_twelve_keys_and_no_null() {
    assert_eq!(
        port().body(),
        json!({
            "id": "97556910-7aaf-11eb-9576-00163e6d1150",
            "instance-id": "00000000-0000-0000-0000-000000000002",
            "vn-id": "00000000-0000-0000-0000-000000000003",
            "vm-project-id": "00000000-0000-0000-0000-000000000000",
            "display-name": "web-1", "ip-address": "10.10.0.5", "ip6-address": "",
            "mac-address": "02:97:55:69:10:7a", "system-name": "tap97556910-7a",
            "type": 0, "rx-vlan-id": -1, "tx-vlan-id": -1,
        })
    );
    let without = Port {
        address: None,
        address6: Some("fd00::5".parse().unwrap()),
        ..port()
    };
    assert_eq!(without.body()["ip-address"], "0.0.0.0");
    assert_eq!(without.body()["ip6-address"], "fd00::5");
}

#[test]
fn what_the_agent_would_take_without_a_word_is_refused() {
    let (agent, transport) = agent_with(Model::default());
    for broken in [
        Port {
            id: Uuid::nil(),
            ..port()
        },
        Port {
            instance_id: Uuid::nil(),
            ..port()
        },
        Port {
            vn_id: Uuid::nil(),
            ..port()
        },
        Port {
            mac: MacAddr([0; 6]),
            ..port()
        },
        Port {
            mac: MacAddr([1, 0, 0, 0, 0, 1]),
            ..port()
        },
        Port {
            host_ifname: String::new(),
            ..port()
        },
        Port {
            host_ifname: "a".repeat(16),
            ..port()
        },
        Port {
            host_ifname: "tap/0".into(),
            ..port()
        },
    ] {
        let outcome = agent.add(&broken);
        assert!(matches!(outcome, Err(Error::Invalid { .. })), "{broken:?}");
    }
    assert!(agent.delete(Uuid::nil()).is_err());
    assert!(transport.requests().is_empty());
}

#[test]
fn a_port_is_read_back_until_the_agent_has_it() {
    let (agent, transport) = agent_with(Model {
        delay: 3,
        ..Model::default()
    });
    agent.add(&port()).unwrap();
    assert_eq!(methods(&transport), ["POST", "GET", "GET", "GET", "GET"]);
    let info = agent.get(port().id).unwrap().unwrap();
    assert_eq!(info.address, port().address);
    assert_eq!(info.address6, None);
}

#[test]
fn adding_the_same_port_again_is_the_same_port() {
    let (agent, transport) = agent_with(Model::default());
    agent.add(&port()).unwrap();
    agent.add(&port()).unwrap();
    assert_eq!(methods(&transport), ["POST", "GET", "POST", "GET"]);
}

#[test]
fn an_older_port_of_the_same_id_is_replaced() {
    for old in [
        Port {
            host_ifname: "tapold".into(),
            ..port()
        },
        Port {
            instance_id: Uuid::from_u128(9),
            ..port()
        },
        Port {
            mac: MacAddr([2, 0, 0, 0, 0, 9]),
            ..port()
        },
    ] {
        let (agent, transport) = agent_with(Model {
            ports: [(old.id.to_string(), old.body())].into(),
            ..Model::default()
        });
        agent.add(&port()).unwrap();
        assert_eq!(
            methods(&transport),
            ["POST", "GET", "DELETE", "POST", "GET"]
        );
    }
}

#[test]
fn a_200_without_a_port_is_an_error_at_the_deadline() {
    let (agent, _) = agent_with(Model {
        swallow: true,
        ..Model::default()
    });
    let end = Deadline::after(Duration::from_millis(30));
    let error = agent.until(end).add(&port()).unwrap_err();
    assert!(matches!(&error, Error::Agent { .. }), "{error}");
    assert!(end.has_passed());
    assert!(
        error
            .to_string()
            .contains("no configuration for it arrived"),
        "{error}"
    );
}

#[test]
fn a_port_that_cannot_be_replaced_is_an_error_at_the_deadline() {
    let stubborn = FakeTransport::new(|request| {
        let other = Port {
            host_ifname: "tapold".into(),
            ..port()
        };
        Ok(match request.method {
            Method::GET => Response::new(200, other.body().to_string()),
            _ => Response::new(200, "{}"),
        })
    });
    let agent = agent(stubborn.clone(), Path::new("/nonexistent"));
    let end = Deadline::after(Duration::from_millis(30));
    let error = agent.until(end).add(&port()).unwrap_err();
    assert!(error.to_string().contains("tapold"), "{error}");
    let deletes = methods(&stubborn)
        .iter()
        .filter(|m| **m == "DELETE")
        .count();
    assert_eq!(deletes, 1);
}

#[test]
fn the_agents_reason_is_kept() {
    let text = r#"{"error":"{ Invalid VN uuid }"}"#;
    for (status, text, expected) in [
        (500, text, "status 500: { Invalid VN uuid }"),
        (
            404,
            r#"{"error":"Unknown Request"}"#,
            "status 404: Unknown Request",
        ),
    ] {
        let transport = FakeTransport::answers([Ok(Response::new(status, text))]);
        let error = agent(transport.clone(), Path::new("/x"))
            .add(&port())
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.is_transient());
        assert_eq!(transport.requests().len(), 1, "not repeated");
    }
}

#[test]
fn a_broken_connection_is_tried_once_more_and_a_restart_is_waited_for() {
    let info = || Ok(Response::new(200, port().body().to_string()));
    let ok = || Ok(Response::new(200, "{}"));
    let transport =
        FakeTransport::answers([Err(lost()), ok(), Err(refused()), Err(refused()), info()]);
    agent(transport.clone(), Path::new("/x"))
        .add(&port())
        .unwrap();
    assert_eq!(methods(&transport), ["POST", "POST", "GET", "GET", "GET"]);
}

#[test]
fn an_absent_agent_is_unreachable() {
    let transport = FakeTransport::answers([]);
    let error = agent(transport.clone(), Path::new("/x"))
        .add(&port())
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }));
    assert_eq!(transport.lines(), ["POST http://127.0.0.1:9091/port"]);
}

#[test]
fn deleting_removes_the_file_only_when_the_agent_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(port().id.to_string());
    fs::write(&file, "{}").unwrap();

    let transport = FakeTransport::answers([Ok(Response::new(200, "{}"))]);
    agent(transport.clone(), dir.path())
        .delete(port().id)
        .unwrap();
    assert!(file.exists(), "the agent removes its own files");
    assert_eq!(
        transport.lines(),
        ["DELETE http://127.0.0.1:9091/port/97556910-7aaf-11eb-9576-00163e6d1150"]
    );

    let broken = || FakeTransport::answers([Ok(Response::new(500, "broken"))]);
    for (transport, told) in [
        (broken(), "did not remove port"),
        (FakeTransport::answers([]), "cannot reach"),
    ] {
        fs::write(&file, "{}").unwrap();
        let error = agent(transport, dir.path()).delete(port().id).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert!(!file.exists());
    }
}

#[test]
fn answers_that_make_no_sense_are_errors() {
    for (response, is_decode) in [
        (Response::new(200, "{}"), true),
        (Response::new(200, "<html>"), true),
        (Response::new(404, r#"{"error":"Unknown Request"}"#), false),
        (Response::new(500, ""), false),
    ] {
        let transport = FakeTransport::answers([Ok(response)]);
        let error = agent(transport, Path::new("/x"))
            .get(port().id)
            .unwrap_err();
        assert_eq!(matches!(error, Error::Decode { .. }), is_decode, "{error}");
    }
}

#[test]
fn once_a_port_was_posted_no_error_says_that_nothing_was_done() {
    let posted = FakeTransport::answers([Ok(Response::new(200, "{}"))]);
    let lost = FakeTransport::answers([Err(lost())]);
    for (transport, had_no_effect) in [
        (posted, false),
        (lost, false),
        (FakeTransport::answers([]), true),
    ] {
        let agent = agent(transport, Path::new("/nonexistent"));
        let agent = agent.until(Deadline::after(Duration::from_millis(20)));
        let error = agent.add(&port()).unwrap_err();
        assert_eq!(error.had_no_effect(), had_no_effect, "{error}");
        assert!(error.is_transient(), "{error}");
    }
}
