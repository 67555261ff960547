//! A scripted HTTP server on a loopback port: what it does with each request is told beforehand.
#![allow(dead_code)] // each test file uses its part

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use contrail_core::FqName;
use contrail_core::api::{Client, NetworkIpam, VirtualNetwork};
use contrail_core::http::{Http, Scheme, Server as ApiServer, TlsSettings};
use contrail_core::keystone::{NoAuth, TokenSource};
use uuid::Uuid;

/// The id of what the servers create.
pub const ID: Uuid = Uuid::from_u128(7);

/// Longer than anything takes here.
pub const LONG: Duration = Duration::from_secs(30);

/// A client of these servers of the configuration API.
pub fn client_with(addresses: &[SocketAddr], tokens: Arc<dyn TokenSource>) -> Client {
    let http = Http::new(&TlsSettings::default(), Duration::from_secs(5)).unwrap();
    let server = |address: &SocketAddr| ApiServer {
        scheme: Scheme::Http,
        host: address.ip().to_string(),
        port: address.port(),
    };
    let servers = addresses.iter().map(server).collect();
    Client::new(Arc::new(http), servers, tokens, "host:test".into(), LONG)
}

/// A client of these servers that needs no token.
pub fn client(addresses: &[SocketAddr]) -> Client {
    client_with(addresses, Arc::new(NoAuth))
}

/// The answer to the creation of an object of a type.
pub fn created(kind: &str, uuid: Uuid) -> Act {
    let body =
        serde_json::json!({kind: {"name": "x", "fq_name": ["x"], "uuid": uuid, "href": "y"}});
    Act::Answer(200, body.to_string())
}

/// A network to create.
pub fn network() -> VirtualNetwork {
    let name = FqName::new(["default-domain", "admin", "net1"]);
    VirtualNetwork::new(name, NetworkIpam::default_name(), vec![])
}

/// What the server does with a request.
#[derive(Clone)]
pub enum Act {
    /// Answer it, announce that the connection closes, and close it.
    Answer(u16, String),
    /// Answer it and close the connection, which the answer does not announce: the client may send its next
    /// request before it can notice.
    CloseSilently(u16, String),
    /// Answer it, and serve the next request of the connection.
    Keep(u16, String),
    /// Answer it with one more header.
    With(u16, (&'static str, String), String),
    /// Write these bytes and close.
    Raw(Vec<u8>),
    /// Read it and close without a byte.
    Close,
    /// Close with the request unread, so that the client gets a reset.
    Reset,
    /// Read it and say nothing until the client goes away.
    Hang,
    /// Read it and write these bytes one by one, with this pause after each.
    Drip(Vec<u8>, Duration),
    /// Read it and write without end.
    Flood,
}

/// An answer with a text.
pub fn answer(status: u16, text: &str) -> Act {
    Act::Answer(status, text.to_owned())
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub connection: usize,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The running server. It ends with the test process.
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// A server that does one act for each request, and the last one for all that follow.
    pub fn start(acts: Vec<Act>) -> Self {
        let mut acts = acts.into_iter().peekable();
        Self::acting(move |_| {
            let act = acts.next().expect("an act");
            if acts.peek().is_none() {
                acts = vec![act.clone()].into_iter().peekable();
            }
            act
        })
    }

    /// A server that decides by the request. A reset is decided without it.
    pub fn acting(act: impl FnMut(&Seen) -> Act + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let act = Arc::new(Mutex::new(act));
        let log = seen.clone();
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let (act, log) = (act.clone(), log.clone());
                thread::spawn(move || serve(&stream, connection, &*act, &log));
            }
        });
        Self { address, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The request lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

/// An address on which nobody listens.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn serve(
    stream: &TcpStream,
    connection: usize,
    decide: &Mutex<impl FnMut(&Seen) -> Act>,
    log: &Mutex<Vec<Seen>>,
) {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut seen = Seen {
        line: line.trim_end().trim_end_matches(" HTTP/1.1").to_owned(),
        headers: Vec::new(),
        body: String::new(),
        connection,
    };
    let act = {
        let mut decide = decide.lock().unwrap();
        // Headers and body are still in the socket here: closing it now resets the connection.
        let early = decide(&seen);
        if !matches!(early, Act::Reset) {
            read_rest(&mut reader, &mut seen);
        }
        log.lock().unwrap().push(seen);
        early
    };
    let mut out = stream;
    let _ = match act {
        Act::Answer(status, text) => {
            out.write_all(&message(status, "Connection: close\r\n", &text))
        }
        Act::CloseSilently(status, text) => out.write_all(&message(status, "", &text)),
        Act::Keep(status, text) => {
            let sent = out.write_all(&message(status, "", &text));
            drop(reader);
            serve(stream, connection, decide, log);
            sent
        }
        Act::With(status, (name, value), text) => {
            out.write_all(&message(status, &format!("{name}: {value}\r\n"), &text))
        }
        Act::Raw(bytes) => out.write_all(&bytes),
        Act::Drip(bytes, pause) => bytes.iter().try_for_each(|byte| {
            thread::sleep(pause);
            out.write_all(&[*byte])
        }),
        Act::Close | Act::Reset => Ok(()),
        Act::Hang => reader.read_to_end(&mut Vec::new()).map(drop),
        Act::Flood => {
            let _ = out.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while out.write_all(&[b' '; 65536]).is_ok() {}
            Ok(())
        }
    };
}

fn read_rest(reader: &mut impl BufRead, seen: &mut Seen) {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim_end().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').expect("a header");
        let name = name.to_ascii_lowercase();
        let value = value.trim().to_owned();
        if name == "content-length" {
            length = value.parse().unwrap();
        }
        seen.headers.push((name, value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    seen.body = String::from_utf8(body).unwrap();
}

/// A whole answer.
pub fn message(status: u16, headers: &str, text: &str) -> Vec<u8> {
    let length = text.len();
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n{text}").into_bytes()
}
