//! The real transport against a server that misbehaves on purpose.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use contrail_core::Deadline;
use contrail_core::http::{
    AnswerKind, Http, Method, Request, Response, TlsSettings, Transport, TransportError,
};
use support::{Act, Server, answer, nobody};

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(150);

fn http() -> Http {
    Http::new(&TlsSettings::default(), Duration::from_secs(5)).unwrap()
}

fn get(server: &Server, time: Duration) -> Result<Response, TransportError> {
    http().send(&Request::new(
        Method::GET,
        server.url("/x?y=1"),
        Deadline::after(time),
    ))
}

#[test]
fn every_status_is_an_answer_and_the_body_is_read() {
    for status in [200, 201, 302, 404, 409, 500, 503] {
        let server = Server::start(vec![answer(status, "because")]);
        let response = get(&server, LONG).unwrap();
        assert_eq!(
            (response.status, response.text().as_str()),
            (status, "because")
        );
        assert_eq!(server.lines(), ["GET /x?y=1"], "no redirect is followed");
    }
}

#[test]
fn a_long_token_and_bodies_of_many_segments_arrive_whole() {
    let large = "b".repeat(500_000);
    let server = Server::start(vec![answer(200, &large)]);
    for size in [10, 20_000, 500_000] {
        let mut request = Request::new(Method::POST, server.url("/x"), Deadline::after(LONG));
        // As long as those of Keystone were that hold the whole catalogue.
        request.headers.push(("X-Auth-Token", "t".repeat(20_000)));
        request.body = Some(vec![b'b'; size]);
        let response = http().send(&request).unwrap();
        assert!(response.body == large.as_bytes());
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.header("x-auth-token").map(str::len), Some(20_000));
        assert_eq!(seen.body.len(), size);
    }
}

#[test]
fn a_body_goes_with_its_length_and_type() {
    let server = Server::start(vec![answer(200, "{}")]);
    for (method, body) in [
        (Method::POST, Some(serde_json::json!({"a": "ü"}))),
        (Method::PUT, Some(serde_json::json!({}))),
        (Method::POST, None),
        (Method::DELETE, None),
        (Method::GET, None),
    ] {
        let mut request = Request::new(method.clone(), server.url("/x"), Deadline::after(LONG));
        if let Some(body) = &body {
            request = request.json(body);
        }
        http().send(&request).unwrap();
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.line, format!("{method} /x"));
        assert_eq!(seen.header("transfer-encoding"), None);
        if let Some(body) = body {
            assert_eq!(seen.body, body.to_string());
            assert_eq!(seen.header("content-type"), Some("application/json"));
        } else if matches!(method, Method::GET | Method::DELETE) {
            assert_eq!(seen.header("content-length"), None);
        }
    }
}

#[test]
fn a_connection_is_used_again_only_by_requests_that_allow_it() {
    let server = Server::start(vec![Act::Keep(200, "{}".into())]);
    let http = http();
    for (reuse, connection) in [(true, 0), (true, 0), (false, 1), (true, 1)] {
        let mut request = Request::new(Method::GET, server.url("/"), Deadline::after(LONG));
        request.reuse = reuse;
        http.send(&request).unwrap();
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.connection, connection);
    }
}

#[test]
fn nobody_there_means_that_nothing_was_sent() {
    let url = format!("http://{}/", nobody());
    let error = http()
        .send(&Request::new(Method::POST, url, Deadline::after(LONG)))
        .unwrap_err();
    assert!(matches!(error, TransportError::Connect { .. }), "{error:?}");
    assert!(error.nothing_sent());
}

#[test]
fn a_name_that_does_not_resolve_means_that_nothing_was_sent() {
    let url = "http://no-such-host.invalid:8082/";
    let error = http()
        .send(&Request::new(Method::GET, url, Deadline::after(LONG)))
        .unwrap_err();
    assert!(matches!(error, TransportError::Connect { .. }), "{error:?}");
}

#[test]
fn a_server_that_does_not_accept_costs_only_the_connect_timeout() {
    // The queue of a listener that accepts nobody is filled until connecting hangs.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, SHORT) {
        queue.push(stream);
    }
    let http = Http::new(&TlsSettings::default(), SHORT).unwrap();
    let started = Instant::now();
    let url = format!("http://{address}/");
    let error = http
        .send(&Request::new(Method::POST, url, Deadline::after(LONG)))
        .unwrap_err();
    assert!(matches!(error, TransportError::Connect { .. }), "{error:?}");
    assert!(started.elapsed() < LONG / 2);
}

#[test]
fn a_connection_that_breaks_after_the_request_leaves_its_effect_unknown() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this".to_vec();
    for (act, what) in [
        (Act::Close, "closed without a byte"),
        (Act::Reset, "reset"),
        (Act::Raw(b"HTTP/1.1 200 OK\r\nCont".to_vec()), "half a head"),
        (Act::Raw(head), "half a body"),
        (
            Act::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            "another protocol",
        ),
        (Act::Raw(vec![0; 5000]), "garbage"),
    ] {
        let server = Server::start(vec![act]);
        let error = get(&server, LONG).unwrap_err();
        assert!(
            matches!(error, TransportError::Lost { .. }),
            "{what}: {error:?}"
        );
        assert!(!error.nothing_sent());
    }
}

#[test]
fn a_hanging_server_ends_with_the_deadline() {
    let server = Server::start(vec![Act::Hang]);
    let started = Instant::now();
    let error = get(&server, SHORT).unwrap_err();
    assert!(matches!(error, TransportError::Timeout { sent: true }));
    assert!(started.elapsed() >= SHORT && started.elapsed() < LONG / 2);
}

#[test]
fn a_deadline_that_has_passed_sends_nothing() {
    let server = Server::start(vec![answer(200, "{}")]);
    let error = get(&server, Duration::ZERO).unwrap_err();
    assert!(matches!(error, TransportError::Timeout { sent: false }));
    assert!(server.seen().is_empty());
}

#[test]
fn a_body_without_end_is_cut_off() {
    let server = Server::start(vec![Act::Flood]);
    for kind in [AnswerKind::Object, AnswerKind::Token, AnswerKind::Port] {
        let request = Request::new(Method::GET, server.url("/"), Deadline::after(LONG));
        let error = http().send(&request.answered_by(kind)).unwrap_err();
        let limit = kind.max_bytes();
        assert!(
            matches!(error, TransportError::TooLarge { limit: found } if found == limit),
            "{kind:?}: {error:?}"
        );
    }
}

#[test]
fn a_body_that_is_announced_as_too_large_is_not_waited_for() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 62914560\r\n\r\n{\"virtual-networks\":[";
    let server = Server::start(vec![Act::Raw(head.to_vec())]);
    let error = get(&server, LONG).unwrap_err();
    assert!(
        matches!(error, TransportError::TooLarge { .. }),
        "{error:?}"
    );
}

#[test]
fn of_a_long_refusal_the_beginning_is_read() {
    let page = format!("quota exceeded {}", "x".repeat(1 << 20));
    let server = Server::start(vec![answer(412, &page)]);
    let response = get(&server, LONG).unwrap();
    assert!(response.text().starts_with("quota exceeded x"));
    assert!(response.body.len() <= 64 << 10);
}

#[test]
fn headers_and_bodies_that_drip_end_with_the_deadline() {
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{\"a\":[".to_vec();
    let endless = [whole.clone(), vec![b' '; 1900]].concat();
    for (what, bytes, pause) in [
        ("slow headers", whole, Duration::from_millis(20)),
        ("a slow body", endless, Duration::from_millis(1)),
    ] {
        let server = Server::start(vec![Act::Drip(bytes, pause)]);
        let started = Instant::now();
        let error = get(&server, SHORT).unwrap_err();
        let is_timeout = matches!(error, TransportError::Timeout { sent: true });
        assert!(is_timeout, "{what}: {error:?}");
        assert!(started.elapsed() < SHORT + Duration::from_secs(2), "{what}");
    }
}

#[test]
fn headers_of_a_server_cannot_act_on_a_terminal() {
    let header = ("Location", "http://other/\u{9b}2J".to_owned());
    let server = Server::start(vec![Act::With(302, header, String::new())]);
    let response = get(&server, LONG).unwrap();
    let told = r"status 302: a redirect to http://other/\u{9b}2J";
    assert_eq!(response.explained(), told);
}

#[test]
fn a_request_that_http_cannot_express_is_refused_without_its_secret() {
    let server = Server::start(vec![answer(200, "{}")]);
    let request = Request::new(Method::GET, server.url("/"), Deadline::after(LONG))
        .header("X-Auth-Token", "sesame\nopen");
    let error = http().send(&request).unwrap_err();
    assert!(matches!(&error, TransportError::Malformed { reason } if !reason.contains("sesame")));
    for url in ["", "/relative", "http://", "http://a b/"] {
        let request = Request::new(Method::GET, url, Deadline::after(LONG));
        let error = http().send(&request).unwrap_err();
        assert!(error.nothing_sent(), "{url:?}: {error:?}");
    }
    assert!(server.seen().is_empty());
}
