//! `vnc_api_lib.ini`: the file in which the Python clients of OpenContrail find the API and
//! Keystone. It belongs to them, so keys that mean nothing here are passed over.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::path::Path;

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
/// # Errors
///
/// [`Error::Invalid`] for a line that is neither a section, a key with a value nor a comment.
pub fn parse(text: &str, path: &Path) -> Result<Layer> {
    let values = read(text, path)?;
    let mut layer = Layer::default();
    let origin = |line: usize| Origin::File {
        path: path.to_path_buf(),
        line,
    };
    for (section, name, key) in SAME {
        if let Some((value, line)) = values.get(&(section.to_string(), name.to_string())) {
            layer.set(*key, value.as_str(), origin(*line));
        }
    }
    let auth = |name: &str| values.get(&("auth".to_string(), name.to_string()));
    if let Some((servers, line)) = auth("authn_server") {
        let or = |name: &str, default: &str| {
            let value = auth(name).map(|(value, _)| value.as_str());
            value.unwrap_or(default).to_string()
        };
        // Several servers may be listed; they stand behind one another, the first is the usual one.
        let server = servers.split([',', ' ']).next().unwrap_or_default();
        let server = match server.parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => server.to_string(),
        };
        let url = format!(
            "{}://{server}:{}{}",
            or("authn_protocol", "http"),
            or("authn_port", "35357"),
            or("authn_url", "")
        );
        layer.set(Key::AuthUrl, url, origin(*line));
    }
    Ok(layer)
}

/// Section and key in lower case, as Python's reader has them; value and line.
fn read(text: &str, path: &Path) -> Result<BTreeMap<(String, String), (String, usize)>> {
    let mut section = String::new();
    let mut values = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let content = line.trim();
        if content.is_empty() || content.starts_with([';', '#']) {
            continue;
        }
        if let Some(name) = content
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            section = name.0.trim().to_ascii_lowercase();
            continue;
        }
        let Some((key, value)) = content.split_once(['=', ':']) else {
            return Err(Error::invalid(
                format!("line {line_number} of {}", path.display()),
                // Only its first word: the line may hold a password.
                content.split_whitespace().next().unwrap_or_default(),
                "[section], key = value or a comment is expected",
            ));
        };
        // The file as it is delivered has comments behind values: `WEB_PORT = 8082  ; through …`.
        let value = match value.split_once(" ;") {
            Some((value, _comment)) => value.trim(),
            None => value.trim(),
        };
        if !value.is_empty() {
            let key = (section.clone(), key.trim().to_ascii_lowercase());
            values.insert(key, (value.to_string(), line_number));
        }
    }
    Ok(values)
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
}
