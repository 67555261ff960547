//! What must not happen to what is there: a second creation, an address twice, a network that takes its
//! addresses from another.

use contrail_lab::lab::Restartable;
use contrail_lab::sandbox;
use opencontrail_tests::world::lab;
use serde_json::json;

use crate::engine::{Engine, SUBNET, objects};

#[test]
fn an_endpoint_that_has_joined_is_not_made_a_second_time() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        // The answer to the first request got lost.
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        engine.join("n1", "e1", "s1").unwrap();
        let running = objects(&lab);
        let refused = engine.create_endpoint("n1", "e1", "10.1.1.2/24");
        let refused = refused.unwrap_err();
        assert!(refused.contains("already exists"), "{refused}");
        assert_eq!(objects(&lab), running);

        engine.leave("n1", "e1");
        engine.delete_endpoint("n1", "e1");
        assert_eq!(objects(&lab), before);
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
    });
}

#[test]
fn an_endpoint_whose_second_creation_failed_can_still_be_deleted() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        lab.stop_service(Restartable::ConfigApi);
        engine
            .create_endpoint("n1", "e1", "10.1.1.2/24")
            .unwrap_err();
        lab.start_service(Restartable::ConfigApi).unwrap();
        engine.tidy();
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn an_auxiliary_address_of_one_network_is_not_given_out_in_another() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_with(json!({"name": "net1"})).unwrap();
        let held = objects(&lab);
        let pool = json!({
            "AddressSpace": "opencontrail-local", "Pool": SUBNET, "Options": {"vn": "net1"},
        });
        let pool = engine.call("IpamDriver.RequestPool", pool).unwrap();
        let address = json!({"PoolID": pool["PoolID"], "Address": "10.1.1.9", "Options": {}});
        let refused = engine.call("IpamDriver.RequestAddress", address.clone());
        let refused = refused.unwrap_err();
        assert!(refused.contains("auxiliary address printer"), "{refused}");
        engine.call("IpamDriver.ReleaseAddress", address).unwrap();
        let now = objects(&lab);
        let is_ip = |object: &&String| object.starts_with("instance-ip");
        assert!(held.iter().filter(is_ip).eq(now.iter().filter(is_ip)));
    });
}

#[test]
fn a_network_must_be_the_one_whose_addresses_it_has() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        let before = objects(&lab);
        let pool = json!({
            "AddressSpace": "opencontrail-local", "Pool": SUBNET, "Options": {"name": "other"},
        });
        engine.call("IpamDriver.RequestPool", pool).unwrap();
        let network = json!({
            "NetworkID": "n1", "Options": {"com.docker.network.generic": {"name": "net1"}},
            "IPv4Data": [{"AddressSpace": "opencontrail-local", "Pool": SUBNET}],
        });
        let refused = engine.send("CreateNetwork", network).unwrap_err();
        for named in ["admin:net1", "admin:other", SUBNET, "-o name"] {
            assert!(refused.contains(named), "{refused}");
        }
        let now = objects(&lab);
        let is_network = |object: &&String| object.starts_with("virtual-network");
        assert!(
            before
                .iter()
                .filter(is_network)
                .eq(now.iter().filter(is_network))
        );
    });
}
