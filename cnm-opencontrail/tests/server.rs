//! The server over a real socket: concurrency, bad requests, panics and the way it stops.

mod support;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use cnm_opencontrail::proto::{Call, EndpointId, NetworkId, OfEndpoint, Reply};
use cnm_opencontrail::server::Limits;
use cnm_opencontrail::{Plugin, Result};
use support::{Running, exchange, post};

/// Leave waits at a barrier, DeleteEndpoint panics, everything else is done at once.
struct Script {
    together: Barrier,
    left: AtomicUsize,
}

impl Script {
    fn meeting(callers: usize) -> Arc<Self> {
        Arc::new(Self {
            together: Barrier::new(callers),
            left: AtomicUsize::new(0),
        })
    }
}

impl Plugin for Script {
    fn answer(&self, call: Call) -> Result<Reply> {
        match call {
            Call::Leave(_) => {
                self.together.wait();
                self.left.fetch_add(1, Ordering::SeqCst);
            }
            Call::DeleteEndpoint(_) => panic!("a bug"),
            Call::Activate => {
                return Ok(Reply::Implements {
                    implements: &["NetworkDriver"],
                });
            }
            _ => {}
        }
        Ok(Reply::Done {})
    }
}

const LEAVE: &str = r#"{"NetworkID":"n","EndpointID":"e"}"#;

#[test]
fn activation_has_no_body_no_content_type_and_any_host() {
    let plugin = Running::start(Script::meeting(1), Limits::default());
    for host in [
        "",
        "%2Frun%2Fdocker%2Fplugins%2Fx.sock",
        "plugin.moby.localhost",
    ] {
        let text = exchange(
            plugin.path(),
            format!(
                "POST /Plugin.Activate HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Go-http-client/1.1\r\n\
                 Content-Length: 0\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\nConnection: close\r\n\r\n"
            )
            .as_bytes(),
        );
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(
            text.ends_with(r#"{"Implements":["NetworkDriver"]}"#),
            "{text}"
        );
    }
}

#[test]
fn unknown_methods_and_other_verbs_are_404_with_the_reason() {
    let plugin = Running::start(Script::meeting(1), Limits::default());
    let get = exchange(
        plugin.path(),
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert!(get.starts_with("HTTP/1.1 404 "), "{get}");
    assert!(
        get.ends_with(
            r#"{"Err":"this plugin has no method \"GET /\"","Error":"this plugin has no method \"GET /\""}"#
        ),
        "{get}"
    );
    assert_eq!(post(plugin.path(), "NetworkDriver.Foo", "{}").0, 404);
}

#[test]
fn malformed_requests_fail_alone() {
    let plugin = Running::start(
        Script::meeting(1),
        Limits {
            body: 1 << 20,
            ..Limits::default()
        },
    );
    let wrong = [
        ("NetworkDriver.CreateNetwork", String::new(), 400),
        ("NetworkDriver.CreateNetwork", "{".into(), 400),
        (
            "NetworkDriver.CreateNetwork",
            r#"{"NetworkID":7}"#.into(),
            400,
        ),
        (
            "NetworkDriver.Leave",
            r#"{"NetworkID":"../../x","EndpointID":"e"}"#.into(),
            400,
        ),
        ("NetworkDriver.Leave", " ".repeat(10 << 20) + LEAVE, 413),
    ];
    for (method, body, status) in wrong {
        let (found, answer) = post(plugin.path(), method, &body);
        assert_eq!(found, status, "{answer}");
        assert!(answer["Err"].as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!(answer["Err"], answer["Error"]);
    }
    for garbage in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    ] {
        let mut stream = UnixStream::connect(plugin.path()).unwrap();
        stream.write_all(garbage).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
    }
    assert_eq!(post(plugin.path(), "NetworkDriver.Leave", LEAVE).0, 200);
}

#[test]
fn a_half_sent_body_is_answered_when_it_ends_and_when_it_stalls() {
    let plugin = Running::start(
        Script::meeting(1),
        Limits {
            arrival: Duration::from_millis(50),
            ..Limits::default()
        },
    );
    let half = b"POST /NetworkDriver.Leave HTTP/1.1\r\nHost: \r\nContent-Length: 100\r\n\r\n{\"Net";
    for (ends, status) in [(true, "HTTP/1.1 400 "), (false, "HTTP/1.1 408 ")] {
        let mut stream = UnixStream::connect(plugin.path()).unwrap();
        stream.write_all(half).unwrap();
        if ends {
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(status), "{answer:?}");
        assert!(answer.contains("\"Err\""), "{answer:?}");
    }
}

#[test]
fn connections_without_a_request_do_not_keep_others_out() {
    let script = Script::meeting(2);
    let plugin = Running::start(
        script.clone(),
        Limits {
            connections: 4,
            arrival: Duration::from_millis(50),
            ..Limits::default()
        },
    );
    std::thread::scope(|scope| {
        let at_work = scope.spawn(|| post(plugin.path(), "NetworkDriver.Leave", LEAVE));
        plugin.wait_for_connections(1);
        let mut others: Vec<UnixStream> = (0..3)
            .map(|_| UnixStream::connect(plugin.path()).unwrap())
            .collect();
        let kept = support::request("Plugin.Activate", "").replace("Connection: close\r\n", "");
        others[0].write_all(kept.as_bytes()).unwrap();
        others[1].write_all(b"POST /Plug").unwrap();
        // The barrier opens: the first call was not disturbed.
        assert_eq!(post(plugin.path(), "NetworkDriver.Leave", LEAVE).0, 200);
        assert_eq!(at_work.join().unwrap().0, 200);
    });
}

#[test]
fn however_many_connections_are_idle_the_next_one_waits_once() {
    let patience = Duration::from_secs(1);
    let plugin = Running::start(
        Script::meeting(1),
        Limits {
            connections: 64,
            arrival: patience,
            ..Limits::default()
        },
    );
    let silent: Vec<UnixStream> = (0..70)
        .map(|_| UnixStream::connect(plugin.path()).unwrap())
        .collect();
    let started = Instant::now();
    assert_eq!(post(plugin.path(), "NetworkDriver.Leave", LEAVE).0, 200);
    // Not once for each that is too many.
    assert!(started.elapsed() < 4 * patience, "{:?}", started.elapsed());
    drop(silent);
}

#[test]
fn a_connection_may_be_idle_below_the_limit() {
    let plugin = Running::start(
        Script::meeting(1),
        Limits {
            arrival: Duration::from_millis(1),
            ..Limits::default()
        },
    );
    let mut stream = UnixStream::connect(plugin.path()).unwrap();
    // A hundred times as long as it could be if others waited.
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    assert!(stream.read(&mut [0]).is_err());
    let request = support::request("NetworkDriver.Leave", LEAVE);
    stream.write_all(request.as_bytes()).unwrap();
    stream.set_read_timeout(None).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
}

#[test]
fn a_panic_is_answered_and_the_plugin_keeps_running() {
    let plugin = Running::start(Script::meeting(1), Limits::default());
    let (status, answer) = post(plugin.path(), "NetworkDriver.DeleteEndpoint", LEAVE);
    assert_eq!(status, 500);
    assert!(
        answer["Error"]
            .as_str()
            .unwrap()
            .contains("inside NetworkDriver.DeleteEndpoint")
    );
    assert_eq!(post(plugin.path(), "NetworkDriver.Leave", LEAVE).0, 200);
}

#[test]
fn calls_run_concurrently_up_to_the_limit() {
    let script = Script::meeting(8);
    let plugin = Running::start(
        script.clone(),
        Limits {
            calls: 8,
            ..Limits::default()
        },
    );
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(post(plugin.path(), "NetworkDriver.Leave", LEAVE).0, 200));
        }
    });
    assert_eq!(script.left.load(Ordering::SeqCst), 16);
}

#[test]
fn constant_calls_are_answered_at_the_limit_of_calls() {
    let script = Script::meeting(2);
    let plugin = Running::start(
        script.clone(),
        Limits {
            calls: 2,
            ..Limits::default()
        },
    );
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| post(plugin.path(), "NetworkDriver.Leave", LEAVE));
        for method in [
            "Plugin.Activate",
            "NetworkDriver.GetCapabilities",
            "NetworkDriver.FreeNetwork",
        ] {
            assert_eq!(post(plugin.path(), method, "").0, 200);
        }
        assert!(!waiting.is_finished());
        post(plugin.path(), "NetworkDriver.Leave", LEAVE);
    });
}

#[test]
fn stopping_finishes_what_runs_and_what_had_connected() {
    let script = Script::meeting(2);
    let plugin = Running::start(script.clone(), Limits::default());
    let path = plugin.path().to_path_buf();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| post(&path, "NetworkDriver.Leave", LEAVE));
        // The first call is at work once it holds one of the two places at the barrier; the second
        // has only connected when the stop comes.
        plugin.wait_for_connections(1);
        let mut second = UnixStream::connect(&path).unwrap();
        let stopped = scope.spawn(|| plugin.stop());
        second
            .write_all(support::request("NetworkDriver.Leave", LEAVE).as_bytes())
            .unwrap();
        let mut answer = String::new();
        second.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
        assert_eq!(first.join().unwrap().0, 200);
        stopped.join().unwrap();
    });
    assert!(!path.exists());
}

#[test]
fn calls_that_never_end_do_not_keep_the_plugin_running() {
    let plugin = Running::start(
        Script::meeting(2),
        Limits {
            drain: Duration::from_millis(50),
            ..Limits::default()
        },
    );
    let mut stream = UnixStream::connect(plugin.path()).unwrap();
    stream
        .write_all(support::request("NetworkDriver.Leave", LEAVE).as_bytes())
        .unwrap();
    plugin.wait_for_connections(1);
    let started = Instant::now();
    plugin.stop();
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_call_reaches_the_plugin_as_it_was_sent() {
    struct Check;
    impl Plugin for Check {
        fn answer(&self, call: Call) -> Result<Reply> {
            let Call::Leave(OfEndpoint {
                network_id,
                endpoint_id,
            }) = call
            else {
                panic!("another call");
            };
            assert_eq!(network_id, NetworkId::try_from("n".to_string()).unwrap());
            assert_eq!(endpoint_id, EndpointId::try_from("e".to_string()).unwrap());
            Ok(Reply::Done {})
        }
    }
    let plugin = Running::start(Arc::new(Check), Limits::default());
    assert_eq!(
        post(plugin.path(), "NetworkDriver.Leave", LEAVE),
        (200, serde_json::json!({}))
    );
}
