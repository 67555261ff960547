//! `vnc_api_lib.ini`: the file in which the Python client of the controller's API, and what is built on
//! it, find the API and Keystone. It is read as that client reads it: certificates of its own for each
//! service, `use_ssl`, interpolation.

use std::path::Path;

use super::configparser::{Document, Fault, Value};
use super::layer::Layer;
use super::nearest::nearest;
use super::origin::Origin;
use super::table::Key;
use super::warning::Warning;
use crate::error::{Error, Result};
use crate::http::host_and_port;
use crate::values::text::without_bom;

/// Where the Python clients look for it.
pub const DEFAULT_PATH: &str = "/etc/contrail/vnc_api_lib.ini";

/// What a key is for.
enum Use {
    /// These settings. The text is of any kind, so that all of it counts.
    Text(&'static [Key]),
    /// This setting, whose text cannot hold a comment.
    Word(Key),
    /// A part of the address of Keystone.
    Address,
    /// The setting of the key of a client certificate, which counts only beside a certificate.
    CertificateKey(Key),
    /// Whether the API uses TLS.
    Tls,
    /// The path before all of the API's.
    BasePath,
    /// What these programs do in their own way.
    NoEffect(&'static str),
}

use Use::{Address, BasePath, CertificateKey, NoEffect, Text, Tls, Word};

/// All that the client reads: section, key as it is usually written, use.
const KEYS: &[(&str, &str, Use)] = &[
    ("global", "WEB_SERVER", Word(Key::ApiServer)),
    ("global", "WEB_PORT", Word(Key::ApiPort)),
    ("global", "BASE_URL", BasePath),
    ("global", "use_ssl", Tls),
    ("global", "insecure", Word(Key::ApiInsecure)),
    ("global", "cafile", Text(&[Key::ApiCaFile])),
    ("global", "certfile", Text(&[Key::ApiCertFile])),
    ("global", "keyfile", CertificateKey(Key::ApiKeyFile)),
    ("global", "TIMEOUT", NoEffect("set request_timeout instead")),
    (
        "global",
        "CONNECTION_TIMEOUT",
        NoEffect("set connect_timeout instead"),
    ),
    (
        "global",
        "MAX_POOLS",
        NoEffect("connections are made as they are needed"),
    ),
    (
        "global",
        "MAX_CONNS_PER_POOL",
        NoEffect("connections are made as they are needed"),
    ),
    (
        "global",
        "curl_log",
        NoEffect("set log_level debug instead"),
    ),
    ("auth", "AUTHN_TYPE", Word(Key::AuthMode)),
    ("auth", "AUTHN_TOKEN_URL", Word(Key::AuthUrl)),
    ("auth", "AUTHN_PROTOCOL", Address),
    ("auth", "AUTHN_SERVER", Address),
    ("auth", "AUTHN_PORT", Address),
    ("auth", "AUTHN_URL", Address),
    ("auth", "AUTHN_USER", Text(&[Key::AdminUser])),
    ("auth", "AUTHN_PASSWORD", Text(&[Key::AdminPassword])),
    ("auth", "AUTHN_TENANT", Text(&[Key::TenantName])),
    (
        "auth",
        "AUTHN_DOMAIN",
        Text(&[Key::UserDomain, Key::ProjectDomain]),
    ),
    ("auth", "insecure", Word(Key::KeystoneInsecure)),
    ("auth", "cafile", Text(&[Key::KeystoneCaFile])),
    ("auth", "certfile", Text(&[Key::KeystoneCertFile])),
    ("auth", "keyfile", CertificateKey(Key::KeystoneKeyFile)),
];

/// The settings of such a file.
///
/// The file is read as Python 3 reads it, with two additions: a byte order mark is skipped, and a comment
/// behind a `;` and a blank is cut off from values that cannot hold one, such as a port. The delivered file
/// has such a comment, which Python 2 cut off. A key that no client reads is a warning.
///
/// # Errors
///
/// [`Error::Invalid`] with the number of the first line that Python refuses, too.
pub fn parse(text: &str, path: &Path) -> Result<Layer> {
    let refused = |fault: Fault| {
        let place = format!("line {} of {}", fault.line, path.display());
        match fault.shown {
            Some(shown) => Error::invalid(place, shown, fault.reason),
            None => Error::hidden(place, fault.reason),
        }
    };
    let file = File {
        document: Document::read(without_bom(text)).map_err(refused)?,
        path,
    };
    let mut layer = Layer::default();
    for (section, name, used) in KEYS {
        let value = file.value(section, name).map_err(refused)?;
        if let Some(value) = value.filter(|value| !value.text.is_empty()) {
            file.read(section, name, used, value, &mut layer)
                .map_err(refused)?;
        }
    }
    if let Some((url, line)) = file.address().map_err(refused)? {
        layer.set(Key::AuthUrl, url, file.origin(line));
    }
    file.warn_of_unknown(&mut layer);
    Ok(layer)
}

struct File<'a> {
    document: Document,
    path: &'a Path,
}

impl File<'_> {
    fn value(&self, section: &str, name: &str) -> std::result::Result<Option<Value>, Fault> {
        self.document.get(section, name)
    }

    fn origin(&self, line: usize) -> Origin {
        Origin::File {
            path: self.path.to_path_buf(),
            line,
        }
    }

    fn read(
        &self,
        section: &str,
        name: &str,
        used: &Use,
        Value { text, line }: Value,
        layer: &mut Layer,
    ) -> std::result::Result<(), Fault> {
        let origin = self.origin(line);
        let no_effect = |reason: &str| Warning::NoEffect {
            what: format!("{name} of section [{section}]"),
            origin: origin.clone(),
            reason: reason.into(),
        };
        match used {
            Text(keys) => {
                for key in *keys {
                    layer.set(*key, text.as_str(), origin.clone());
                }
            }
            Word(key) => layer.set(*key, without_comment(&text), origin),
            CertificateKey(key) => match self.value(section, "certfile")? {
                Some(cert) if !cert.text.is_empty() => layer.set(*key, text, origin),
                _ => layer.warn(no_effect("certfile is not given")),
            },
            Tls => {
                let text = without_comment(&text).to_lowercase();
                // The client takes every other text for false.
                if !matches!(text.as_str(), "true" | "false") {
                    layer.warn(no_effect("only True switches TLS on"));
                }
                layer.set(Key::ApiSsl, (text == "true").to_string(), origin);
            }
            BasePath if without_comment(&text) != "/" => {
                layer.warn(no_effect("the API is expected at /"));
            }
            BasePath | Address => {}
            NoEffect(reason) => layer.warn(no_effect(reason)),
        }
        Ok(())
    }

    /// The address of Keystone and the line of its first part; `None` if no part is given.
    fn address(&self) -> std::result::Result<Option<(String, usize)>, Fault> {
        let part = |name: &str| -> std::result::Result<_, Fault> {
            let value = self.value("auth", name)?;
            let value = value.map(|value| (without_comment(&value.text).to_owned(), value.line));
            Ok(value.filter(|(text, _)| !text.is_empty()))
        };
        let (server, protocol) = (part("authn_server")?, part("authn_protocol")?);
        let (port, path) = (part("authn_port")?, part("authn_url")?);
        let given = [&server, &protocol, &port, &path];
        let Some((_, line)) = given.into_iter().flatten().next() else {
            return Ok(None);
        };
        let line = *line;
        let or = |part: Option<(String, usize)>, default: &str| {
            part.map_or_else(|| default.to_owned(), |(text, _)| text)
        };
        let server = or(server, "127.0.0.1");
        // Several servers may be listed; the first is the usual one.
        let server = server.split([',', ' ']).next().unwrap_or_default();
        let server = host_and_port(server.trim_matches(['[', ']']), or(port, "35357"));
        let url = format!("{}://{server}{}", or(protocol, "http"), or(path, ""));
        Ok(Some((url, line)))
    }

    /// Other programs may have sections of their own, but these two are the client's.
    fn warn_of_unknown(&self, layer: &mut Layer) {
        const SECTIONS: [&str; 2] = ["global", "auth"];
        for (section, line) in self.document.sections() {
            if !SECTIONS.contains(&section)
                && let Some(known) = nearest(section.trim(), SECTIONS)
            {
                layer.warn(Warning::Unknown {
                    what: format!("section [{section}]"),
                    origin: self.origin(line),
                    nearest: Some(format!("[{known}]")),
                });
            }
            let known = KEYS.iter().filter(|(of, _, _)| *of == section);
            let known: Vec<&str> = known.map(|(_, name, _)| *name).collect();
            if known.is_empty() {
                continue;
            }
            for (key, line) in self.document.keys(section) {
                if !known.iter().any(|name| name.eq_ignore_ascii_case(key)) {
                    layer.warn(Warning::Unknown {
                        what: format!("{key} of section [{section}]"),
                        origin: self.origin(line),
                        nearest: nearest(key, known.iter().copied()).map(str::to_owned),
                    });
                }
            }
        }
    }
}

/// A value, its comment removed: `8082  ; connection through quantum plugin`.
fn without_comment(text: &str) -> &str {
    match text.split_once(';') {
        Some((value, _)) if value.is_empty() || value.ends_with(char::is_whitespace) => {
            value.trim_end()
        }
        _ => text,
    }
}
