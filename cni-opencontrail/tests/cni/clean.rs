//! `cni-opencontrail clean`: which projects it looks at, and what it does on request only.

use std::time::Duration;

use contrail_core::FqName;

use crate::support::{Behaviour, Call, Plugin};

fn project(name: &str) -> FqName {
    FqName::new(["default-domain", name])
}

#[test]
fn without_a_file_the_environment_says_where_and_nothing_is_removed() {
    let plugin = Plugin::default().env("OS_TENANT_NAME", "blue");
    let outcome = plugin.arguments("clean").run();
    assert!(outcome.succeeded, "{outcome:?}");
    assert_eq!(outcome.calls, [Call::Clean(project("blue"), None)]);
    assert!(outcome.stdout.contains("0 orphans"), "{}", outcome.stdout);
}

#[test]
fn each_project_of_a_file_is_looked_at_once() {
    let list = r#"{"cniVersion": "1.0.0", "name": "net1", "plugins": [
        {"type": "opencontrail", "tenant_name": "red"},
        {"type": "portmap"},
        {"type": "opencontrail", "tenant_name": "red"}]}"#;
    let document = r#"{"networks": [{"name": "a", "type": "opencontrail"},
        {"name": "b", "type": "opencontrail", "network": "default-domain:blue:b"}]}"#;
    let grace = Some(Duration::from_secs(5));
    for (text, projects) in [(list, vec!["red"]), (document, vec!["admin", "blue"])] {
        let plugin = Plugin::default().file("/net.conf", text);
        let outcome = plugin.arguments("clean --remove --grace 5 /net.conf").run();
        assert!(outcome.succeeded, "{outcome:?}");
        let expected: Vec<Call> = projects
            .into_iter()
            .map(|name| Call::Clean(project(name), grace))
            .collect();
        assert_eq!(outcome.calls, expected);
    }
}

#[test]
fn a_file_of_others_is_no_clean_host() {
    for text in [
        r#"{"cniVersion": "1.0.0", "name": "net1", "plugins": [{"type": "bridge"}]}"#,
        r#"{"cniVersion": "1.0.0", "name": "net1", "type": "bridge"}"#,
    ] {
        let plugin = Plugin::default().file("/net.conf", text);
        let outcome = plugin.arguments("clean /net.conf").run();
        assert!(
            !outcome.succeeded && outcome.calls.is_empty(),
            "{outcome:?}"
        );
        let told = &outcome.stderr;
        assert!(told.contains("no plugin of type opencontrail"), "{told}");
    }
}

#[test]
fn help_is_no_mistake() {
    for arguments in ["clean --help", "clean --remove -h"] {
        let outcome = Plugin::default().arguments(arguments).run();
        assert!(outcome.succeeded && outcome.calls.is_empty(), "{outcome:?}");
        assert!(
            outcome.stdout.contains("--grace SECONDS"),
            "{}",
            outcome.stdout
        );
    }
}

#[test]
fn what_cannot_be_done_is_said_on_standard_error_alone() {
    let plugin = Plugin::default().behaving(Behaviour::FailsAt("127.0.0.1"));
    for (arguments, named) in [
        ("clean", "connection refused"),
        ("clean /missing", "/missing"),
        ("clean --forec", "--forec"),
        ("claen", "did you mean clean"),
    ] {
        let outcome = plugin.clone().arguments(arguments).run();
        assert!(!outcome.succeeded, "{arguments}");
        assert_eq!(outcome.stdout, "", "{arguments}");
        assert!(outcome.stderr.contains(named), "{}", outcome.stderr);
    }
}

#[test]
fn a_runtime_that_gives_arguments_gets_its_command() {
    let outcome = Plugin::new("DEL").arguments("clean").run();
    assert!(matches!(outcome.calls.as_slice(), [Call::Detach(_)]));
}
