//! Certificates, and what makes secrets public.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::*;
use super::world::World;
use crate::http::TlsSettings;

#[test]
fn each_service_may_have_its_own_options_and_the_nearest_counts() {
    let ca = |path: &str| TlsSettings {
        ca: Some(path.into()),
        ..TlsSettings::default()
    };
    let none = TlsSettings::default;
    for (variables, document, api, keystone) in [
        ("OS_CACERT=/o", &[][..], ca("/o"), ca("/o")),
        (
            "OS_CACERT=/o KEYSTONE_AUTH_CA_CERTFILE=/k",
            &[],
            ca("/o"),
            ca("/k"),
        ),
        (
            "CONFIG_API_SERVER_CA_CERTFILE=/a KEYSTONE_AUTH_CA_CERTFILE=/k",
            &[],
            ca("/a"),
            ca("/k"),
        ),
        ("CONFIG_API_SERVER_CA_CERTFILE=/a", &[], ca("/a"), none()),
        (
            "KEYSTONE_AUTH_CA_CERTFILE=/k",
            &[("cafile", "/n")],
            ca("/n"),
            ca("/n"),
        ),
        ("OS_CACERT=/o", &[("api_cafile", "/n")], ca("/n"), ca("/o")),
    ] {
        let settings = World::env(variables).document(document).load().unwrap();
        assert_eq!(settings.tls, api, "{variables} {document:?}");
        assert_eq!(settings.keystone_tls, keystone, "{variables} {document:?}");
    }
    let pair = |variables: &str, document: &[(&str, &str)]| {
        let settings = World::env(variables).document(document).load().unwrap();
        let TlsSettings {
            client_cert,
            client_key,
            ..
        } = settings.keystone_tls;
        [client_cert, client_key].map(|path| path.map(|path| path.display().to_string()))
    };
    let both = |cert: &str, key: &str| [Some(cert.to_owned()), Some(key.to_owned())];
    let whole = |cert: &str| [Some(cert.to_owned()), None];
    for (variables, document, expected) in [
        ("OS_CERT=/c OS_KEY=/k", &[][..], both("/c", "/k")),
        ("OS_CERT=/c OS_KEY=/k", &[("certfile", "/n")], whole("/n")),
        (
            "OS_CERT=/c OS_KEY=/k",
            &[("certfile", "/n"), ("keyfile", "/m")],
            both("/n", "/m"),
        ),
        (
            "OS_CERT=/c OS_KEY=/k KEYSTONE_AUTH_CERTFILE=/o",
            &[],
            whole("/o"),
        ),
    ] {
        assert_eq!(
            pair(variables, document),
            expected,
            "{variables} {document:?}"
        );
    }
    let error = World::env("KEYSTONE_AUTH_KEYFILE=/k").error();
    assert!(error.contains("keystone_keyfile needs"), "{error}");
}

#[test]
fn the_file_of_the_python_clients_has_certificates_for_each_service() {
    let file = "[global]\nWEB_SERVER = a\nuse_ssl = True\ncafile = /a\ninsecure = True\n\
        [auth]\nAUTHN_PROTOCOL = https\nAUTHN_SERVER = k\nAUTHN_USER = u\n\
        AUTHN_PASSWORD = pa%%ss ; x\ncafile = /b\n";
    let settings = World::default()
        .file(VNC_API_LIB_PATH, file)
        .load()
        .unwrap();
    assert_eq!(settings.servers[0].base_url(), "https://a:8082");
    assert_eq!(settings.tls.ca.as_deref(), Some(Path::new("/a")));
    assert_eq!(settings.keystone_tls.ca.as_deref(), Some(Path::new("/b")));
    assert!(settings.tls.insecure && !settings.keystone_tls.insecure);
    assert_eq!(super::world::password_account(&settings)[1], "pa%ss ; x");
}

#[test]
fn unverified_certificates_are_a_warning_for_each_service_that_has_some() {
    let account = "OS_USERNAME=u OS_PASSWORD=p";
    for (variables, services) in [
        ("OS_INSECURE=true", &[][..]),
        (
            "OS_INSECURE=true API_SERVER_IP=https://a",
            &["the configuration API"],
        ),
        ("OS_INSECURE=true OS_AUTH_URL=https://k/v3", &["Keystone"]),
        (
            "KEYSTONE_AUTH_INSECURE=true OS_AUTH_URL=https://k/v3 API_SERVER_IP=https://a",
            &["Keystone"],
        ),
        (
            "OS_INSECURE=true CONFIG_API_SSL_ENABLE=true OS_AUTH_URL=https://k/v3",
            &["the configuration API", "Keystone"],
        ),
        ("OS_INSECURE=false API_SERVER_IP=https://a", &[]),
    ] {
        let settings = World::env(&format!("{account} {variables}"))
            .load()
            .unwrap();
        let warnings = settings.warnings();
        let found: Vec<&str> = warnings
            .iter()
            .map(|warning| match warning {
                Warning::Unverified { service, .. } => *service,
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(found, services, "{variables}");
    }
}

#[test]
fn a_secret_that_every_user_can_read_is_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, "geheim\n").unwrap();
    let file = path.to_str().unwrap();
    let in_file = World::env(&format!("OS_USERNAME=u OS_PASSWORD_FILE={file}"));
    let ini = World::env(&format!("VNC_API_LIB_INI={file}"));
    let token = World::env(&format!("OS_TOKEN_FILE={file}"));
    let unused = World::env(&format!("OS_USERNAME=u OS_PASSWORD=p OS_TOKEN_FILE={file}"));
    let ini_text = "[auth]\nAUTHN_USER = u\nAUTHN_PASSWORD = geheim\n";
    for (world, text, key) in [
        (in_file, "geheim\n", Some(Key::AdminPassword)),
        (ini, ini_text, Some(Key::AdminPassword)),
        (token, "geheim\n", Some(Key::AdminToken)),
        (unused, "geheim\n", None),
    ] {
        let settings = world.file(file, text).load().unwrap();
        for (mode, is_public) in [(0o644, true), (0o604, true), (0o640, false), (0o600, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let warnings = settings.warnings();
            let expected = key.filter(|_| is_public).map(|key| Warning::PublicSecret {
                key,
                path: path.clone(),
            });
            assert_eq!(warnings, Vec::from_iter(expected), "{mode:o}");
        }
    }
}

#[test]
fn each_warning_is_logged_once_in_the_life_of_a_process() {
    let variables = "OS_TOKEN=t API_SERVER_IP=https://a OS_INSECURE=true OS_REGION_NAME=r";
    let file = "[global]\ncolour-of-this-test = red\n";
    let world = World::env(variables).file(VNC_API_LIB_PATH, file);
    let warnings = world.load().unwrap().warnings();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    let mut told = world.load().unwrap().untold();
    // Another test of this process may have had the same two.
    told.retain(|warning| matches!(warning, Warning::Unknown { .. }));
    assert_eq!(told.len(), 1);
    assert_eq!(world.load().unwrap().untold(), []);
}
