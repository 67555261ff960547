//! How the program shows its settings, and what about them deserves attention.

#![allow(clippy::unwrap_used)] // all of it is a test

use std::os::unix::fs::PermissionsExt;

mod support;

use support::program::Program;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_setting_is_shown_with_its_origin_and_no_secret() {
    let program = Program::new();
    let file = program.path("opencontrail.conf");
    std::fs::write(&file, "---\nadmin_tenant: blue\nscope: global\n").unwrap();
    let file = file.display().to_string();
    let output = program
        .command(&[
            "config", "-f", &file, "-u", "bob", "-p", "hush", "-g", "local",
        ])
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let origin = |name: &str| {
        let line = shown
            .lines()
            .find(|line| line.split(' ').next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("{name} is not shown:\n{shown}"));
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        origin("api_server"),
        "127.0.0.1:1 environment variable CONFIG_API_SERVER"
    );
    assert_eq!(origin("admin_user"), "bob flag --admin_user");
    assert_eq!(origin("admin_password"), "*** flag --admin_password");
    assert_eq!(origin("scope"), "local flag --scope");
    assert_eq!(origin("tenant_name"), format!("blue {file} line 2"));
    assert!(!shown.contains("hush"));
}

#[test]
fn settings_are_shown_although_one_is_missing_and_the_missing_one_is_named() {
    let program = Program::new();
    for (arguments, missing) in [
        (
            &["config", "-u", "bob"][..],
            &["admin_password is missing"][..],
        ),
        (&["config", "-f", "/nowhere"], &["/nowhere"]),
        (
            &["config", "-u", "bob", "-g", "swarm"],
            &["admin_password is missing", "local or global is expected"],
        ),
    ] {
        let output = program.command(arguments).output().unwrap();
        let (shown, errors) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(1));
        assert!(shown.contains("127.0.0.1:1"), "{shown}");
        assert_eq!(errors.lines().count(), missing.len(), "{errors}");
        for missing in missing {
            assert!(errors.contains(missing), "{errors}");
        }
    }
}

#[test]
fn what_deserves_attention_is_said_beside_the_settings() {
    let program = Program::new();
    let password = program.path("password");
    std::fs::write(&password, "hush").unwrap();
    std::fs::set_permissions(&password, PermissionsExt::from_mode(0o644)).unwrap();
    let ini = program.path("ini");
    std::fs::write(&ini, "[auth]\nAUTHN_TENNANT = blue\n").unwrap();
    let output = program
        .command(&["config", "-u", "bob", "-a", "https://a"])
        .env("ADMIN_PASSWORD_FILE", &password)
        .env("OS_INSECURE", "true")
        .env("VNC_API_LIB_INI", &ini)
        .output()
        .unwrap();
    let log = text(&output.stderr);
    for expected in ["admin_password in", "insecure (", "AUTHN_TENANT?"] {
        assert_eq!(log.matches(expected).count(), 1, "{expected}: {log}");
    }
    assert!(output.status.success() && !log.contains("hush"), "{log}");
}
