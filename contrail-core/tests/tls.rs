//! TLS: whom the transport trusts, and which certificate it shows.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use contrail_core::http::{
    Http, Method, Mismatch, Request, TlsSettings, Transport, TransportError,
};
use contrail_core::{Deadline, Error};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use support::LONG;

/// A certificate authority with a certificate for `127.0.0.1` that it signed.
struct Authority {
    ca: Certificate,
    issued: Certificate,
    key: KeyPair,
    dir: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        Self::issuing(for_loopback())
    }

    fn issuing(issue: CertificateParams) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().unwrap();
        let issued = issue.signed_by(&key, &issuer).unwrap();
        Self::of(ca, issued, key)
    }

    /// An authority whose server uses the authority's own certificate.
    fn self_signed(is_ca: IsCa) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = for_loopback();
        params.is_ca = is_ca;
        let ca = params.self_signed(&key).unwrap();
        Self::of(ca.clone(), ca, key)
    }

    fn of(ca: Certificate, issued: Certificate, key: KeyPair) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("ca.pem"), ca.pem()).unwrap();
        fs::write(dir.path().join("cert.pem"), issued.pem()).unwrap();
        fs::write(dir.path().join("key.pem"), key.serialize_pem()).unwrap();
        let both = issued.pem() + &key.serialize_pem();
        fs::write(dir.path().join("both.pem"), both).unwrap();
        Self {
            ca,
            issued,
            key,
            dir,
        }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.dir.path().join(name))
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.issued.der().clone()]
    }

    fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.der().clone()).unwrap();
        Arc::new(roots)
    }
}

fn for_loopback() -> CertificateParams {
    CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap()
}

/// A TLS server that answers every request by "ok", and counts its connections.
struct TlsServer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl TlsServer {
    fn start(authority: &Authority, clients: Option<&Authority>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(clients.roots(), provider)
                    .build()
                    .unwrap(),
            ),
        };
        let config = builder
            .with_single_cert(authority.chain(), authority.private_key())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (config, counter) = (Arc::new(config), connections.clone());
        thread::spawn(move || {
            for tcp in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let session = ServerConnection::new(config.clone()).unwrap();
                let mut stream = StreamOwned::new(session, tcp);
                thread::spawn(move || {
                    let mut request = Vec::new();
                    let mut buffer = [0; 1024];
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        request.extend_from_slice(&buffer[..count]);
                        if request.ends_with(b"\r\n\r\n") {
                            request.clear();
                            let _ = stream.write_all(&support::message(200, "", "ok"));
                        }
                    }
                });
            }
        });
        Self {
            address,
            connections,
        }
    }

    fn get(&self, http: &Http) -> Result<String, TransportError> {
        let deadline = Deadline::after(Duration::from_secs(30));
        let url = format!("https://{}/", self.address);
        let mut request = Request::new(Method::GET, url, deadline);
        request.reuse = true;
        let response = http.send(&request)?;
        Ok(response.text())
    }
}

fn http(tls: &TlsSettings) -> Http {
    Http::new(tls, Duration::from_secs(10)).unwrap()
}

fn trusting(authority: &Authority) -> TlsSettings {
    TlsSettings {
        ca: authority.path("ca.pem"),
        ..TlsSettings::default()
    }
}

fn is_not_accepted(outcome: &Result<String, TransportError>) -> bool {
    matches!(
        outcome,
        Err(TransportError::Mismatch(Mismatch::Certificate { .. }))
    )
}

#[test]
fn a_server_of_the_given_authority_is_accepted_and_its_connection_used_again() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, None);
    let http = http(&trusting(&authority));
    for _ in 0..5 {
        assert_eq!(server.get(&http).unwrap(), "ok");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_server_of_another_authority_is_refused_before_anything_is_sent() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, None);
    for tls in [TlsSettings::default(), trusting(&Authority::new())] {
        let outcome = server.get(&http(&tls));
        assert!(is_not_accepted(&outcome), "{outcome:?}");
    }
}

/// What is wrong, in words, as an error that another attempt does not help against.
fn told(error: TransportError) -> String {
    let request = Request::new(Method::GET, "https://h/", Deadline::after(LONG));
    let error = error.into_error("API https://h".into(), &request, 1.0);
    assert!(matches!(error, Error::Misconfigured { .. }), "{error:?}");
    assert!(!error.is_transient() && error.had_no_effect(), "{error:?}");
    contrail_core::error::report(&error)
}

#[test]
fn a_certificate_that_is_not_accepted_is_told_in_words() {
    let dated = |from: i32, to: i32| {
        let mut params = for_loopback();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        Authority::issuing(params)
    };
    let named = CertificateParams::new(vec!["api.example".to_owned()]).unwrap();
    let own = Authority::self_signed(IsCa::Ca(BasicConstraints::Unconstrained));
    for (authority, words) in [
        (dated(2001, 2002), "has expired"),
        (dated(3001, 3002), "is not valid yet"),
        (
            Authority::issuing(named),
            "is for api.example, not for 127.0.0.1: use a name",
        ),
        (own, "basicConstraints=CA:FALSE"),
    ] {
        let server = TlsServer::start(&authority, None);
        let text = told(server.get(&http(&trusting(&authority))).unwrap_err());
        assert!(text.starts_with("cannot use API https://h: the server's certificate "));
        assert!(text.contains(words), "{text}");
    }
    let server = TlsServer::start(&Authority::new(), None);
    // The second has the name of the authority and another key.
    for (tls, words) in [
        (TlsSettings::default(), "an authority that is not trusted"),
        (trusting(&Authority::new()), "may be an older one"),
    ] {
        let text = told(server.get(&http(&tls)).unwrap_err());
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_self_signed_certificate_of_no_authority_may_be_its_own_ca_file() {
    let authority = Authority::self_signed(IsCa::ExplicitNoCa);
    let server = TlsServer::start(&authority, None);
    assert_eq!(server.get(&http(&trusting(&authority))).unwrap(), "ok");
}

/// A server that says the same whatever it hears.
fn saying(words: &[u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let words = words.to_vec();
    thread::spawn(move || {
        for mut tcp in listener.incoming().flatten() {
            let _ = tcp.read(&mut [0; 4096]);
            let _ = tcp.write_all(&words);
            let _ = tcp.read_to_end(&mut Vec::new());
        }
    });
    address
}

#[test]
fn http_in_the_place_of_tls_and_the_reverse_are_told() {
    let tls = TlsServer::start(&Authority::new(), None);
    let bad = support::message(400, "", "bad request");
    let (plain, page, other) = (saying(&bad), saying(b"<html>"), saying(b"SSH-2.0-x\r\n"));
    let get = |scheme: &str, address: SocketAddr| {
        let url = format!("{scheme}://{address}/");
        let request = Request::new(Method::GET, url, Deadline::after(LONG));
        told(http(&TlsSettings::default()).send(&request).unwrap_err())
    };
    let text = get("http", tls.address);
    assert!(
        text.contains("speaks TLS, not HTTP: use https://"),
        "{text}"
    );
    let text = get("https", other);
    assert!(text.contains("speaks neither TLS nor HTTP"), "{text}");
    for address in [plain, page] {
        let text = get("https", address);
        assert!(text.contains("speaks HTTP, not TLS: use http://"), "{text}");
    }
}

#[test]
fn insecure_accepts_any_certificate_but_only_on_request() {
    let server = TlsServer::start(&Authority::new(), None);
    let tls = TlsSettings {
        insecure: true,
        ..TlsSettings::default()
    };
    assert_eq!(server.get(&http(&tls)).unwrap(), "ok");
}

#[test]
fn the_client_certificate_is_shown() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let server = TlsServer::start(&servers, Some(&clients));
    assert!(server.get(&http(&trusting(&servers))).is_err());
    for (cert, key) in [("cert.pem", clients.path("key.pem")), ("both.pem", None)] {
        let tls = TlsSettings {
            client_cert: clients.path(cert),
            client_key: key,
            ..trusting(&servers)
        };
        assert_eq!(server.get(&http(&tls)).unwrap(), "ok");
    }
}

#[test]
fn files_that_cannot_be_used_are_refused_at_once_and_by_name() {
    let (authority, other) = (Authority::new(), Authority::new());
    let with = |cert, key| TlsSettings {
        client_cert: cert,
        client_key: key,
        ..TlsSettings::default()
    };
    let ca = |path| TlsSettings {
        ca: path,
        ..TlsSettings::default()
    };
    for (tls, file) in [
        (ca(authority.path("absent.pem")), "absent.pem"),
        (ca(authority.path("key.pem")), "key.pem"),
        (
            with(authority.path("cert.pem"), authority.path("absent.pem")),
            "absent.pem",
        ),
        (
            with(authority.path("cert.pem"), authority.path("ca.pem")),
            "ca.pem",
        ),
        (with(authority.path("cert.pem"), None), "cert.pem"),
        (
            with(authority.path("cert.pem"), other.path("key.pem")),
            "key.pem",
        ),
    ] {
        let error = Http::new(&tls, Duration::from_secs(1)).unwrap_err();
        let text = contrail_core::error::report(&error);
        assert!(text.contains(file), "{file}: {text}");
    }
    let error = Http::new(&with(None, authority.path("key.pem")), Duration::ZERO).unwrap_err();
    assert!(matches!(error, Error::Missing { .. }));
}
