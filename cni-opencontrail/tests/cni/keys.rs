//! Keys that ask for what the plugin does not do.

use serde_json::{Value, json};

use crate::support::Plugin;

fn call(command: &str, changes: &Value) -> Plugin {
    let mut config = json!({"cniVersion": "1.1.0", "name": "net1", "type": "opencontrail"});
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    Plugin::new(command).json(config)
}

#[test]
fn what_asks_for_protection_an_address_or_a_device_is_refused_by_name() {
    for (changes, named, instead) in [
        (
            json!({"security_groups": ["web"]}),
            "security_groups",
            "network policy",
        ),
        (
            json!({"security-groups": "web"}),
            "security-groups",
            "network policy",
        ),
        (
            json!({"securityGroups": ["web"]}),
            "securityGroups",
            "network policy",
        ),
        (
            json!({"SECURITY_GROUP": "web"}),
            "SECURITY_GROUP",
            "network policy",
        ),
        (
            json!({"floating_ip": "1.2.3.4"}),
            "floating_ip",
            "controller",
        ),
        (
            json!({"floatingIPs": ["1.2.3.4"]}),
            "floatingIPs",
            "controller",
        ),
        (
            json!({"allowed_address_pairs": [{"ip": "1.2.3.4"}]}),
            "allowed_address_pairs",
            "controller",
        ),
        (
            json!({"allowedAddressPairs": "1.2.3.4"}),
            "allowedAddressPairs",
            "controller",
        ),
        (json!({"vlan": 7}), "vlan: 7", "VLAN"),
        (json!({"vlan-id": "7"}), "vlan-id", "VLAN"),
        (json!({"vlanTrunk": [{"id": 1}]}), "vlanTrunk", "VLAN"),
        (json!({"port": "8a"}), "port: \"8a\"", "VM interface"),
        (json!({"portId": "8a"}), "portId", "VM interface"),
        (
            json!({"portIsolation": true}),
            "portIsolation",
            "networks of their own",
        ),
        (
            json!({"network_policy": "deny"}),
            "network_policy",
            "controller",
        ),
        (json!({"ips": ["10.1.1.9"]}), "ips", "runtimeConfig.ips"),
        (
            json!({"fixed_ip": "10.1.1.9"}),
            "fixed_ip",
            "runtimeConfig.ips",
        ),
        (
            json!({"mac": "02:00:00:00:00:01"}),
            "mac",
            "runtimeConfig.mac",
        ),
        (json!({"deviceID": "0000:04:00.5"}), "deviceID", "veth"),
        (
            json!({"bandwidth": {"ingressRate": 1}}),
            "bandwidth",
            "plugin bandwidth",
        ),
        (
            json!({"args": {"cni": {"service": {"instance": "fw"}}}}),
            "args.cni.service",
            "of the network",
        ),
        (
            json!({"args": {"cni": {"security-group": "web"}}}),
            "args.cni.security-group",
            "policy",
        ),
        (
            json!({"args": {"cni": {"network": "blue"}}}),
            "args.cni.network",
            "of the network",
        ),
        (
            json!({"args": {"cni": {"ip": "10.1.1.9"}}}),
            "args.cni.ip",
            "args.cni.ips",
        ),
        (
            json!({"Args": {"CNI": {"Vlan": 7}}}),
            "args.cni.Vlan",
            "VLAN",
        ),
        (
            json!({"capabilities": {"bandwidth": true}}),
            "capabilities.bandwidth",
            "plugin bandwidth",
        ),
        (
            json!({"capabilities": {"portMappings": true}}),
            "capabilities.portMappings",
            "plugin portmap",
        ),
        (
            json!({"capabilities": {"ipRanges": true}}),
            "capabilities.ipRanges",
            "rangeStart",
        ),
        (
            json!({"capabilities": {"infinibandGUID": true}}),
            "capabilities.infinibandGUID",
            "veth",
        ),
        (
            json!({"runtimeConfig": {"PortMappings": [{"HostPort": 1}]}}),
            "runtimeConfig.PortMappings",
            "portmap",
        ),
        (
            json!({"runtimeConfig": {"bandwidth": {"IngressRate": 1}}}),
            "runtimeConfig.bandwidth",
            "bandwidth",
        ),
        (
            json!({"runtimeConfig": {"ipRanges": [[{"subnet": "10.1.1.0/24"}]]}}),
            "runtimeConfig.ipRanges",
            "ipam",
        ),
        (
            json!({"ipam": {"routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.0.0.0/8", "gateway": "10.1.1.9"}]}}),
            "ipam.routes[1].gateway",
            "is gw",
        ),
        (
            json!({"ipam": {"routes": [{"dst": "0.0.0.0/0", "Next_Hop": "10.1.1.9"}]}}),
            "ipam.routes[0].Next_Hop",
            "is gw",
        ),
        (
            json!({"ipam": {"routes": [{"dst": "0.0.0.0/0", "src": "10.1.1.9"}]}}),
            "ipam.routes[0].src",
            "address of the interface",
        ),
        (
            json!({"networks": [{"name": "a", "vlan": 7}]}),
            "vlan of network a: 7",
            "VLAN",
        ),
        (
            json!({"networks": [{"name": "a"}], "security_groups": ["x"]}),
            "security_groups",
            "policy",
        ),
    ] {
        for command in ["ADD", "STATUS"] {
            let outcome = call(command, &changes).run();
            let (code, text) = outcome.error();
            assert_eq!(code, 2, "{command} {changes}: {text}");
            let expected = format!("unsupported field {named}");
            assert!(text.contains(&expected), "{expected:?} in {text}");
            assert!(text.contains(instead), "{instead:?} in {text}");
            assert!(outcome.calls.is_empty());
        }
        // What is attached already must go.
        let outcome = call("DEL", &changes).run();
        assert!(outcome.succeeded, "{changes}: {outcome:?}");
    }
}

#[test]
fn a_value_that_asks_for_nothing_is_no_request() {
    for changes in [
        json!({"security_groups": []}),
        json!({"vlan": 0, "port": null, "floating_ip": ""}),
        json!({"allowed_address_pairs": {}, "portIsolation": false}),
        json!({"capabilities": {"portMappings": false, "ips": true}}),
        json!({"runtimeConfig": {"portMappings": [], "bandwidth": null}}),
        json!({"args": {"cni": {"service": "", "labels": [{"key": "a", "value": "b"}]}}}),
    ] {
        let outcome = call("ADD", &changes).run();
        assert!(outcome.succeeded, "{changes}: {outcome:?}");
    }
}

#[test]
fn a_long_value_is_named_by_its_beginning() {
    let long = "x".repeat(1 << 20);
    for (changes, key) in [
        (json!({"mtu": long}), "mtu"),
        (json!({"vlan": long}), "vlan"),
        (json!({"network": format!("a:{long}")}), "network"),
        (json!({"service": {long.clone(): 1}}), "service"),
        (json!({"ipam": {"subnet": long}}), "ipam"),
        (
            json!({"ipam": {"routes": [{"dst": long}]}}),
            "ipam.routes[0]",
        ),
        (json!({"dns": {"nameservers": [long]}}), "dns"),
        (
            json!({"runtimeConfig": {"ips": [long]}}),
            "runtimeConfig.ips",
        ),
        (
            json!({"runtimeConfig": {"ips": {"x": long}}}),
            "runtimeConfig.ips",
        ),
        (json!({"api_port": long}), "api_port"),
        (json!({"api_server": {"x": long}}), "api_server"),
        (json!({"name": format!("{long}/")}), "name"),
        (json!({"cniVersion": long}), "incompatible CNI versions"),
        (json!({"cniVersion": [long]}), "cniVersion"),
        (
            json!({"prevResult": {"ips": [{"address": long}]}}),
            "prevResult",
        ),
    ] {
        let outcome = call("ADD", &changes).run();
        let (_, text) = outcome.error();
        assert!(
            text.contains(key),
            "{key}: {}",
            &text[..text.len().min(300)]
        );
        assert!(text.len() < 4200, "{key}: {} bytes", text.len());
    }
}
