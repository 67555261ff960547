//! A chain that the controller has lost is named by CHECK.

use std::time::Duration;

use contrail_core::api::{ListQuery, PortTuple, Resource, ServiceInstance};
use contrail_core::service_chain::ServiceRoles;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::loss::lose_chains;
use opencontrail_tests::world::client;
use serde_json::json;

use crate::Scene;
use crate::member::{call, fw, is_built, open_chain, with_roles};

#[test]
fn check_names_a_membership_and_a_chain_that_are_lost() {
    sandbox::test(|| {
        let scene = Scene::with(&[], &json!({}));
        let member = TestNetns::new("m").unwrap();
        let mut document = with_roles();
        let added = call("ADD", &member, "m", &document).run().ok();
        document["prevResult"] = added.json;
        let check = || call("CHECK", &member, "m", &document).run();
        // No chain goes through the service yet.
        check().ok();
        scene.bring_up(&open_chain(), "at first");
        check().ok();

        lose_chains(&client());
        assert!(!is_built());
        let lost = check().json;
        assert_eq!(lost["code"], 107, "{lost}");
        let details = lost["details"].as_str().unwrap();
        for leg in ["fw left", "fw right"] {
            let named = format!("leg default-domain:admin:{leg}");
            assert!(
                details.contains(&named) && details.contains("not built"),
                "{details}"
            );
        }

        // Its port tuple is that of no service instance then.
        let instance = client().lookup::<ServiceInstance>(&fw()).unwrap().unwrap();
        let instance = instance.uuid().unwrap();
        client().delete::<ServiceInstance>(instance).unwrap();
        let lost = check().json;
        let details = lost["details"].as_str().unwrap();
        assert!(details.contains("has lost port tuple"), "{details}");
        scene.chains.apply(&open_chain()).unwrap();
        let limit = Duration::from_secs(60);
        let state = scene.chains.bring_up(&open_chain(), limit, |_| {}).unwrap();
        assert!(state.is_built(), "{state:?}");
        check().ok();

        scene.chains.delete(&open_chain()).unwrap();
        let roles = ServiceRoles::new(client(), "test");
        let query = ListQuery::all().fields(&["virtual_machine_interface_back_refs"]);
        let tuples: Vec<PortTuple> = client().list(&query.detail()).unwrap();
        for tuple in tuples {
            let port = tuple.virtual_machine_interface_back_refs[0].uuid;
            roles
                .dissolve(tuple.uuid().unwrap(), port.unwrap())
                .unwrap();
        }
        let lost = check().json;
        let details = lost["details"].as_str().unwrap();
        assert!(
            details.contains("is not a member of service instance default-domain:admin:fw"),
            "{details}"
        );
    });
}
