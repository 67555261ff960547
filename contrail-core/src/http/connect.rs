//! Connecting: name resolution, TCP, TLS. Errors of this phase are marked, since nothing of the request
//! was sent before them.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::linux::net::TcpStreamExt;

use super::mismatch::Mismatch;
use super::server::Scheme;
use crate::values::Uri;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, RustlsConnector, Transport,
};
use ureq::{Error, Timeout};

/// Marks an error of the phase in which nothing was sent.
#[derive(Debug)]
pub struct NotSent(pub Error);

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for NotSent {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn not_sent(error: Error) -> Error {
    Error::Other(Box::new(NotSent(error)))
}

/// Resolves names with the system resolver. Addresses need no lookup, and so no thread with a timeout.
#[derive(Debug)]
pub struct Resolve(pub DefaultResolver);

impl Resolver for Resolve {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        if let Some(address) = literal(uri) {
            let mut addresses = self.empty();
            addresses.push(address);
            return Ok(addresses);
        }
        self.0.resolve(uri, config, timeout).map_err(not_sent)
    }
}

fn literal(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let ip: IpAddr = host.parse().ok()?;
    let default = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    Some(SocketAddr::new(ip, uri.port_u16().unwrap_or(default)))
}

/// TCP, and TLS above it for `https`.
#[derive(Debug)]
pub struct Connect {
    tls: RustlsConnector,
    /// The agent's own configuration. ureq keeps one TLS client (with its session tickets) for it,
    /// but would build another for each request with a deadline of its own.
    config: Config,
}

impl Connect {
    pub fn new(config: Config) -> Self {
        Self {
            tls: RustlsConnector::default(),
            config,
        }
    }
}

impl Connector for Connect {
    type Out = <RustlsConnector as Connector<Tcp>>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let tcp = Tcp::connect(details).map_err(not_sent)?;
        let details = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: &self.config,
            request_level: false,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let connected = self.tls.connect(&details, Some(tcp));
        connected.map_err(|error| match error {
            // Some servers of plain HTTP wait for the rest of what is no request to them.
            Error::Timeout(_) => not_sent(Error::Io(io::Error::new(
                ErrorKind::TimedOut,
                "the server accepted the connection and did not answer in TLS: does it speak HTTP?",
            ))),
            error => not_sent(error),
        })
    }
}

/// The amount of output, in bytes, that is sent without waiting for more.
const ENOUGH_TO_SEND: usize = 16 * 1024;

/// A TCP connection that acknowledges at once. The API server writes headers and body as two segments
/// with Nagle's algorithm on: with delayed acknowledgements each answer on a reused connection would
/// wait 44 ms for its second half (measured).
pub struct Tcp {
    stream: TcpStream,
    buffers: LazyBuffers,
    /// What the address says the server speaks, until its first bytes have shown it.
    expected: Option<Scheme>,
    /// Output to send before the next answer is awaited. Head and body arrive here one after the other;
    /// sent as one segment they wake the server once.
    unsent: Vec<u8>,
}

impl Tcp {
    fn connect(details: &ConnectionDetails) -> Result<Self, Error> {
        let started = std::time::Instant::now();
        let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
        let mut left = details.addrs.len() as u32;
        for address in details.addrs.iter() {
            // Each address gets its share of what is left, so that a dead first one leaves time.
            let rest = details.timeout.after.saturating_sub(started.elapsed());
            if rest.is_zero() {
                return Err(Error::Timeout(details.timeout.reason));
            }
            match TcpStream::connect_timeout(address, rest / left) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    let buffers = LazyBuffers::new(
                        details.config.input_buffer_size(),
                        details.config.output_buffer_size(),
                    );
                    let is_tls = details.uri.scheme_str() == Some("https");
                    return Ok(Self {
                        stream,
                        buffers,
                        expected: Some(if is_tls { Scheme::Https } else { Scheme::Http }),
                        unsent: Vec::new(),
                    });
                }
                Err(error) => last = error,
            }
            left -= 1;
        }
        match last.kind() {
            ErrorKind::TimedOut => Err(Error::Timeout(Timeout::Connect)),
            _ => Err(last.into()),
        }
    }

    fn flush(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        self.stream.set_write_timeout(limit(timeout)?)?;
        let sent = self.stream.write_all(&self.unsent);
        self.unsent.clear();
        sent.map_err(|error| timed(error, timeout))
    }
}

impl Transport for Tcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = &self.buffers.output()[..amount];
        self.unsent.extend_from_slice(output);
        match self.unsent.len() < ENOUGH_TO_SEND {
            true => Ok(()),
            false => self.flush(timeout),
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.flush(timeout)?;
        loop {
            self.stream.set_read_timeout(limit(timeout)?)?;
            // The kernel forgets the option: it is set again before each read.
            self.stream.set_quickack(true)?;
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(amount) => {
                    if let Some(expected) = self.expected.take() {
                        let start = &self.buffers.input_append_buf()[..amount];
                        check_start(start, expected)?;
                    }
                    self.buffers.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(timed(error, timeout)),
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // Nothing may be readable between two requests: neither bytes nor the end.
        let quiet = self.stream.set_nonblocking(true).is_ok()
            && matches!(self.stream.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
        quiet && self.stream.set_nonblocking(false).is_ok()
    }
}

/// Whether the first bytes of a server are in the protocol of its address. The first byte of TLS is the
/// type of a record (an alert, or part of the handshake), the second its major version.
fn check_start(start: &[u8], expected: Scheme) -> Result<(), Error> {
    let mismatch = match expected {
        // Some servers answer what is no request with a page alone.
        Scheme::Https if start.starts_with(b"HTTP/") || start.starts_with(b"<") => {
            Mismatch::SpeaksHttp
        }
        Scheme::Http if matches!(start, [0x15 | 0x16, 0x03, ..]) => Mismatch::SpeaksTls,
        _ => return Ok(()),
    };
    Err(Error::Other(Box::new(mismatch)))
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tcp({:?})", self.stream.peer_addr().ok())
    }
}

/// The time for one system call; none left is the timeout itself.
fn limit(timeout: NextTimeout) -> Result<Option<std::time::Duration>, Error> {
    if timeout.after.is_zero() {
        return Err(Error::Timeout(timeout.reason));
    }
    Ok((!timeout.after.is_not_happening()).then(|| *timeout.after))
}

fn timed(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}
