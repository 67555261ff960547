//! Requests that take several steps, over HTTP.

#![allow(clippy::unwrap_used)] // in every helper too

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contrail_lab::http::{Request, Response, Server, Service, ServiceName, Step, Underway, Watch};

/// Answers how many requests have begun, and takes its time for `/slow`.
#[derive(Default)]
struct Counter {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

struct Later(Arc<Counter>);

impl Underway for Later {
    fn next(self: Box<Self>, request: &Request) -> Step {
        Step::Answered(self.0.handle(request))
    }
}

impl Service for Counter {
    fn waits(&self) -> bool {
        false
    }

    fn handle(&self, _: &Request) -> Response {
        self.ended.fetch_add(1, Ordering::SeqCst);
        let begun = self.begun.load(Ordering::SeqCst);
        Response::new(200, "text/plain", begun.to_string())
    }

    fn begin(self: Arc<Self>, request: &Request) -> Step {
        self.begun.fetch_add(1, Ordering::SeqCst);
        if request.path != "/slow" {
            return Step::Answered(self.handle(request));
        }
        let time = Duration::from_millis(200);
        Step::After(time, Box::new(Later(self)))
    }
}

fn start() -> (Arc<Counter>, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let counter = Arc::new(Counter::default());
    let service: Arc<dyn Service> = counter.clone();
    let server = Server::start(listener, ServiceName::Agent, service, Watch::default()).unwrap();
    (counter, server)
}

fn send(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let timeout = Some(Duration::from_secs(10));
    stream.set_read_timeout(timeout).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// The body of the answer.
fn receive(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn others_are_answered_while_a_request_is_under_way() {
    let (counter, server) = start();
    let slow = send(server.local_addr(), "/slow");
    while counter.begun.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    assert_eq!(receive(send(server.local_addr(), "/fast")), "2");
    assert_eq!(counter.ended.load(Ordering::SeqCst), 1);
    assert_eq!(receive(slow), "2");
}

#[test]
fn a_client_that_goes_away_does_not_end_what_was_begun() {
    let (counter, server) = start();
    let slow = send(server.local_addr(), "/slow");
    while counter.begun.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    drop(slow);
    while counter.ended.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
}
