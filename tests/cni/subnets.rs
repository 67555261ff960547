//! Which subnet of a network gives a container its addresses.

use contrail_core::FqName;
use contrail_core::api::{IpamSubnet, NetworkIpam, VirtualNetwork};
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::{Call, Outcome};
use opencontrail_tests::world::{client, everything, lab};
use serde_json::{Value, json};

/// Several subnets of each family; the API takes addresses from the first of a family.
fn make_network() {
    let prefixes = [
        "10.71.4.0/28",
        "10.71.5.0/29",
        "10.71.6.0/28",
        "fd00:4::/64",
        "fd00:5::/64",
    ];
    let subnets = prefixes.map(|prefix| IpamSubnet::new(prefix.parse().unwrap()));
    let name = FqName::new(["default-domain", "admin", "net1"]);
    let network = VirtualNetwork::new(name, NetworkIpam::default_name(), subnets.to_vec());
    client().create(&network).unwrap();
}

fn call(command: &str, container: &str, netns: &TestNetns, ipam: &Value) -> Call {
    let configuration =
        json!({"cniVersion": "1.1.0", "name": "net1", "type": "opencontrail", "ipam": ipam});
    let path = netns.path().display().to_string();
    Call::new(command, container, &path, &configuration)
}

fn refused(outcome: &Outcome, code: u64, named: &[&str]) {
    let text = outcome.json.to_string();
    assert!(!outcome.success, "{text}");
    assert_eq!(outcome.json["code"], code, "{text}");
    for part in named {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[test]
fn the_configured_subnets_of_an_existing_network_give_the_addresses() {
    sandbox::test(|| {
        let lab = lab();
        make_network();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        for (ipam, expected) in [
            (json!({"subnet": "10.71.5.0/29"}), vec!["10.71.5.4/29"]),
            (json!({"subnet": "10.71.4.0/28"}), vec!["10.71.4.12/28"]),
            (
                json!({"subnet": "fd00:5::/64"}),
                vec!["fd00:5::ffff:ffff:ffff:fffc/64"],
            ),
            (
                json!({"ranges": [[{"subnet": "10.71.5.0/29"}], [{"subnet": "fd00:5::/64"}]]}),
                vec!["10.71.5.4/29", "fd00:5::ffff:ffff:ffff:fffc/64"],
            ),
            (
                json!({"subnets": ["fd00:5::/64", "fd00:4::/64", "10.71.5.0/29"]}),
                vec!["10.71.5.4/29", "fd00:4::ffff:ffff:ffff:fffc/64"],
            ),
            (
                json!({}),
                vec!["10.71.4.12/28", "fd00:4::ffff:ffff:ffff:fffc/64"],
            ),
        ] {
            let outcome = call("ADD", "c", &netns, &ipam).run().ok();
            assert_eq!(outcome.addresses(), expected, "{ipam}");
            call("DEL", "c", &netns, &ipam).run().ok();
        }
        for (ipam, address) in [
            (json!({"subnet": "10.71.5.0/29"}), "10.71.4.5"),
            (json!({"subnet": "fd00:5::/64"}), "fd00:4::5"),
            (json!({"subnet": "10.71.5.0/29"}), "fd00:5::5"),
        ] {
            let outcome =
                call("ADD", "c", &netns, &ipam).with("CNI_ARGS", &format!("IP={address}"));
            let prefix = ipam["subnet"].as_str().unwrap();
            refused(
                &outcome.run(),
                102,
                &[address, "configured subnets", prefix],
            );
        }
        let ipam = json!({"subnet": "10.71.5.0/29"});
        let outcome = call("ADD", "c", &netns, &ipam)
            .with("CNI_ARGS", "IP=10.71.5.2")
            .run()
            .ok();
        assert_eq!(outcome.addresses(), ["10.71.5.2/29"]);
        call("DEL", "c", &netns, &ipam).run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

#[test]
fn a_full_configured_subnet_gives_way_to_the_next_configured_one_only() {
    sandbox::test(|| {
        let lab = lab();
        make_network();
        let names = ["c1", "c2", "c3", "c4", "c5"];
        let netns = names.map(|name| TestNetns::new(name).unwrap());
        let all: Vec<_> = netns.iter().map(TestNetns::netns).collect();
        let before = everything(&lab, &all);
        let small = json!({"subnet": "10.71.5.0/29"});
        for (name, netns) in names.iter().zip(&netns).take(4) {
            call("ADD", name, netns, &small).run().ok();
        }
        let full = call("ADD", "c5", &netns[4], &small).run();
        refused(
            &full,
            102,
            &["every address of subnet 10.71.5.0/29 is taken"],
        );
        // The API chooses from one subnet or from all three.
        let third = json!({"ranges": [[{"subnet": "10.71.5.0/29"}, {"subnet": "10.71.4.0/28"}]]});
        let outcome = call("ADD", "c5", &netns[4], &third).run().ok();
        assert_eq!(outcome.addresses(), ["10.71.4.12/28"]);
        for (name, netns) in names.iter().zip(&netns) {
            call("DEL", name, netns, &small).run().ok();
        }
        assert_eq!(everything(&lab, &all), before);
    });
}

#[test]
fn ranges_of_a_new_network_are_as_host_local_has_them() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let range = |subnet: &str, first: &str, last: &str| json!({"subnet": subnet, "rangeStart": first, "rangeEnd": last});
        let several = json!({"ranges": [[
            range("10.1.1.0/24", "10.1.1.10", "10.1.1.11"),
            range("10.1.1.0/24", "10.1.1.40", "10.1.1.41"),
        ]]});
        let outcome = call("ADD", "c", &netns, &several).run().ok();
        let address = outcome.addresses().remove(0);
        let expected = [
            "10.1.1.10/24",
            "10.1.1.11/24",
            "10.1.1.40/24",
            "10.1.1.41/24",
        ];
        assert!(expected.contains(&address.as_str()), "{address}");
        call("DEL", "c", &netns, &several).run().ok();
        for (ipam, named) in [
            (
                json!({"ranges": [[{"subnet": "10.1.1.0/24"}], [{"subnet": "10.1.2.0/24"}]]}),
                "one of each family",
            ),
            (
                json!({"ranges": [[{"subnet": "10.1.1.0/24"}, {"subnet": "fd00:1::/64"}]]}),
                "of one family",
            ),
            (
                json!({"ranges": [[{"subnet": "10.1.1.0/24"}, {"subnet": "10.1.1.0/24"}]]}),
                "ranges overlap",
            ),
            (
                json!({"ranges": [[range("10.1.1.0/24", "10.1.1.10", "10.1.1.20"),
                range("10.1.1.0/24", "10.1.1.20", "10.1.1.30")]]}),
                "ranges overlap",
            ),
        ] {
            refused(
                &call("ADD", "c", &netns, &ipam).run(),
                7,
                &["ipam.ranges[", named],
            );
        }
        for (ipam, named) in [
            (json!({"subnet": "10.1.1.0/31"}), "/29, or /30 with"),
            (json!({"subnet": "10.1.1.1/32"}), "/29, or /30 with"),
            (json!({"subnet": "10.1.1.0/30"}), "/29, or /30 with"),
            (json!({"subnet": "fd00:1::/127"}), "/125, or /126 with"),
            (json!({"subnet": "fd00:1::1/128"}), "/125, or /126 with"),
            (
                json!({"ranges": [[{"subnet": "10.1.1.0/24"}], [{"subnet": "fd00:1::/126"}]]}),
                "/125, or",
            ),
        ] {
            let outcome = call("ADD", "c", &netns, &ipam).run();
            refused(&outcome, 7, &["network, broadcast, gateway and DNS", named]);
        }
        let smallest = json!({"subnet": "10.1.1.0/30", "gateway": "10.1.1.1"});
        let outcome = call("ADD", "c", &netns, &smallest).run().ok();
        assert_eq!(outcome.addresses(), ["10.1.1.2/30"]);
        call("DEL", "c", &netns, &smallest).run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}
