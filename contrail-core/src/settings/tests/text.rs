//! Texts as editors and other programs leave them.

use super::super::*;
use super::world::{World, keystone, password_account};

fn world(variables: &[(&str, &str)]) -> World {
    let mut world = World::env("OS_USERNAME=u");
    for (name, value) in variables {
        world.environment.insert((*name).into(), (*value).into());
    }
    world
}

#[test]
fn variables_have_no_line_ends() {
    for (given, expected) in [
        ("geheim\r", "geheim"),
        ("geheim\r\n", "geheim"),
        ("geheim\n", "geheim"),
        (" ge heim ", " ge heim "),
        ("'geheim'", "'geheim'"),
    ] {
        let world = world(&[
            ("OS_PASSWORD", given),
            ("OS_TENANT_NAME", "demo\r"),
            ("KEYSTONE_AUTH_HOST", "k\r"),
            ("OS_TOKEN", "\r"),
        ]);
        let settings = world.load().unwrap();
        assert_eq!(password_account(&settings), ["u", expected, "demo"]);
        assert_eq!(keystone(&settings).url, "http://k:5000/v3");
    }
    let file = world(&[("OS_PASSWORD_FILE", "/p\r")]).file("/p", "x");
    assert_eq!(password_account(&file.load().unwrap())[1], "x");
}

#[test]
fn files_of_secrets_have_neither_mark_nor_line_end() {
    for (content, expected) in [
        ("geheim", "geheim"),
        ("geheim\n", "geheim"),
        ("geheim\r\n", "geheim"),
        ("geheim\r", "geheim"),
        ("geheim\n\r\n", "geheim"),
        ("\u{feff}geheim\r\n", "geheim"),
        (" geheim #1\t\n", " geheim #1\t"),
    ] {
        let world = world(&[("OS_PASSWORD_FILE", "/p")]).file("/p", content);
        assert_eq!(password_account(&world.load().unwrap())[1], expected);
    }
    for content in ["", "\n", "\u{feff}\r\n"] {
        let world = world(&[("OS_PASSWORD_FILE", "/p")]).file("/p", content);
        let error = world.error();
        assert!(error.starts_with("admin_password is missing"), "{error}");
    }
}

#[test]
fn errors_about_files_name_the_setting() {
    for (variable, key) in [
        ("OS_PASSWORD_FILE", "admin_password"),
        ("ADMIN_PASSWORD_FILE", "admin_password"),
        ("OS_TOKEN_FILE", "admin_token"),
        (
            "OS_APPLICATION_CREDENTIAL_SECRET_FILE",
            "application_credential_secret",
        ),
        ("VNC_API_LIB_INI", "vnc_api_lib"),
    ] {
        let error = world(&[("OS_APPLICATION_CREDENTIAL_ID", ""), (variable, "/none")]).error();
        let expected = format!("cannot read {key} (environment variable {variable}) from /none");
        assert_eq!(error, expected);
    }
    let relative = world(&[("VNC_API_LIB_INI", "none.ini")]).error();
    assert!(relative.contains("VNC_API_LIB_INI"), "{relative}");
}

#[test]
fn a_value_that_is_secret_is_refused_without_being_shown_as_asterisks() {
    let url = world(&[
        ("OS_AUTH_URL", "http://u:geheim@k/v3"),
        ("OS_PASSWORD", "p"),
    ])
    .error();
    assert!(
        url.starts_with("invalid auth_url (environment variable OS_AUTH_URL): "),
        "{url}"
    );
    assert!(!url.contains("geheim") && !url.contains("***"), "{url}");
    assert!(
        parse_flat_yaml("geheim\n", "/o.conf".as_ref()).is_err_and(|error| {
            let text = error.to_string();
            text.starts_with("invalid line 1 of /o.conf: ")
        })
    );
}
