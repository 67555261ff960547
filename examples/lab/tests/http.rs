//! The lab's HTTP server: what a client sees of answers and of faults.

#![allow(clippy::unwrap_used)] // in every helper too

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contrail_lab::http::{Request, Response, Server, Service, ServiceName, Watch};

/// Answers with what it got, and counts.
#[derive(Default)]
struct Echo(AtomicUsize);

impl Service for Echo {
    fn handle(&self, request: &Request) -> Response {
        self.0.fetch_add(1, Ordering::SeqCst);
        let body = format!(
            "{} {} {} {}",
            request.method,
            request.path,
            request.query,
            request.body.len()
        );
        let mut response = Response::new(404, "text/plain", body);
        response.reason = "OK";
        response
    }

    fn admit(&self, request: &Request) -> Option<Response> {
        request
            .header("transfer-encoding")
            .map(|_| Response::new(400, "text/plain", "chunked"))
    }
}

struct Bench {
    echo: Arc<Echo>,
    watch: Watch,
    server: Server,
}

fn bench() -> Bench {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let echo = Arc::new(Echo::default());
    let watch = Watch::default();
    let service: Arc<dyn Service> = echo.clone();
    let server = Server::start(listener, ServiceName::Agent, service, watch.clone()).unwrap();
    Bench {
        echo,
        watch,
        server,
    }
}

/// Sends raw bytes and reads until the server closes; `None` when the connection was reset.
fn talk(address: SocketAddr, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8(answer).unwrap())
}

const GET: &str = "GET /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

fn with_fault(action: &str) -> (Bench, Option<String>) {
    let bench = bench();
    let rule = format!(r#"{{"service":"agent","path":"/a","count":1,"action":{action}}}"#);
    bench.watch.faults.add(serde_json::from_str(&rule).unwrap());
    let answer = talk(bench.server.local_addr(), GET);
    (bench, answer)
}

#[test]
fn the_service_sets_status_and_reason_and_sees_path_and_query_apart() {
    let bench = bench();
    let answer = talk(bench.server.local_addr(), GET).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 404 OK\r\nContent-Type: text/plain\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\nGET /a b=c 0"), "{answer}");
    let entries = bench.watch.log.entries();
    assert_eq!(
        (entries[0].path.as_str(), entries[0].status),
        ("/a?b=c", 404)
    );
}

#[test]
fn a_request_that_is_not_admitted_never_reaches_the_service() {
    let bench = bench();
    let chunked =
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let answer = talk(bench.server.local_addr(), chunked).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    assert_eq!(bench.echo.0.load(Ordering::SeqCst), 0);
}

#[test]
fn head_has_the_length_but_not_the_body() {
    let bench = bench();
    let answer = talk(bench.server.local_addr(), &GET.replace("GET", "HEAD")).unwrap();
    assert!(answer.contains("Content-Length: 13\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn two_requests_on_one_connection_carry_its_number_and_another_connection_has_another() {
    let bench = bench();
    let first = GET.replace("Connection: close\r\n", "");
    talk(bench.server.local_addr(), &format!("{first}{GET}")).unwrap();
    talk(bench.server.local_addr(), GET).unwrap();
    let numbers: Vec<u64> = bench
        .watch
        .log
        .entries()
        .iter()
        .map(|e| e.connection)
        .collect();
    assert_eq!(numbers[0], numbers[1]);
    assert_ne!(numbers[1], numbers[2]);
}

#[test]
fn faults_without_effect_do_not_reach_the_service() {
    for (action, begins) in [
        (r#"{"status":{"code":503,"body":"busy"}}"#, "HTTP/1.1 503"),
        (r#""drop_before""#, ""),
        (r#""forget""#, "HTTP/1.1 200"),
    ] {
        let (bench, answer) = with_fault(action);
        let answer = answer.unwrap_or_default();
        assert!(answer.starts_with(begins), "{action}: {answer}");
        assert_eq!(answer.is_empty(), begins.is_empty(), "{action}: {answer}");
        assert_eq!(bench.echo.0.load(Ordering::SeqCst), 0, "{action}");
        assert!(
            talk(bench.server.local_addr(), GET).is_some(),
            "{action}: the next passes"
        );
    }
}

#[test]
fn faults_with_effect_spoil_only_the_answer() {
    for (action, check) in [
        (r#""drop_after""#, ""),
        (r#"{"delay":1}"#, "GET /a b=c 0"),
        (r#"{"overlap":1}"#, "GET /a b=c 0"),
        (r#""truncate""#, "GET /a"),
        (r#""garbage""#, "{\"garbage\": ["),
        (r#"{"content_type":"image/png"}"#, "Content-Type: image/png"),
        (r#"{"trickle":1}"#, "HTTP/1.1 404 OK\r\n"),
        (r#""close""#, "Content-Length: 12\r\n"),
    ] {
        let (bench, answer) = with_fault(action);
        let answer = answer.unwrap_or_default();
        assert!(answer.contains(check), "{action}: {answer}");
        let whole = answer.ends_with("GET /a b=c 0");
        let sound = ["delay", "overlap", "content_type", "trickle", "close"];
        let expected = sound.iter().any(|name| action.contains(name));
        assert_eq!(whole, expected, "{action}: {answer}");
        assert_eq!(bench.echo.0.load(Ordering::SeqCst), 1, "{action}");
    }
}

#[test]
fn a_close_behind_an_answer_is_not_announced() {
    let bench = bench();
    let rule = r#"{"service":"agent","action":"close"}"#;
    bench.watch.faults.add(serde_json::from_str(rule).unwrap());
    let lasting = GET.replace("Connection: close\r\n", "");
    let answer = talk(bench.server.local_addr(), &lasting).unwrap();
    assert!(!answer.contains("Connection"), "{answer}");
    assert_eq!(bench.watch.log.entries()[0].status, 404);
}

#[test]
fn a_refused_connection_is_reset() {
    let bench = bench();
    let rule = r#"{"service":"agent","count":1,"action":"refuse"}"#;
    bench.watch.faults.add(serde_json::from_str(rule).unwrap());
    assert_eq!(talk(bench.server.local_addr(), GET), None);
    assert!(talk(bench.server.local_addr(), GET).is_some());
}

#[test]
fn a_hanging_request_ends_when_the_server_stops() {
    let bench = bench();
    let rule = r#"{"service":"agent","action":"hang"}"#;
    bench.watch.faults.add(serde_json::from_str(rule).unwrap());
    let address = bench.server.local_addr();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(GET.as_bytes()).unwrap();
    while bench.watch.faults.list()[0].hit == 0 {
        std::thread::yield_now();
    }
    bench.server.stop();
    let mut answer = Vec::new();
    // Closed or reset: both say that nothing will come.
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty());
    assert_eq!(bench.watch.log.entries()[0].status, 0);
    assert!(TcpStream::connect(address).is_err());
}
