//! The result in every version, there and back.

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
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.1.1", "priority": 5}, {"dst": "fd01::/64"}],
        "dns": {"nameservers": ["10.1.1.2"], "search": ["x"]},
        "own": [3]
    })
}

fn read(value: &Value, config: CniVersion) -> AddResult {
    AddResult::of_previous(value, config).unwrap()
}

/// What each version makes of [`newest`].
fn expected(version: CniVersion) -> Value {
    let mut value = newest();
    match version {
        CniVersion::V110 | CniVersion::V100 => {}
        CniVersion::V030 | CniVersion::V031 | CniVersion::V040 => {
            value["interfaces"] = json!([
                {"name": "tap1"}, {"name": "eth0", "mac": "02:00:00:00:00:01", "sandbox": "/n", "own": 1}
            ]);
            for (index, family) in ["4", "4", "6"].iter().enumerate() {
                value["ips"][index]["version"] = json!(family);
            }
        }
        CniVersion::V010 | CniVersion::V020 => {
            value = json!({
                "ip4": {"ip": "10.1.1.254/24", "gateway": "10.1.1.1",
                    "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.1.1", "priority": 5}]},
                "ip6": {"ip": "fd00::5/64", "gateway": "fd00::1", "routes": [{"dst": "fd01::/64"}]},
                "dns": {"nameservers": ["10.1.1.2"], "search": ["x"]}
            });
        }
    }
    value["cniVersion"] = json!(version.as_str());
    value
}

#[test]
fn the_newest_form_is_converted_to_every_version() {
    let result = read(&newest(), CniVersion::V110);
    for version in CniVersion::ALL {
        assert_eq!(result.to_json(version), expected(version), "{version:?}");
    }
}

#[test]
fn every_version_is_read_from_its_own_form_with_and_without_its_version() {
    for version in CniVersion::ALL {
        let own = expected(version);
        assert_eq!(
            read(&own, CniVersion::V110).to_json(version),
            own,
            "{version:?}"
        );
        let mut bare = own.clone();
        bare.as_object_mut().unwrap().remove("cniVersion");
        assert_eq!(read(&bare, version).to_json(version), own, "{version:?}");
    }
}

#[test]
fn any_pair_of_versions_converts() {
    for from in CniVersion::ALL {
        for to in CniVersion::ALL {
            let converted = read(&expected(from), CniVersion::V110).to_json(to);
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
            result.to_json(version),
            json!({"cniVersion": version.as_str()})
        );
    }
    let value =
        json!({"ips": [{"address": "10.0.0.1/8", "gateway": null, "interface": 1.0}], "dns": null});
    let ips = read(&value, CniVersion::V100).to_json(CniVersion::V100)["ips"].clone();
    assert_eq!(ips, json!([{"address": "10.0.0.1/8", "interface": 1}]));
}
