//! The configuration of a call, and CNI_ARGS.

use serde_json::{Value, json};

use crate::support::Plugin;

fn with(changes: Value) -> Plugin {
    let mut config = json!({"cniVersion": "1.1.0", "name": "net1", "type": "opencontrail"});
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    Plugin::new("ADD").json(config)
}

#[test]
fn what_cannot_be_decoded_is_said_in_the_words_of_users() {
    for (text, reason) in [
        ("", "standard input is empty"),
        ("\u{feff}\r\n", "standard input is empty"),
        (
            "{\"name\": \"n\",\n",
            "it ends in line 2, before the JSON object does",
        ),
        ("{\n'name': 1}", "it is not JSON at line 2 column 1"),
        ("{\"mtu\": 01}", "it is not JSON at line 1 column 10"),
        ("[]", "a JSON object is expected"),
    ] {
        let error = Plugin::new("ADD").config(text).run().error();
        assert!(error.1.ends_with(reason), "{text:?}: {}", error.1);
    }
}

#[test]
fn a_configuration_may_start_with_a_byte_order_mark_and_have_line_ends_of_windows() {
    let text = "\u{feff}{\r\n\"cniVersion\": \"1.1.0\",\r\n\"name\": \"net1\"}\r\n";
    assert_eq!(Plugin::new("ADD").config(text).run().attachments().len(), 1);
}

#[test]
fn what_is_no_json_object_cannot_be_decoded() {
    for text in [
        "",
        "  \n",
        "{bad",
        "[]",
        "\"x\"",
        "null",
        "{} {}",
        "{\"name\":\"n\"}x",
    ] {
        for command in ["ADD", "DEL", "CHECK", "GC", "STATUS"] {
            let outcome = Plugin::new(command).config(text).run();
            assert_eq!(outcome.error().0, 6, "{command} {text:?}");
        }
    }
    assert_eq!(
        Plugin::new("ADD")
            .config([b'"', 0xff, b'"'])
            .run()
            .error()
            .0,
        6
    );
}

#[test]
fn a_configuration_that_is_too_large_is_not_read_to_its_end() {
    let outcome = Plugin::new("ADD").config(vec![b' '; 9 << 20]).run();
    let (code, text) = outcome.error();
    assert!(code == 5 && text.contains("larger than 8 MiB"), "{text}");
}

#[test]
fn a_document_of_too_many_networks_is_refused() {
    let entry = |n: usize| json!({"name": format!("net{n}"), "type": "opencontrail"});
    let document = |count| {
        let entries: Vec<Value> = (0..count).map(entry).collect();
        Plugin::new("ADD")
            .json(json!({ "networks": entries }))
            .run()
    };
    assert_eq!(document(64).attachments().len(), 64);
    let outcome = document(65);
    let (code, text) = outcome.error();
    assert!(
        code == 7 && text.contains("65 networks") && text.contains("at most 64"),
        "{text}"
    );
    assert!(outcome.calls.is_empty());
}

#[test]
fn a_network_needs_a_proper_name() {
    for name in [json!(null), json!(""), json!("a b"), json!("-x"), json!(7)] {
        for command in ["ADD", "DEL", "STATUS"] {
            let plugin = Plugin::new(command).json(json!({"cniVersion": "1.1.0", "name": name}));
            assert_eq!(plugin.run().error().0, 7, "{command} {name}");
        }
    }
}

#[test]
fn no_version_and_an_empty_one_are_the_first() {
    for version in [json!(null), json!("")] {
        let result = with(json!({"cniVersion": version})).run().result();
        assert_eq!(result["cniVersion"], "0.1.0");
        assert!(result["ip4"]["ip"].is_string() && result.get("ips").is_none());
    }
}

#[test]
fn unknown_versions_are_refused_with_those_that_are_known() {
    for version in ["1.0", "9.9.9", "0.1"] {
        let (code, text) = with(json!({"cniVersion": version})).run().error();
        assert_eq!(code, 1);
        assert!(
            text.contains(&format!("{version:?}")) && text.contains("0.3.1, 0.4.0"),
            "{text}"
        );
    }
    assert_eq!(with(json!({"cniVersion": 1.0})).run().error().0, 6);
}

#[test]
fn a_command_newer_than_the_configuration_is_refused() {
    for (command, version) in [
        ("CHECK", "0.3.1"),
        ("GC", "1.0.0"),
        ("STATUS", "1.0.0"),
        ("GC", ""),
    ] {
        let plugin = Plugin::new(command).json(json!({"cniVersion": version, "name": "n"}));
        let outcome = plugin.run();
        assert_eq!(outcome.error().0, 1, "{command} {version}");
    }
}

#[test]
fn unknown_keys_are_tolerated() {
    let outcome = with(json!({
        "extra": {"nested": [1, {"a": null}]}, "cni.dev/attachments": [], "capabilities": {"ips": true},
        "runtimeConfig": {"unknown": 1, "portMappings": [], "aliases": {"net1": ["a"]}, "bandwidth": {}},
        "args": {"labels": 7}, "dns": null, "ipam": null, "mtu": null, "hairpinMode": true
    }));
    assert!(outcome.run().succeeded);
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let outcome = Plugin::new("ADD")
        .config(r#"{"name":"a","name":"b"}"#)
        .run();
    assert_eq!(outcome.attachments()[0].network.fq_name.name(), "b");
}

#[test]
fn containers_have_the_name_of_their_pod() {
    for args in [
        "K8S_POD_UID=u;IgnoreUnknown=1;K8S_POD_NAME=p;K8S_POD_NAMESPACE=n;X=Y",
        "IgnoreUnknown=true;K8S_POD_NAMESPACE=n;K8S_POD_NAME=p;",
        "V=a=b;K8S_POD_NAMESPACE=n;garbage;K8S_POD_NAME=p",
    ] {
        let outcome = Plugin::new("ADD").env("CNI_ARGS", args).run();
        assert_eq!(outcome.attachments()[0].display_name, "n/p", "{args}");
    }
    assert_eq!(Plugin::new("ADD").run().attachments()[0].display_name, "c1");
}

#[test]
fn the_runtimes_address_wins_over_that_of_the_arguments() {
    let plugin =
        with(json!({"runtimeConfig": {"ips": ["10.0.0.8/24"]}, "ipam": {"subnet": "10.0.0.0/24"}}));
    let outcome = plugin
        .env("CNI_ARGS", "IP=10.0.0.9;MAC=02:00:00:00:00:09")
        .run();
    let wanted = &outcome.attachments()[0];
    assert_eq!(wanted.addresses[0].to_string(), "10.0.0.8");
    assert_eq!(wanted.mac.unwrap().to_string(), "02:00:00:00:00:09");
    assert_eq!(outcome.result()["ips"][0]["address"], "10.0.0.8/24");
}

#[test]
fn bad_arguments_are_the_environments_fault() {
    for args in ["IP=x", "MAC=x", "MAC=01:00:5e:00:00:01"] {
        let outcome = Plugin::new("ADD").env("CNI_ARGS", args).run();
        let (code, text) = outcome.error();
        assert!(code == 4 && text.contains("CNI_ARGS"), "{text}");
        assert!(outcome.calls.is_empty());
    }
}

/// Each change of a configuration is refused with its code and words, before anything is done.
fn refused(cases: &[(Value, u64, [&str; 2])]) {
    for (changes, code, parts) in cases {
        let outcome = with(changes.clone()).run();
        let (found, text) = outcome.error();
        assert_eq!(found, *code, "{changes}: {text}");
        for part in parts {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(!text.contains("contrail123"), "{text}");
        assert!(outcome.calls.is_empty());
    }
}

#[test]
fn bad_settings_are_refused_with_key_and_value() {
    refused(&[
        (json!({"mtu": "big"}), 7, ["mtu", "big"]),
        (json!({"mtu": 67}), 7, ["mtu", "67"]),
        (json!({"mtu": -1}), 7, ["mtu", "-1"]),
        (json!({"api_port": "80x"}), 7, ["api_port", "80x"]),
        (json!({"api_port": 0}), 7, ["key api_port", "0"]),
        (
            json!({"api_server": {"a": 1}}),
            7,
            ["api_server", r#""{"a":1}""#],
        ),
        (
            json!({"api_server": {"url": "http://user:contrail123@h"}}),
            7,
            ["api_server", "api_server (network configuration): "],
        ),
        (
            json!({"vrouter_agent": [["user:contrail123@h"]]}),
            7,
            ["vrouter_agent", "vrouter_agent (network configuration): "],
        ),
        (
            json!({"api_server": "http://user:contrail123@h"}),
            7,
            ["api_server", "key api_server): "],
        ),
        (json!({"network": "a:b"}), 7, ["network", "a:b"]),
        (
            json!({"dns": {"nameservers": "10.0.0.1"}}),
            7,
            ["dns", "10.0.0.1"],
        ),
        (json!({"vrouter_agent": "a b"}), 7, ["vrouter_agent", "a b"]),
    ]);
}

#[test]
fn bad_subnets_are_refused_with_key_and_value() {
    refused(&[
        (
            json!({"ipam": {"subnet": "10.1.1.5/24"}}),
            7,
            ["subnet", "10.1.1.0/24"],
        ),
        (
            json!({"ipam": {"subnet": "0.0.0.0/0"}}),
            7,
            ["0.0.0.0/0", "every address"],
        ),
        (
            json!({"ipam": {"subnets": ["224.0.0.0/4"]}}),
            7,
            ["ipam.subnets[0]", "multicast"],
        ),
        (
            json!({"ipam": {"ranges": [[{"subnet": "fe80::/64"}]]}}),
            7,
            ["fe80::/64", "link-local"],
        ),
        (
            json!({"ipam": {"type": "host-local"}}),
            2,
            ["ipam.type", "host-local"],
        ),
    ]);
}

#[test]
fn bad_documents_and_results_are_refused_with_key_and_value() {
    refused(&[
        (json!({"networks": []}), 7, ["networks", "[]"]),
        (json!({"networks": "x"}), 7, ["networks", "x"]),
        (json!({"Networks": 5}), 7, ["networks", "5"]),
        (
            json!({"networks": [{"name": "a", "type": "bridge"}]}),
            7,
            ["type", "bridge"],
        ),
        (
            json!({"networks": [{"name": "a"}, {"type": "opencontrail"}]}),
            7,
            ["name", "networks[1]"],
        ),
        (json!({"prevResult": "x"}), 6, ["prevResult", "object"]),
        (
            json!({"prevResult": {"ips": [{"address": "x"}]}}),
            6,
            ["prevResult", "x"],
        ),
        (
            json!({"prevResult": {"cniVersion": "7"}}),
            6,
            ["prevResult", "7"],
        ),
    ]);
}

#[test]
fn secrets_are_in_no_message() {
    let plugin = with(json!({"admin_password": ["geheim", {}], "admin_user": "u"}));
    assert!(!plugin.run().stdout.contains("geheim"));
    let plugin =
        with(json!({"admin_password": "geheim", "auth_url": "nonsense", "admin_user": "u"}));
    let (code, text) = plugin.run().error();
    assert!(
        code == 7 && text.contains("nonsense") && !text.contains("geheim"),
        "{text}"
    );
}

#[test]
fn settings_come_from_configuration_environment_and_file_in_this_order() {
    let file = "[global]\nWEB_SERVER = 10.0.0.3\nWEB_PORT = 83\n";
    let plugin = with(json!({"apiServer": "10.0.0.1", "tenant_name": "t1"}))
        .env("API_SERVER_IP", "10.0.0.2")
        .env("OS_TENANT_NAME", "t2")
        .file("/etc/contrail/vnc_api_lib.ini", file);
    let outcome = plugin.run();
    assert_eq!(
        outcome.connections,
        [("http://10.0.0.1:83".into(), "t1".into())]
    );
    let name = &outcome.attachments()[0].network.fq_name;
    assert_eq!(name.to_string(), "default-domain:t1:net1");
}

#[test]
fn a_network_of_another_project_can_be_named() {
    for (given, name) in [
        (
            json!("default-domain:other:net"),
            "default-domain:other:net",
        ),
        (
            json!(["default-domain", "other", "net"]),
            "default-domain:other:net",
        ),
        (json!("blue"), "default-domain:admin:blue"),
        (json!(""), "default-domain:admin:net1"),
    ] {
        let outcome = with(json!({"network": given})).run();
        assert_eq!(outcome.attachments()[0].network.fq_name.to_string(), name);
    }
}
