//! CHECK, GC and STATUS: what is asked of the library, and what becomes of its answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Behaviour, Call, NETNS, Plugin};

/// ADD's result, as the runtime gives it back.
fn result() -> Value {
    Plugin::new("ADD").run().result()
}

fn check(previous: Value) -> Plugin {
    Plugin::new("CHECK").json(json!({
        "cniVersion": "1.1.0", "name": "net1", "type": "opencontrail",
        "ipam": {"subnet": "10.1.1.0/24"}, "prevResult": previous
    }))
}

/// A command as runtimes send it: with these variables set to nothing.
fn empty(command: &str, more: Value) -> Plugin {
    let mut config = json!({"cniVersion": "1.1.0", "name": "net1", "type": "opencontrail"});
    let config_object = config.as_object_mut().unwrap();
    config_object.extend(more.as_object().unwrap().clone());
    let plugin = Plugin::new(command).json(config);
    let variables = ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS"];
    variables
        .into_iter()
        .fold(plugin, |plugin, name| plugin.env(name, ""))
}

#[test]
fn check_compares_with_what_add_answered() {
    let outcome = check(result()).run();
    assert!(
        outcome.succeeded && outcome.stdout.is_empty(),
        "{outcome:?}"
    );
    let [Call::Check(expected)] = outcome.calls.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        (expected.container.as_str(), expected.ifname.as_str()),
        ("c1", "eth0")
    );
    assert_eq!(expected.netns.to_str(), Some(NETNS));
    assert_eq!(expected.network.to_string(), "default-domain:admin:net1");
    assert_eq!(expected.addresses, ["10.1.1.254/24".parse().unwrap()]);
    assert!(expected.mac.is_some());
    assert_eq!(expected.interfaces, ["eth0"]);
}

#[test]
fn check_takes_what_later_plugins_changed_from_the_result() {
    let mut previous = result();
    previous["interfaces"][1]["mac"] = "02:00:00:00:00:09".into();
    previous["interfaces"].as_array_mut().unwrap().push(json!(
        {"name": "lo1", "sandbox": NETNS}
    ));
    previous["routes"] = json!([{"dst": "10.9.0.0/16", "gw": "10.1.1.1"}]);
    let outcome = check(previous).run();
    let [Call::Check(expected)] = outcome.calls.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!(expected.mac.unwrap().to_string(), "02:00:00:00:00:09");
    assert_eq!(expected.interfaces, ["eth0", "lo1"]);
    assert_eq!(
        expected.routes[0].gateway,
        Some("10.1.1.1".parse().unwrap())
    );
}

#[test]
fn check_fails_with_every_difference_and_without_a_result() {
    let outcome = check(result())
        .behaving(Behaviour::Differs("eth0 is down"))
        .run();
    let (code, text) = outcome.error();
    assert!(
        code == 107 && text.contains("container c1") && text.contains("eth0 is down"),
        "{text}"
    );
    let (code, text) = Plugin::new("CHECK").run().error();
    assert!(code == 7 && text.contains("prevResult"), "{text}");
    let (code, text) = check(json!({"interfaces": [{"name": "other", "sandbox": "/x"}]}))
        .run()
        .error();
    assert!(code == 7 && text.contains("eth0"), "{text}");
}

#[test]
fn check_of_an_old_result_has_no_interfaces_to_look_for() {
    let outcome = Plugin::new("CHECK")
        .json(json!({
            "cniVersion": "0.4.0", "name": "net1", "type": "opencontrail",
            "prevResult": {"cniVersion": "0.2.0", "ip4": {"ip": "10.1.1.9/24"}}
        }))
        .run();
    let [Call::Check(expected)] = outcome.calls.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!(expected.addresses, ["10.1.1.9/24".parse().unwrap()]);
    assert_eq!(expected.interfaces, ["eth0"]);
}

#[test]
fn gc_keeps_what_the_runtime_names_and_removes_nothing_without_a_list() {
    let named = [("c1".to_owned(), "eth0".to_owned())];
    for (key, listed, kept) in [
        (
            "cni.dev/valid-attachments",
            json!([{"containerID": "c1", "ifname": "eth0"}]),
            &named[..],
        ),
        (
            "cni.dev/attachments",
            json!([{"containerID": "c1", "ifname": "eth0"}]),
            &named[..],
        ),
        ("cni.dev/valid-attachments", json!([]), &[]),
    ] {
        let outcome = empty("GC", json!({ key: listed })).run();
        assert!(
            outcome.succeeded && outcome.stdout.is_empty(),
            "{outcome:?}"
        );
        let network = "default-domain:admin:net1".parse().unwrap();
        let kept: BTreeSet<(String, String)> = kept.iter().cloned().collect();
        assert_eq!(outcome.calls, [Call::Collect(network, "net1".into(), kept)]);
    }
    let outcome = empty("GC", json!({})).run();
    assert!(outcome.succeeded && outcome.calls.is_empty());
    let (code, text) = empty("GC", json!({"cni.dev/valid-attachments": [1]}))
        .run()
        .error();
    assert!(
        code == 7 && text.contains("cni.dev/valid-attachments"),
        "{text}"
    );
    let plugin = empty(
        "GC",
        json!({"api_server": "10.0.0.9", "cni.dev/valid-attachments": []}),
    );
    assert_eq!(
        plugin
            .behaving(Behaviour::FailsAt("10.0.0.9"))
            .run()
            .error()
            .0,
        11
    );
}

#[test]
fn status_tells_an_api_that_is_down_from_an_agent_that_is() {
    let up = empty("STATUS", json!({})).run();
    assert!(up.succeeded && up.stdout.is_empty(), "{up:?}");
    assert_eq!(
        up.calls,
        [Call::Status("default-domain:admin".parse().unwrap())]
    );
    let plugin = empty("STATUS", json!({"api_server": "10.0.0.9"}));
    let (code, text) = plugin
        .behaving(Behaviour::FailsAt("10.0.0.9"))
        .run()
        .error();
    assert!(code == 50 && text.contains("refused"), "{text}");
    let plugin = empty("STATUS", json!({}));
    let (code, text) = plugin.behaving(Behaviour::AgentIsDown).run().error();
    assert!(code == 51 && text.contains("agent"), "{text}");
}
