//! STATUS says what ADD would: it reads the same configuration, and looks at the same things.

use contrail_core::FqName;
use contrail_core::api::{IpamSubnet, NetworkIpam, VirtualNetwork};
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{client, everything, lab};
use serde_json::{Value, json};

fn make(name: &str, subnets: &[&str]) {
    let subnets = subnets
        .iter()
        .map(|prefix| IpamSubnet::new(prefix.parse().unwrap()));
    let name = FqName::new(["default-domain", "admin", name]);
    let network = VirtualNetwork::new(name, NetworkIpam::default_name(), subnets.collect());
    client().create(&network).unwrap();
}

fn configuration(changes: &Value) -> Value {
    let mut configuration = json!({"cniVersion": "1.1.0", "name": "net1", "type": "opencontrail"});
    for (key, value) in changes.as_object().unwrap() {
        configuration[key] = value.clone();
    }
    configuration
}

#[test]
fn status_fails_where_add_does_and_for_the_same_reason() {
    sandbox::test(|| {
        let lab = lab();
        make("there", &["10.9.9.0/24", "fd09::/64"]);
        make("bare", &[]);
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let path = netns.path().display().to_string();
        for (changes, named) in [
            (json!({"mtu": 10}), "mtu"),
            (json!({}), "net1"),
            (json!({"network": "default-domain:admin:gone"}), "gone"),
            (json!({"name": "bare"}), "no subnet"),
            (json!({"name": "there", "mtu": 1000}), "IPv6 needs"),
            (
                json!({"ipam": {"subnet": "fd01::/64"}, "mtu": 1000}),
                "IPv6 needs",
            ),
            (json!({"ipam": {"subnet": "10.1.1.0/31"}}), "/29, or /30"),
            (json!({"ipam": {"subent": "10.1.1.0/24"}}), "subent"),
            (json!({"ipam": {"type": "host-local"}}), "host-local"),
            (
                json!({"name": "there", "ipam": {"subnet": "10.8.8.0/24"}}),
                "10.9.9.0/24",
            ),
            (
                json!({"name": "there", "ipam": {"subnet": "10.9.9.0/24", "gateway": "10.9.9.7"}}),
                "10.9.9.7",
            ),
            (
                json!({"name": "there", "ipam": {"subnet": "10.9.9.0/24"}, "args": {"cni": {"ips": ["10.8.8.8"]}}}),
                "10.8.8.8",
            ),
            (
                json!({"name": "there", "args": {"cni": {"ips": ["x"]}}}),
                "args.cni.ips",
            ),
            (
                json!({"name": "there", "security_groups": ["x"]}),
                "security_groups",
            ),
            (
                json!({"name": "there", "service": {"instance": "fw"}}),
                "interface",
            ),
            (
                json!({"name": "there", "dns": {"nameservers": ["x"]}}),
                "dns",
            ),
            (
                json!({"networks": [{"name": "there", "type": "bridge"}]}),
                "bridge",
            ),
            (json!({"name": "there", "tenant_name": "nobody"}), "nobody"),
        ] {
            let configuration = configuration(&changes);
            for command in ["ADD", "STATUS"] {
                let outcome = Call::new(command, "c", &path, &configuration).run();
                let text = outcome.json.to_string();
                assert!(!outcome.success, "{command} {changes}");
                assert!(text.contains(named), "{command} {changes}: {text}");
            }
        }
        for changes in [
            json!({"ipam": {"subnet": "10.1.1.0/24"}}),
            json!({"name": "there"}),
            json!({"name": "there", "ipam": {"subnet": "10.9.9.0/24"}, "mtu": 1000}),
            json!({"name": "there", "hairpinMode": true}),
        ] {
            let configuration = configuration(&changes);
            for command in ["STATUS", "ADD", "STATUS", "DEL"] {
                Call::new(command, "c", &path, &configuration).run().ok();
            }
        }
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}
