//! The URLs of Keystone's token requests, from all common forms of its address.

use std::net::Ipv6Addr;

use crate::values::Uri;

use crate::error::{Error, Result};

/// The port if an address without a scheme has none.
const DEFAULT_PORT: u16 = 35357;

/// The two versions of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `v2.0`: tenants, no domains.
    V2,
    /// `v3`: projects in domains.
    V3,
}

/// A URL to which credentials are posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The version that it speaks.
    pub version: Version,
    /// The whole URL.
    pub url: String,
}

/// The endpoints of an address, in the order in which they are tried.
///
/// Accepted are `http://host:35357/v2.0`, `https://host/identity/v3/`, the full
/// `…/v2.0/tokens` and `…/v3/auth/tokens`, `http://host:5000` (v3, then v2.0), and what
/// `KEYSTONE_SERVER` holds: `host`, `host:port`.
///
/// # Errors
/// [`Error::Invalid`] for anything else.
pub fn endpoints(address: &str) -> Result<Vec<Endpoint>> {
    let base = base(address)?;
    let base = ["/tokens", "/auth"]
        .iter()
        .fold(base.as_str(), |base, end| strip(base, end));
    let end = base.rsplit('/').next().unwrap_or_default();
    let v2 = |base: &str| Endpoint {
        version: Version::V2,
        url: format!("{base}/tokens"),
    };
    let v3 = |base: &str| Endpoint {
        version: Version::V3,
        url: format!("{base}/auth/tokens"),
    };
    Ok(match end {
        "v2.0" | "v2" => vec![v2(base)],
        "v3" => vec![v3(base)],
        _ => vec![v3(&format!("{base}/v3")), v2(&format!("{base}/v2.0"))],
    })
}

/// The address as a URL without a slash at its end. An address without a scheme gets `http` and, if it
/// has no port, the default one.
fn base(address: &str) -> Result<String> {
    let text = address.trim().trim_end_matches('/');
    let has_scheme = text.contains("://");
    let url = match text.parse::<Ipv6Addr>() {
        Ok(ip) => format!("http://[{ip}]"),
        Err(_) if has_scheme => text.to_owned(),
        Err(_) => format!("http://{text}"),
    };
    // The part before an `@` may be a password.
    let shown = if text.contains('@') {
        "(hidden)"
    } else {
        address
    };
    let invalid = |reason| Error::invalid("Keystone address", shown, reason);
    let expected = || invalid("http://HOST:PORT/v3, HOST or HOST:PORT is expected");
    let uri: Uri = url.parse().map_err(|_| expected())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(expected());
    };
    if authority.as_str().contains('@') {
        return Err(invalid("user and password are given separately"));
    }
    let host = authority.host();
    let port = match authority.port_u16() {
        Some(port) => format!(":{port}"),
        None if authority.as_str() != host => return Err(expected()),
        None if has_scheme => String::new(),
        None => format!(":{DEFAULT_PORT}"),
    };
    let is_http = matches!(scheme, "http" | "https");
    if !is_http || host.is_empty() || uri.query().is_some() || url.contains('#') {
        return Err(expected());
    }
    let path = uri.path().trim_end_matches('/');
    Ok(format!("{scheme}://{host}{port}{path}"))
}

fn strip<'a>(base: &'a str, end: &str) -> &'a str {
    base.strip_suffix(end).unwrap_or(base).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_the_address_is_understood() {
        let v2 = &["http://10.0.0.1:35357/v2.0/tokens"][..];
        let v3 = &["https://k.example:5000/v3/auth/tokens"][..];
        let both = &[
            "http://10.0.0.1:35357/v3/auth/tokens",
            "http://10.0.0.1:35357/v2.0/tokens",
        ][..];
        for (address, urls) in [
            ("http://10.0.0.1:35357/v2.0", v2),
            ("http://10.0.0.1:35357/v2.0/", v2),
            ("http://10.0.0.1:35357/v2.0/tokens", v2),
            ("HTTP://10.0.0.1:35357/v2.0/tokens/", v2),
            ("10.0.0.1/v2.0", v2),
            ("https://k.example:5000/v3", v3),
            ("https://k.example:5000/v3/auth", v3),
            ("https://k.example:5000/v3/auth/tokens", v3),
            ("https://k.example:5000/v3/auth/tokens/", v3),
            ("http://10.0.0.1:35357", both),
            ("http://10.0.0.1:35357/", both),
            ("10.0.0.1:35357", both),
            ("10.0.0.1", both),
            (" 10.0.0.1 ", both),
        ] {
            let found: Vec<_> = endpoints(address).unwrap();
            let found: Vec<_> = found.iter().map(|e| e.url.as_str()).collect();
            assert_eq!(found, urls, "{address:?}");
        }
        assert_eq!(
            endpoints("https://cloud.example/identity").unwrap()[0].url,
            "https://cloud.example/identity/v3/auth/tokens"
        );
        assert_eq!(
            endpoints("fd00::5").unwrap()[1].url,
            "http://[fd00::5]:35357/v2.0/tokens"
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for address in [
            "",
            "/",
            "http://",
            "ftp://h/v3",
            "http://h h/v3",
            "http://h/v3?x",
            "http://h/v3#x",
            "http://h:/v3",
            "h:99999",
        ] {
            assert!(endpoints(address).is_err(), "{address:?}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_without_being_shown() {
        for password in ["contrail123", "contrail 123", "contrail123%"] {
            let error = endpoints(&format!("http://admin:{password}@h:5000/v3")).unwrap_err();
            assert!(!error.to_string().contains("contrail"), "{error}");
        }
    }
}
