//! Namespaces that become members of a service instance when they are attached.

use std::fs;

use contrail_core::api::{ListQuery, PortTuple, Resource, ServiceInstance};
use contrail_core::values::Family;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{client, everything, lab};
use serde_json::{Value, json};

/// Two networks, and the part in the service `fw` that each interface plays.
fn document() -> Value {
    let network = |name: &str, subnets: [&str; 2], leg: &str| {
        json!({
            "name": name,
            "ipam": {"ranges": subnets.map(|subnet| json!([{"subnet": subnet}]))},
            "service": {"instance": "fw", "interface": leg, "forwarding": true},
        })
    };
    json!({"networks": [
        network("a", ["10.1.1.0/24", "fd00:1::/64"], "left"),
        network("b", ["10.1.2.0/24", "fd00:2::/64"], "right"),
    ]})
}

fn call(command: &str, netns: &TestNetns, container: &str) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, container, &path, &document())
}

/// The port tuples, as the number of ports of each.
fn tuples() -> Vec<usize> {
    let query = ListQuery::all().fields(&["virtual_machine_interface_back_refs"]);
    let tuples: Vec<PortTuple> = client().list(&query.detail()).unwrap();
    let ports = tuples.iter();
    ports
        .map(|tuple| tuple.virtual_machine_interface_back_refs.len())
        .collect()
}

fn instances() -> Vec<String> {
    let instances: Vec<ServiceInstance> = client().list(&ListQuery::all()).unwrap();
    let names = instances.iter().map(|instance| instance.fq_name());
    names.map(ToString::to_string).collect()
}

fn forwards(netns: &TestNetns, family: Family, ifname: &str) -> bool {
    let path = format!("/proc/sys/net/ip{family}/conf/{ifname}/forwarding");
    let read = netns.netns().run(|| fs::read_to_string(&path).unwrap());
    read.unwrap().trim() == "1"
}

#[test]
fn two_interfaces_are_the_legs_of_a_service_and_del_leaves_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let [c, d] = ["c", "d"].map(|name| TestNetns::new(name).unwrap());
        let before = everything(&lab, &[c.netns(), d.netns()]);
        // A new namespace may forward from its start, as the host does.
        let lo = forwards(&c, Family::V4, "lo");
        call("ADD", &c, "c").run().ok();
        assert_eq!(instances(), ["default-domain:admin:fw"]);
        assert_eq!(tuples(), [2]);
        for (family, ifname) in [
            (Family::V4, "eth0"),
            (Family::V4, "eth1"),
            (Family::V6, "all"),
        ] {
            assert!(forwards(&c, family, ifname), "IP{family} of {ifname}");
        }
        // Nothing else is loosened.
        assert_eq!(forwards(&c, Family::V4, "lo"), lo);
        assert!(!forwards(&d, Family::V6, "all"));

        call("ADD", &d, "d").run().ok();
        assert_eq!(tuples(), [2, 2]);
        call("DEL", &c, "c").run().ok();
        assert_eq!(tuples(), [2]);
        for _ in 0..2 {
            call("DEL", &d, "d").run().ok();
        }
        assert_eq!(everything(&lab, &[c.netns(), d.netns()]), before);
    });
}

#[test]
fn del_needs_no_service_in_its_configuration() {
    sandbox::test(|| {
        let lab = lab();
        let c = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[c.netns()]);
        call("ADD", &c, "c").run().ok();
        let path = c.path().display().to_string();
        let plain = json!({"networks": [{"name": "a"}, {"name": "b"}]});
        Call::new("DEL", "c", &path, &plain).run().ok();
        assert_eq!(everything(&lab, &[c.netns()]), before);
    });
}
