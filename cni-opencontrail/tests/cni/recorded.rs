//! What cnitool, ctr, containerd, crictl and podman really sent.

use serde_json::Value;

use crate::support::{Call, Plugin};

struct Recorded {
    client: String,
    command: String,
    plugin: Plugin,
    stdin: Value,
    ifname: String,
    container: String,
}

/// What the recording plugin declared and ours cannot: a runtime sends it only to plugins that can.
const OTHERS: [&str; 5] = [
    "portMappings",
    "bandwidth",
    "ipRanges",
    "deviceID",
    "infinibandGUID",
];

/// All recorded calls, with the recording plugin's type and capabilities replaced by ours.
fn recorded() -> Vec<Recorded> {
    let calls: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/cni-invocations.json")).unwrap();
    assert_eq!(calls.len(), 269);
    calls
        .into_iter()
        .map(|call| {
            let mut stdin = call["stdin"].clone();
            if stdin.get("type").is_some() {
                stdin["type"] = "opencontrail".into();
            }
            for place in ["capabilities", "runtimeConfig"] {
                if let Some(object) = stdin.get_mut(place).and_then(Value::as_object_mut) {
                    object.retain(|key, _| !OTHERS.contains(&key.as_str()));
                }
            }
            let mut plugin = Plugin::default().json(stdin.clone());
            for (name, value) in call["env"].as_object().unwrap() {
                plugin = plugin.env(name, value.as_str().unwrap());
            }
            let env = |name: &str| call["env"][name].as_str().unwrap_or_default().to_string();
            Recorded {
                client: call["client"].as_str().unwrap().into(),
                command: env("CNI_COMMAND"),
                ifname: env("CNI_IFNAME"),
                container: env("CNI_CONTAINERID"),
                plugin,
                stdin,
            }
        })
        .collect()
}

#[test]
fn every_recorded_add_is_understood() {
    let mut asked = 0;
    for call in recorded().iter().filter(|call| call.command == "ADD") {
        let outcome = call.plugin.run();
        let result = outcome.result();
        let wanted = &outcome.attachments()[0];
        assert_eq!(
            (&wanted.ifname, &wanted.container),
            (&call.ifname, &call.container)
        );
        let version = call.stdin["cniVersion"].as_str().unwrap();
        let version = if version.is_empty() { "0.1.0" } else { version };
        assert_eq!(result["cniVersion"], version, "{}", call.client);
        // What an earlier plugin of the chain answered is all there.
        for list in ["interfaces", "ips", "routes"] {
            let before = call.stdin["prevResult"][list].as_array();
            for (index, entry) in before.into_iter().flatten().enumerate() {
                assert_eq!(&result[list][index], entry, "{}", call.client);
            }
        }
        asked += usize::from(!wanted.addresses.is_empty() && wanted.mac.is_some());
    }
    assert!(asked >= 5, "podman and cnitool ask for addresses: {asked}");
}

#[test]
fn every_recorded_del_succeeds() {
    for call in recorded().iter().filter(|call| call.command == "DEL") {
        let outcome = call.plugin.run();
        assert!(outcome.succeeded, "{}: {outcome:?}", call.client);
        match outcome.calls.as_slice() {
            [Call::Detach(detachments)] => {
                assert_eq!(detachments.len(), 1);
                assert_eq!(detachments[0].container, call.container);
                assert_eq!(detachments[0].ifname, call.ifname);
            }
            other => panic!("{}: {other:?}", call.client),
        }
    }
}

#[test]
fn every_recorded_version_question_is_answered() {
    for call in recorded().iter().filter(|call| call.command == "VERSION") {
        assert_eq!(call.plugin.run().result()["cniVersion"], "1.1.0");
    }
}

#[test]
fn every_other_recorded_command_is_served() {
    let mut seen = 0;
    for call in recorded() {
        if matches!(call.command.as_str(), "CHECK" | "GC" | "STATUS") {
            let outcome = call.plugin.run();
            seen += 1;
            if outcome.succeeded {
                assert_eq!(outcome.stdout, "", "{}", call.client);
                continue;
            }
            // Runtimes send CHECK even if they no longer have a result.
            let (code, text) = outcome.error();
            let is_without = call.command == "CHECK" && text.contains("prevResult is missing");
            assert!(code == 7 && is_without, "{}: {text}", call.client);
        }
    }
    assert!(seen > 10);
}
