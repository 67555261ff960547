//! The environment of a call.

use serde_json::json;

use crate::support::Plugin;

#[test]
fn without_a_command_people_get_an_explanation() {
    for plugin in [Plugin::new("ADD").without("CNI_COMMAND"), Plugin::new("")] {
        let outcome = plugin.run();
        assert!(outcome.succeeded && outcome.stdout.is_empty());
        assert!(outcome.stderr.contains("versions supported: 0.1.0, "));
    }
}

#[test]
fn unknown_commands_are_refused_by_name() {
    for command in ["FOO", "add", "ADD ", "Version"] {
        let (code, text) = Plugin::new(command).run().error();
        assert!(code == 4 && text.contains("CNI_COMMAND"), "{text}");
    }
}

#[test]
fn every_missing_variable_is_listed_and_empty_is_missing() {
    let bare = Plugin::new("ADD")
        .env("CNI_CONTAINERID", "")
        .env("CNI_IFNAME", "");
    let (code, text) = bare.without("CNI_NETNS").run().error();
    assert_eq!(code, 4);
    assert!(
        text.contains("[CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME]"),
        "{text}"
    );
    for name in ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"] {
        let outcome = Plugin::new("ADD").env(name, "").run();
        let (code, text) = outcome.error();
        assert!(code == 4 && text.contains(name), "{text}");
        assert!(outcome.calls.is_empty());
    }
}

#[test]
fn bad_ids_and_interface_names_reach_nothing() {
    for id in ["-abc", "a/b", "../x", "a b"] {
        let outcome = Plugin::new("ADD").env("CNI_CONTAINERID", id).run();
        assert_eq!(outcome.error().0, 4, "{id}");
        assert!(outcome.calls.is_empty());
    }
    for name in ["sixteen-bytes-xx", "a/b", "a:b", ".", "..", "eth 0"] {
        let outcome = Plugin::new("DEL").env("CNI_IFNAME", name).run();
        assert_eq!(outcome.error().0, 4, "{name}");
        assert!(outcome.calls.is_empty());
    }
    assert!(
        Plugin::new("ADD")
            .env("CNI_IFNAME", "fifteen-bytes-x")
            .run()
            .succeeded
    );
}

#[test]
fn del_needs_no_namespace_and_check_does() {
    let plugin = |command| Plugin::new(command).without("CNI_NETNS");
    assert!(plugin("DEL").run().succeeded);
    assert!(plugin("CHECK").run().error().1.contains("CNI_NETNS"));
}

#[test]
fn nothing_needs_the_path_of_plugins() {
    assert!(Plugin::new("ADD").without("CNI_PATH").run().succeeded);
}

#[test]
fn version_needs_nothing_and_believes_nothing() {
    for stdin in [
        "",
        r#"{"cniVersion":"1.0.0"}"#,
        "{garbage",
        r#"{"cniVersion":"9.9.9"}"#,
    ] {
        let outcome = Plugin::new("VERSION")
            .env("CNI_CONTAINERID", "")
            .env("CNI_NETNS", "dummy")
            .env("CNI_IFNAME", "dummy")
            .env("CNI_PATH", "dummy")
            .env("API_SERVER_PORT", "nonsense")
            .config(stdin)
            .run();
        let result = outcome.result();
        assert_eq!(result["cniVersion"], "1.1.0");
        assert_eq!(
            result["supportedVersions"],
            json!([
                "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"
            ])
        );
        assert!(outcome.connections.is_empty());
    }
}
