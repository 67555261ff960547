//! `vnc_api_lib.ini`, as the Python client and its deployers write and read it.

use std::path::Path;

use super::super::layer::Layer;
use super::super::parse_vnc_api_lib as parse;
use super::super::table::Key;

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

fn layer(text: &str) -> Layer {
    parse(text, Path::new("/e.ini")).unwrap()
}

fn text(layer: &Layer, key: Key) -> Option<&str> {
    layer.get(key).map(|given| given.text.as_str())
}

#[test]
fn a_line_that_is_nothing_is_named_and_not_shown() {
    for line in ["WEB_SERVER", "geheim", "[auth", "geheim%"] {
        let error = parse(&format!("[global]\n{line}\n"), Path::new("/e.ini"));
        let error = error.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.starts_with("invalid line 2 of /e.ini"), "{error}");
        assert!(
            !error.contains("geheim") && !error.contains("***"),
            "{error}"
        );
    }
}

/// What contrail-operator and OpenSDN's containers write.
#[test]
fn each_service_has_its_own_certificates_and_the_api_uses_tls_if_true() {
    let text_of_file = "[global]\nWEB_SERVER = 10.0.0.1,10.0.0.2\n\
        WEB_PORT = 8082 ; connection to api-server directly\nBASE_URL = /\n\
        use_ssl = True\ncafile = /a.pem\n\
        [auth]\nAUTHN_TYPE = keystone\nAUTHN_PROTOCOL = https\nAUTHN_SERVER = k\n\
        AUTHN_PORT = 5000\nAUTHN_URL = /v3/auth/tokens\nAUTHN_DOMAIN = Default\n\
        insecure = true\ncertfile = /c.pem\nkeyfile = /k.pem\ncafile = /b.pem\n";
    let layer = layer(text_of_file);
    for (key, expected) in [
        (Key::ApiPort, Some("8082")),
        (Key::ApiSsl, Some("true")),
        (Key::AuthUrl, Some("https://k:5000/v3/auth/tokens")),
        (Key::ApiCaFile, Some("/a.pem")),
        (Key::ApiCertFile, None),
        (Key::ApiInsecure, None),
        (Key::KeystoneCaFile, Some("/b.pem")),
        (Key::KeystoneCertFile, Some("/c.pem")),
        (Key::KeystoneKeyFile, Some("/k.pem")),
        (Key::KeystoneInsecure, Some("true")),
        (Key::CaFile, None),
        (Key::Insecure, None),
        (Key::ProjectDomain, Some("Default")),
    ] {
        assert_eq!(text(&layer, key), expected, "{}", key.name());
    }
    assert_eq!(layer.warnings(), []);
}

#[test]
fn only_true_switches_tls_on() {
    for (value, is_on, warnings) in [
        ("True", "true", 0),
        ("true", "true", 0),
        ("TRUE ; c", "true", 0),
        ("False", "false", 0),
        ("yes", "false", 1),
        ("1", "false", 1),
    ] {
        let layer = layer(&format!("[global]\nuse_ssl = {value}\n"));
        assert_eq!(text(&layer, Key::ApiSsl), Some(is_on), "{value}");
        assert_eq!(layer.warnings().len(), warnings, "{value}");
    }
}

#[test]
fn the_address_of_keystone_has_the_defaults_of_the_client() {
    for (keys, url) in [
        ("AUTHN_SERVER = k", "http://k:35357"),
        ("AUTHN_SERVER = k1, k2", "http://k1:35357"),
        ("AUTHN_SERVER = [fd00::1]", "http://[fd00::1]:35357"),
        (
            "AUTHN_PORT = 5000\nAUTHN_URL = /v3/auth/tokens",
            "http://127.0.0.1:5000/v3/auth/tokens",
        ),
        ("AUTHN_PROTOCOL = https ; c", "https://127.0.0.1:35357"),
        (
            "AUTHN_SERVER = k\nAUTHN_TOKEN_URL = https://t/v3/auth/tokens",
            "https://t/v3/auth/tokens",
        ),
    ] {
        let layer = layer(&format!("[auth]\n{keys}\n"));
        assert_eq!(text(&layer, Key::AuthUrl), Some(url), "{keys}");
    }
    assert_eq!(text(&layer("[auth]\n"), Key::AuthUrl), None);
}

#[test]
fn values_of_any_text_have_no_comments_and_interpolation() {
    for (value, password) in [
        ("a ;b", "a ;b"),
        ("a # b", "a # b"),
        ("pa%%ss", "pa%ss"),
        ("\"a\"", "\"a\""),
        ("a=b:c", "a=b:c"),
        ("%(authn_user)s!", "u!"),
    ] {
        let layer = layer(&format!(
            "\u{feff}[auth]\r\nAUTHN_USER = u\r\nAUTHN_PASSWORD = {value}\r\n"
        ));
        assert_eq!(text(&layer, Key::AdminPassword), Some(password), "{value}");
    }
    let user = layer("[auth]\nAUTHN_USER = u ; c\n");
    assert_eq!(text(&user, Key::AdminUser), Some("u ; c"));
}

#[test]
fn of_a_key_that_is_there_twice_the_last_counts() {
    let twice = layer("[global]\nWEB_PORT = 1\n[auth]\n[global]\nweb_port = 2\n");
    assert_eq!(text(&twice, Key::ApiPort), Some("2"));
}

#[test]
fn values_refer_to_others_and_only_those_that_are_read_must_be_right() {
    let file = "[DEFAULT]\nhost = 10.0.0.1\n[global]\nweb_server = %(host)s\nother = 100%\n";
    assert_eq!(text(&layer(file), Key::ApiServer), Some("10.0.0.1"));
    let error = parse("[auth]\nAUTHN_PASSWORD = geheim%\n", Path::new("/e.ini"));
    let text = error.err().map(|e| e.to_string()).unwrap_or_default();
    assert!(
        text.contains("line 2 of /e.ini") && text.contains("%%"),
        "{text}"
    );
    assert!(!text.contains("geheim"), "{text}");
}

#[cfg(feature = "suggestions")]
#[test]
fn what_has_no_effect_is_named() {
    for (file, warning) in [
        (
            "[auth]\nAUTHN_PASWORD = geheim\n",
            "authn_pasword of section [auth] (/e.ini line 2) is unknown and has no effect; did you mean AUTHN_PASSWORD?",
        ),
        (
            "[global]\ncolour = red\n",
            "colour of section [global] (/e.ini line 2) is unknown and has no effect",
        ),
        (
            "[GLOBAL]\nWEB_PORT = 1\n",
            "section [GLOBAL] (/e.ini line 1) is unknown and has no effect; did you mean [global]?",
        ),
        (
            "[global]\nBASE_URL = /tenants\n",
            "BASE_URL of section [global] (/e.ini line 2) has no effect: the API is expected at /",
        ),
        (
            "[global]\nTIMEOUT = 60\n",
            "TIMEOUT of section [global] (/e.ini line 2) has no effect: set request_timeout instead",
        ),
        (
            "[auth]\nkeyfile = /k.pem\n",
            "keyfile of section [auth] (/e.ini line 2) has no effect: certfile is not given",
        ),
    ] {
        let warnings: Vec<String> = layer(file)
            .warnings()
            .iter()
            .map(|w| w.to_string())
            .collect();
        assert_eq!(warnings, [warning]);
    }
    let of_others =
        layer("[DEFAULT]\nhost = h\n[schema]\nWEB_PORT = 1\n[global]\nBASE_URL = / ; c\n");
    assert_eq!(of_others.warnings(), []);
}
