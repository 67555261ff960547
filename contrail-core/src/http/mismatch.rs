//! Servers that do not work as they are configured here: HTTP in the place of TLS, certificates that are
//! not accepted. In words, with what to do.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::values::text::visible;

/// What does not fit between a server and its configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// The address is `https`, and the server answers in plain HTTP.
    #[error(
        "the server speaks HTTP, not TLS: use http:// in its address, or the port on which it speaks TLS"
    )]
    SpeaksHttp,
    /// The address is `http`, and the server answers in TLS.
    #[error(
        "the server speaks TLS, not HTTP: use https:// in its address, or the port on which it speaks HTTP"
    )]
    SpeaksTls,
    /// The address is `https`, and the server answers in neither TLS nor HTTP.
    #[error("the server speaks neither TLS nor HTTP: is this the right port?")]
    SpeaksNeither,
    /// The server's certificate is not accepted.
    #[error("the server's certificate {reason}")]
    Certificate {
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The two cannot agree on TLS, or the server does not accept this client's certificate.
    #[error("no TLS session: {reason}")]
    Session {
        /// Why.
        reason: String,
    },
}

/// The mismatch that an error before the request was sent stands for, if it is one.
pub(super) fn of(error: &(dyn StdError + 'static)) -> Option<Mismatch> {
    let seen = find::<Mismatch>(error).cloned();
    seen.or_else(|| find::<rustls::Error>(error).and_then(of_tls))
}

/// The same of a request that was on its way. What breaks a session then says nothing about the settings, but a
/// server judges the client's certificate only after it.
pub(super) fn of_sent(error: &(dyn StdError + 'static)) -> Option<Mismatch> {
    let seen = find::<Mismatch>(error).cloned();
    seen.or_else(|| match find::<rustls::Error>(error)? {
        alert @ rustls::Error::AlertReceived(_) => of_tls(alert),
        _ => None,
    })
}

/// The first error of this type among an error and its causes. Errors that were made an [`io::Error`] or
/// one of ureq on the way through the layers of a connection do not name theirs as `source`.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    if let Some(found) = error.downcast_ref::<E>() {
        return Some(found);
    }
    let inner: Option<&(dyn StdError + 'static)> = match error.downcast_ref::<ureq::Error>() {
        Some(ureq::Error::Io(error)) => Some(error),
        Some(ureq::Error::Rustls(error)) => Some(error),
        Some(ureq::Error::Other(error)) => Some(error.as_ref()),
        Some(_) => None,
        None => match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|error| error as _),
            None => error.source(),
        },
    };
    inner.and_then(find)
}

fn of_tls(error: &rustls::Error) -> Option<Mismatch> {
    let session = || Mismatch::Session {
        reason: visible(&error.to_string()),
    };
    match error {
        rustls::Error::InvalidCertificate(error) => Some(Mismatch::Certificate {
            reason: certificate(error),
        }),
        rustls::Error::InvalidMessage(_) => Some(Mismatch::SpeaksNeither),
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired => Some(Mismatch::Session {
                reason: "the server wants a client certificate".to_owned(),
            }),
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied => Some(Mismatch::Session {
                reason: format!("the server does not accept the client certificate ({alert:?})"),
            }),
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => {
                Some(session())
            }
            _ => None,
        },
        rustls::Error::PeerIncompatible(_) => Some(session()),
        _ => None,
    }
}

/// What is wrong with a certificate, as a sentence that begins with it.
fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired: it must be renewed, unless this host's clock is wrong".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet: is this host's clock right?".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "was issued by an authority that is not trusted: name a file with the certificate of \
             that authority in the settings"
                .to_owned()
        }
        CertificateError::NotValidForName => "is for another name than the address has".to_owned(),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let presented: Vec<String> = presented.iter().map(|name| plain_name(name)).collect();
            let presented = match presented.is_empty() {
                true => "no name".to_owned(),
                false => presented.join(", "),
            };
            let expected = expected.to_str();
            format!(
                "is for {presented}, not for {expected}: use a name that it is for in the address, \
                 or issue one for {expected} (as subjectAltName)"
            )
        }
        CertificateError::Revoked => "was revoked".to_owned(),
        CertificateError::BadSignature => {
            "is not signed by the authority that it names: the trusted certificate of that \
             authority may be an older one"
                .to_owned()
        }
        CertificateError::Other(other) if is_authority(&other.to_string()) => {
            "is that of an authority (CA:TRUE), as self-signed ones are: let it issue a certificate \
             for the server, or make a self-signed one with basicConstraints=CA:FALSE"
                .to_owned()
        }
        other => format!("is not accepted: {}", visible(&other.to_string())),
    }
}

/// Whether the text is rustls's for a certificate of an authority that a server uses for itself. Its type
/// is that of a crate that rustls does not re-export.
fn is_authority(text: &str) -> bool {
    text.contains("CaUsedAsEndEntity")
}

/// `DnsName("x")` as `x`.
fn plain_name(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest);
    visible(inner.trim_end_matches(')').trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use rustls::InvalidMessage;

    use super::*;

    fn broken(error: rustls::Error) -> ureq::Error {
        ureq::Error::Io(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Else a creation whose answer was broken would count as never sent, and its object would be forgotten.
    #[test]
    fn what_breaks_a_session_after_the_request_is_no_mismatch() {
        for error in [
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType),
            rustls::Error::PeerIncompatible(rustls::PeerIncompatible::NoCipherSuitesInCommon),
        ] {
            let error = broken(error);
            assert!(of(&error).is_some() && of_sent(&error).is_none(), "{error}");
        }
        for alert in [
            AlertDescription::CertificateRequired,
            AlertDescription::UnknownCA,
        ] {
            let error = broken(rustls::Error::AlertReceived(alert));
            assert!(of_sent(&error).is_some(), "{error}");
        }
        let error = broken(rustls::Error::AlertReceived(
            AlertDescription::InternalError,
        ));
        assert_eq!(of_sent(&error), None);
    }
}
