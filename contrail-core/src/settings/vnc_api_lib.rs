//! `vnc_api_lib.ini`: the file in which the Python clients of OpenContrail find the API and
//! Keystone. It belongs to them, so unknown keys are ignored.

use std::net::Ipv6Addr;
use std::path::Path;

use super::configparser::{Document, Fault, Value};
use super::layer::{Layer, Origin};
use super::table::Key;
use crate::error::{Error, Result};

/// Where the Python clients look for it.
pub const DEFAULT_PATH: &str = "/etc/contrail/vnc_api_lib.ini";

/// The keys that have the same meaning here: section, key, setting.
const SAME: &[(&str, &str, Key)] = &[
    ("global", "web_server", Key::ApiServer),
    ("global", "web_port", Key::ApiPort),
    ("global", "insecure", Key::Insecure),
    ("global", "cafile", Key::CaFile),
    ("global", "certfile", Key::CertFile),
    ("global", "keyfile", Key::KeyFile),
    ("auth", "insecure", Key::Insecure),
    ("auth", "cafile", Key::CaFile),
    ("auth", "certfile", Key::CertFile),
    ("auth", "keyfile", Key::KeyFile),
    ("auth", "authn_type", Key::AuthMode),
    ("auth", "authn_token_url", Key::AuthUrl),
    ("auth", "authn_user", Key::AdminUser),
    ("auth", "authn_password", Key::AdminPassword),
    ("auth", "authn_tenant", Key::TenantName),
    ("auth", "authn_domain", Key::UserDomain),
    ("auth", "authn_domain", Key::ProjectDomain),
];

/// The settings of such a file.
///
/// The file is read as Python 3 reads it, with one addition: Python 2, for which the delivered file
/// is written, ends a value at a `;` behind a blank. So does this, except in a password.
///
/// # Errors
///
/// [`Error::Invalid`] with the number of the first line that Python refuses, too.
pub fn parse(text: &str, path: &Path) -> Result<Layer> {
    let refused = |fault: Fault| {
        let place = format!("line {} of {}", fault.line, path.display());
        Error::invalid(place, fault.shown, fault.reason)
    };
    let document = Document::read(text).map_err(refused)?;
    let value = |section: &str, name: &str| -> Result<Option<Value>> {
        let value = document.get(section, name).map_err(refused)?;
        Ok(value.filter(|value| !value.text.is_empty()))
    };
    let mut layer = Layer::default();
    let origin = |line: usize| Origin::File {
        path: path.to_path_buf(),
        line,
    };
    for (section, name, key) in SAME {
        if let Some(Value { text, line }) = value(section, name)? {
            let text = match key.setting().secret {
                true => text.as_str(),
                false => without_comment(&text),
            };
            layer.set(*key, text, origin(line));
        }
    }
    if let Some(Value { text, line }) = value("auth", "authn_server")? {
        let or = |name: &str, default: &str| -> Result<String> {
            let text = value("auth", name)?.map(|value| without_comment(&value.text).to_string());
            Ok(text.unwrap_or_else(|| default.to_string()))
        };
        // Several servers may be listed; the first is the usual one.
        let mut servers = without_comment(&text).split([',', ' ']);
        let server = servers.next().unwrap_or_default();
        let server = match server.parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => server.to_string(),
        };
        let url = format!(
            "{}://{server}:{}{}",
            or("authn_protocol", "http")?,
            or("authn_port", "35357")?,
            or("authn_url", "")?
        );
        layer.set(Key::AuthUrl, url, origin(line));
    }
    Ok(layer)
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

#[cfg(test)]
mod tests {
    use super::*;

    const DELIVERED: &str = "\
[global]
;WEB_SERVER = 127.0.0.1
WEB_SERVER = 10.0.0.1, 10.0.0.2
WEB_PORT = 8082  ; connection through quantum plugin

BASE_URL = /

[auth]
AUTHN_TYPE = keystone
AUTHN_PROTOCOL = http
AUTHN_SERVER=10.0.0.1
AUTHN_PORT = 35357
AUTHN_URL = /v2.0/tokens
AUTHN_USER = admin
AUTHN_PASSWORD = contrail123
AUTHN_TENANT = admin
";

    #[test]
    fn the_delivered_file_is_understood() {
        let layer = parse(DELIVERED, Path::new("/e.ini")).unwrap();
        let text = |key| layer.get(key).map(|given| given.text.as_str());
        assert_eq!(text(Key::ApiServer), Some("10.0.0.1, 10.0.0.2"));
        assert_eq!(text(Key::ApiPort), Some("8082"));
        assert_eq!(
            text(Key::AuthUrl),
            Some("http://10.0.0.1:35357/v2.0/tokens")
        );
        assert_eq!(text(Key::AdminPassword), Some("contrail123"));
        assert_eq!(text(Key::UserDomain), None);
        let origin = &layer.get(Key::ApiPort).unwrap().origin;
        assert_eq!(origin.to_string(), "/e.ini line 4");
    }

    #[test]
    fn an_ipv6_address_of_keystone_gets_its_brackets() {
        let layer = parse("[auth]\nAUTHN_SERVER = fd00::1\n", Path::new("/e.ini")).unwrap();
        let url = &layer.get(Key::AuthUrl).unwrap().text;
        assert_eq!(url, "http://[fd00::1]:35357");
    }

    #[test]
    fn a_line_that_is_nothing_is_named() {
        let error = parse("[global]\nWEB_SERVER\n", Path::new("/e.ini"));
        let text = error.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(
            text.contains("line 2 of /e.ini") && text.contains("WEB_SERVER"),
            "{text}"
        );
    }
    #[test]
    fn a_password_may_hold_what_starts_a_comment_elsewhere() {
        let text = "[auth]\nAUTHN_PASSWORD = a ;b\nAUTHN_USER = u ; c\n";
        let layer = parse(text, Path::new("/e.ini")).unwrap();
        let text = |key| layer.get(key).map(|given| given.text.as_str());
        assert_eq!(text(Key::AdminPassword), Some("a ;b"));
        assert_eq!(text(Key::AdminUser), Some("u"));
    }

    #[test]
    fn values_refer_to_others_and_only_those_that_are_read_must_be_right() {
        let text = "[DEFAULT]\nhost = 10.0.0.1\n[global]\nweb_server = %(host)s\nother = 100%\n";
        let layer = parse(text, Path::new("/e.ini")).unwrap();
        assert_eq!(layer.get(Key::ApiServer).unwrap().text, "10.0.0.1");
        let error = parse("[auth]\nAUTHN_PASSWORD = geheim%\n", Path::new("/e.ini"));
        let text = error.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(
            text.contains("line 2 of /e.ini") && text.contains("%%"),
            "{text}"
        );
        assert!(!text.contains("geheim"), "{text}");
    }
}
