//! The result in every version, there and back.

use cni_opencontrail::protocol::answer;
use cni_opencontrail::protocol::error::CniError;
use cni_opencontrail::protocol::result::AddResult;
use cni_opencontrail::protocol::version::CniVersion;
use serde_json::{Value, json};

fn newest() -> Value {
    json!({
        "cniVersion": "1.1.0",
        "interfaces": [
            {"name": "tap1", "mtu": 1492, "socketPath": "/s", "pciID": "0000:04:00.5"},
            {"name": "eth0", "mac": "02:00:00:00:00:01", "mtu": 1492, "sandbox": "/n", "own": 1}
        ],
        "ips": [
            {"address": "10.1.1.254/24", "gateway": "10.1.1.1", "interface": 1},
            {"address": "10.1.2.254/24", "interface": 1},
            {"address": "fd00::5/64", "gateway": "fd00::1", "interface": 1, "own": 2}
        ],
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.1.1", "mtu": 1300, "advmss": 1260,
            "priority": 5, "table": 7, "scope": 0}, {"dst": "fd01::/64"}],
        "dns": {"nameservers": ["10.1.1.2"], "search": ["x"]},
        "own": [3]
    })
}

fn read(value: &Value, config: CniVersion) -> AddResult {
    AddResult::of_previous(value, config).unwrap()
}

fn json(result: &AddResult, version: CniVersion) -> Value {
    serde_json::from_str(&result.to_json(version)).unwrap()
}

/// What each version makes of [`newest`].
fn expected(version: CniVersion) -> Value {
    let mut value = newest();
    match version {
        CniVersion::V110 => {}
        CniVersion::V100 => value = before_110(value),
        CniVersion::V030 | CniVersion::V031 | CniVersion::V040 => {
            value = before_110(value);
            for (index, family) in ["4", "4", "6"].iter().enumerate() {
                value["ips"][index]["version"] = json!(family);
            }
        }
        CniVersion::V010 | CniVersion::V020 => {
            value = json!({
                "ip4": {"ip": "10.1.1.254/24", "gateway": "10.1.1.1",
                    "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.1.1"}]},
                "ip6": {"ip": "fd00::5/64", "gateway": "fd00::1", "routes": [{"dst": "fd01::/64"}]},
                "dns": {"nameservers": ["10.1.1.2"], "search": ["x"]}
            });
        }
    }
    value["cniVersion"] = json!(version.as_str());
    value
}

/// Without the keys that came with 1.1.0.
fn before_110(mut value: Value) -> Value {
    value["interfaces"] = json!([
        {"name": "tap1"}, {"name": "eth0", "mac": "02:00:00:00:00:01", "sandbox": "/n", "own": 1}
    ]);
    value["routes"] = json!([{"dst": "0.0.0.0/0", "gw": "10.1.1.1"}, {"dst": "fd01::/64"}]);
    value
}

#[test]
fn the_newest_form_is_converted_to_every_version() {
    let result = read(&newest(), CniVersion::V110);
    for version in CniVersion::ALL {
        assert_eq!(json(&result, version), expected(version), "{version:?}");
    }
}

#[test]
fn every_version_is_read_from_its_own_form_with_and_without_its_version() {
    for version in CniVersion::ALL {
        let own = expected(version);
        assert_eq!(
            json(&read(&own, CniVersion::V110), version),
            own,
            "{version:?}"
        );
        let mut bare = own.clone();
        bare.as_object_mut().unwrap().remove("cniVersion");
        assert_eq!(json(&read(&bare, version), version), own, "{version:?}");
    }
}

#[test]
fn any_pair_of_versions_converts() {
    for from in CniVersion::ALL {
        for to in CniVersion::ALL {
            let converted = json(&read(&expected(from), CniVersion::V110), to);
            assert_eq!(converted["cniVersion"], to.as_str());
            // What the older of the two can say is still there: at least the first address.
            let text = converted.to_string();
            assert!(
                text.contains("10.1.1.254/24") && text.contains("fd00::5/64"),
                "{from:?} {to:?}"
            );
        }
    }
}

#[test]
fn empty_and_null_fields_vanish() {
    let value = json!({"interfaces": null, "ips": null, "routes": [], "dns": {}, "cniVersion": ""});
    let result = read(&value, CniVersion::V040);
    for version in CniVersion::ALL {
        assert_eq!(
            json(&result, version),
            json!({"cniVersion": version.as_str()})
        );
    }
    let value =
        json!({"ips": [{"address": "10.0.0.1/8", "gateway": null, "interface": 1.0}], "dns": null});
    let ips = json(&read(&value, CniVersion::V100), CniVersion::V100)["ips"].clone();
    assert_eq!(ips, json!([{"address": "10.0.0.1/8", "interface": 1}]));
}

/// Written once as the specification has it, for each version that changed the form.
#[test]
fn keys_are_in_the_order_of_the_specification_whatever_the_program_is_built_with() {
    let result = read(
        &json!({
            "zone": {"b": [{"d": 1, "c": 2}], "a": 1}, "also": 1,
            "dns": {"options": ["o"], "search": ["s"], "domain": "d", "nameservers": ["n"], "x": 1},
            "routes": [{"x": 1, "scope": 0, "table": 7, "priority": 5, "advmss": 1260, "mtu": 1300,
                "gw": "10.1.1.1", "dst": "0.0.0.0/0"}],
            "ips": [{"x": 1, "interface": 0, "gateway": "10.1.1.1", "address": "10.1.1.9/24", "version": "4"}],
            "interfaces": [{"x": 1, "pciID": "p", "socketPath": "s", "sandbox": "/n", "mtu": 1400,
                "mac": "02:00:00:00:00:01", "name": "eth0"}],
            "cniVersion": "1.1.0"
        }),
        CniVersion::V110,
    );
    for (version, expected) in [
        (
            CniVersion::V110,
            concat!(
                r#"{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01","mtu":1400,"#,
                r#""sandbox":"/n","socketPath":"s","pciID":"p","x":1}],"#,
                r#""ips":[{"address":"10.1.1.9/24","gateway":"10.1.1.1","interface":0,"x":1}],"#,
                r#""routes":[{"dst":"0.0.0.0/0","gw":"10.1.1.1","mtu":1300,"advmss":1260,"priority":5,"#,
                r#""table":7,"scope":0,"x":1}],"#,
                r#""dns":{"nameservers":["n"],"domain":"d","search":["s"],"options":["o"],"x":1},"#,
                r#""also":1,"zone":{"a":1,"b":[{"c":2,"d":1}]}}"#
            ),
        ),
        (
            CniVersion::V040,
            concat!(
                r#"{"cniVersion":"0.4.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01","#,
                r#""sandbox":"/n","x":1}],"#,
                r#""ips":[{"version":"4","address":"10.1.1.9/24","gateway":"10.1.1.1","interface":0,"x":1}],"#,
                r#""routes":[{"dst":"0.0.0.0/0","gw":"10.1.1.1","x":1}],"#,
                r#""dns":{"nameservers":["n"],"domain":"d","search":["s"],"options":["o"],"x":1},"#,
                r#""also":1,"zone":{"a":1,"b":[{"c":2,"d":1}]}}"#
            ),
        ),
        (
            CniVersion::V020,
            concat!(
                r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.1.1.9/24","gateway":"10.1.1.1","#,
                r#""routes":[{"dst":"0.0.0.0/0","gw":"10.1.1.1","x":1}]},"#,
                r#""dns":{"nameservers":["n"],"domain":"d","search":["s"],"options":["o"],"x":1}}"#
            ),
        ),
    ] {
        assert_eq!(result.to_json(version), expected);
    }
    let error = CniError::new(7, "m").with("d");
    assert_eq!(
        error.to_json(Some(CniVersion::V040)),
        r#"{"cniVersion":"0.4.0","code":7,"msg":"m","details":"d"}"#
    );
    assert!(
        answer::versions().starts_with(r#"{"cniVersion":"1.1.0","supportedVersions":["0.1.0","#)
    );
}
