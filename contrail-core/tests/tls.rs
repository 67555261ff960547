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

use contrail_core::http::{Http, Method, Request, TlsSettings, Transport, TransportError};
use contrail_core::{Deadline, Error};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// A certificate authority with a certificate for `127.0.0.1` that it signed.
struct Authority {
    ca: Certificate,
    issued: Certificate,
    key: KeyPair,
    dir: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned()];
        let issued = CertificateParams::new(names).unwrap();
        let issued = issued.signed_by(&key, &issuer).unwrap();
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

fn is_not_connected(outcome: &Result<String, TransportError>) -> bool {
    matches!(outcome, Err(TransportError::Connect { .. }))
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
        assert!(is_not_connected(&outcome), "{outcome:?}");
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
fn a_server_without_tls_is_not_connected() {
    let plain = support::Server::start(vec![support::answer(400, "plain")]);
    let tls = TlsServer {
        address: plain.address,
        connections: Arc::default(),
    };
    let outcome = tls.get(&http(&TlsSettings::default()));
    assert!(is_not_connected(&outcome), "{outcome:?}");
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
