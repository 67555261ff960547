//! Networks whose subnets stand in their network-ipam, as Kubernetes with OpenContrail has them.

use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{client, everything, lab, make_flat_network};
use serde_json::json;

fn call(command: &str, netns: &TestNetns) -> Call {
    let configuration = json!({"cniVersion": "1.1.0", "name": "pods", "type": "opencontrail"});
    Call::new(
        command,
        "c",
        &netns.path().display().to_string(),
        &configuration,
    )
}

/// Attaches a container, and gives its addresses with their gateways.
fn attached(subnets: &[&str], own: Option<&str>) -> Vec<(String, String)> {
    let lab = lab();
    make_flat_network(&client(), subnets, own);
    let netns = TestNetns::new("c").unwrap();
    let before = everything(&lab, &[netns.netns()]);
    let result = call("ADD", &netns).run().ok().json;
    let mut check = json!({"cniVersion": "1.1.0", "name": "pods", "type": "opencontrail"});
    check["prevResult"] = result.clone();
    Call::new("CHECK", "c", &netns.path().display().to_string(), &check)
        .run()
        .ok();
    call("DEL", &netns).run().ok();
    assert_eq!(everything(&lab, &[netns.netns()]), before);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let ips = result["ips"].as_array().unwrap();
    ips.iter()
        .map(|ip| (text(&ip["address"]), text(&ip["gateway"])))
        .collect()
}

#[test]
fn a_container_gets_address_and_gateway_of_its_networks_flat_ipam() {
    sandbox::test(|| {
        let got = attached(&["10.60.0.0/24", "10.61.0.0/29"], None);
        assert_eq!(got, [("10.60.0.252/24".into(), "10.60.0.254".into())]);
    });
}

#[test]
fn both_families_of_a_flat_ipam_are_given() {
    sandbox::test(|| {
        let got = attached(&["10.62.0.0/24", "fd62::/64"], None);
        let gateways: Vec<&str> = got.iter().map(|(_, gateway)| gateway.as_str()).collect();
        assert_eq!(gateways, ["10.62.0.254", "fd62::ffff:ffff:ffff:fffe"]);
    });
}

#[test]
fn a_mixed_network_gives_its_own_addresses_first() {
    sandbox::test(|| {
        let got = attached(&["10.70.0.0/29"], Some("10.80.0.0/29"));
        assert_eq!(got, [("10.80.0.4/29".into(), "10.80.0.6".into())]);
    });
}
