//! TLS for HTTP: trusted authorities and the client certificate.

use std::path::{Path, PathBuf};

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::error::{Error, Result};
use crate::files;

/// The largest PEM file that is read, in bytes. A bundle of all public authorities has 250 KB.
const MAX_PEM: u64 = 4 << 20;

/// TLS options. The default trusts the public certificate authorities and presents no certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// A PEM file with the certificate authorities that are trusted, instead of the public ones.
    pub ca: Option<PathBuf>,
    /// A PEM file with the client's certificate and its chain.
    pub client_cert: Option<PathBuf>,
    /// A PEM file with the client certificate's key; if unset, the key is expected in the
    /// certificate's file.
    pub client_key: Option<PathBuf>,
    /// Accept any server certificate.
    pub insecure: bool,
}

impl TlsSettings {
    /// Reads and checks the files: a bad one must be refused with its name, not in the middle of the
    /// first request.
    pub(super) fn load(&self) -> Result<TlsConfig> {
        let mut builder = TlsConfig::builder().disable_verification(self.insecure);
        if let Some(path) = &self.ca {
            let roots = certificates(path, "CA file")?;
            let roots: Vec<_> = roots
                .iter()
                .map(|der| Certificate::from_der(der).to_owned())
                .collect();
            builder = builder.root_certs(RootCerts::new_with_certs(&roots));
        }
        match (&self.client_cert, &self.client_key) {
            (Some(cert), key) => {
                let key = key.as_ref().unwrap_or(cert);
                builder = builder.client_cert(Some(client_certificate(cert, key)?));
            }
            (None, Some(_)) => {
                return Err(Error::missing(
                    "client certificate",
                    "a client key is given, so its certificate is needed too",
                ));
            }
            (None, None) => {}
        }
        Ok(builder.build())
    }
}

fn client_certificate(cert_path: &Path, key_path: &Path) -> Result<ClientCert> {
    let chain = certificates(cert_path, "client certificate")?;
    let pem = read(key_path)?;
    let invalid = |reason: String| Error::invalid("client key", display(key_path), reason);
    let der = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| invalid("it holds no private key in PEM form".into()))?;
    let key = PrivateKey::from_pem(&pem)
        .map_err(|_| invalid("it holds no private key in PEM form".into()))?;
    // ureq does not check that the two belong together.
    CertifiedKey::from_der(chain.clone(), der, &ring::default_provider()).map_err(|error| {
        invalid(format!(
            "it does not fit the certificate {}: {error}",
            cert_path.display()
        ))
    })?;
    let chain: Vec<_> = chain
        .iter()
        .map(|der| Certificate::from_der(der).to_owned())
        .collect();
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn certificates(path: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let pem = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Error::invalid(
            what,
            display(path),
            "it holds no certificate in PEM form",
        )),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    files::read_at_most(path, MAX_PEM).map_err(|source| Error::file("read", path, source))
}

fn display(path: &Path) -> String {
    path.display().to_string()
}
