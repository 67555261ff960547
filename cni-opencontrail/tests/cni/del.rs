//! DEL.

use serde_json::json;

use crate::support::{Behaviour, Call, Plugin};

fn detached(plugin: Plugin) -> Vec<String> {
    let outcome = plugin.run();
    assert!(
        outcome.succeeded && outcome.stdout.is_empty(),
        "{outcome:?}"
    );
    match outcome.calls.as_slice() {
        [Call::Detach(detachments)] => {
            let shown = detachments
                .iter()
                .map(|d| format!("{} {}", d.container, d.ifname));
            shown.collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_but_id_and_interface_matters() {
    for plugin in [
        Plugin::new("DEL"),
        Plugin::new("DEL").without("CNI_NETNS"),
        Plugin::new("DEL").env("CNI_NETNS", ""),
        Plugin::new("DEL").env("CNI_NETNS", "/gone"),
        Plugin::new("DEL").env("CNI_ARGS", ";garbage=;;=x;IP=nonsense;MAC=1"),
        Plugin::new("DEL").json(json!({"name": "other", "cniVersion": "0.3.1"})),
        Plugin::new("DEL").json(json!({
            "name": "net1", "cniVersion": "1.1.0", "prevResult": "garbage", "mtu": "garbage", "unknown": [],
            "ipam": {"type": "host-local", "subnet": "garbage"}, "runtimeConfig": {"ips": [0]}, "dns": 7
        })),
    ] {
        assert_eq!(detached(plugin), ["c1 eth0"]);
    }
}

#[test]
fn other_interfaces_of_the_container_stay() {
    assert_eq!(
        detached(Plugin::new("DEL").env("CNI_IFNAME", "net1")),
        ["c1 net1"]
    );
}

#[test]
fn a_document_is_left_as_it_was_entered() {
    let document = include_str!("../fixtures/10-opencontrail-multi.conf");
    let plugin = Plugin::new("DEL")
        .without("CNI_CONTAINERID")
        .without("CNI_IFNAME");
    let plugin = plugin
        .env("CNI_NETNS", "/var/run/netns/cniSI")
        .config(document);
    assert_eq!(detached(plugin), ["cniSI eth0", "cniSI eth1"]);
}

#[test]
fn every_place_is_tried_and_the_first_failure_reported() {
    let plugin = Plugin::new("DEL")
        .behaving(Behaviour::FailsAt("10.0.0.1"))
        .json(json!({"networks": [
        {"name": "a", "api_server": "10.0.0.1"}, {"name": "b", "api_server": "10.0.0.2"}]}));
    let outcome = plugin.run();
    assert_eq!(outcome.error().0, 11);
    assert_eq!(outcome.calls.len(), 2);
}

#[test]
fn an_unreadable_configuration_is_still_an_error() {
    assert_eq!(Plugin::new("DEL").config("{").run().error().0, 6);
    assert_eq!(
        Plugin::new("DEL")
            .json(json!({"name": "n", "cniVersion": "7"}))
            .run()
            .error()
            .0,
        1
    );
}
