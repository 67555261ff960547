//! What the controller has built of a chain: shown, waited for, lost and brought back.

use contrail_core::FqName;
use contrail_core::api::{
    InstanceIp, ListQuery, PortTuple, Resource, ServiceInstance, VirtualMachineInterface,
};
use contrail_core::service_chain::{Progress, ServiceRoles};
use contrail_lab::sandbox;
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::client;
use serde_json::{Value, json};

use crate::command::{document, service_chain};
use crate::{DOCUMENT, Scene};

fn instance(name: &str) -> FqName {
    FqName::new(["default-domain", "admin", name])
}

/// The port tuples of a service with its ports.
fn tuples(service: &str) -> Vec<PortTuple> {
    let found = client().lookup::<ServiceInstance>(&instance(service));
    let query = ListQuery::children_of_id(found.unwrap().unwrap().uuid().unwrap());
    let query = query
        .detail()
        .fields(&["virtual_machine_interface_back_refs"]);
    client().list(&query).unwrap()
}

/// Deletes the interfaces of a member while they are in their port tuple, and that last: so a crashed
/// program may leave them, and the controller never recovers from it.
fn tear_down(service: &str) {
    for tuple in tuples(service) {
        for port in &tuple.virtual_machine_interface_back_refs {
            let port = port.uuid.unwrap();
            let addresses: Vec<InstanceIp> = client()
                .list(&ListQuery::referring_to(port).detail())
                .unwrap();
            for address in addresses.iter().filter(|ip| !ip.service_instance_ip) {
                client()
                    .delete::<InstanceIp>(address.uuid().unwrap())
                    .unwrap();
            }
            client().delete::<VirtualMachineInterface>(port).unwrap();
        }
        client().delete::<PortTuple>(tuple.uuid().unwrap()).unwrap();
    }
}

/// Restarts a service of the scene, whose interfaces were torn down.
fn restart(scene: &Scene, index: usize, name: &str) {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let path = scene.services[index].netns.path().display().to_string();
    for command in ["DEL", "ADD"] {
        Call::new(command, name, &path, &document).run().ok();
    }
}

#[test]
fn a_chain_that_stands_is_shown_leg_by_leg_and_read_with_few_requests() {
    sandbox::test(|| {
        let scene = Scene::new();
        let done = service_chain("apply", &document(), &["--wait=20"]).with(0);
        assert!(done.ends_with("chain sc: complete\n"), "{done}");
        let shown = service_chain("show", &document(), &[]).with(0);
        let built = shown.lines().filter(|line| line.ends_with(": built"));
        assert_eq!(built.count(), 4, "{shown}");

        scene.lab.request_log().reset();
        let roles = ServiceRoles::new(client(), "test");
        let states = roles.built(&instance("si1")).unwrap();
        assert!(states.len() == 1 && states[0].is_built(), "{states:?}");
        // Policies, templates, two networks, two services, and five lists of what hangs on those.
        assert_eq!(scene.lab.request_log().entries().len(), 11);
        scene.lab.request_log().reset();
        assert!(roles.built(&instance("si3")).unwrap().is_empty());
        assert_eq!(scene.lab.request_log().entries().len(), 1);
    });
}

#[test]
fn a_chain_that_the_controller_lost_is_not_complete_and_apply_brings_it_back() {
    sandbox::test(|| {
        let scene = Scene::new();
        service_chain("apply", &document(), &["--wait=20"]).with(0);
        scene.lab.settle();
        assert_eq!(scene.alp1.ttl(&scene.alp2), Some(61));
        let before = tuples("si2");

        tear_down("si1");
        scene.lab.settle();
        restart(&scene, 0, "si1");
        service_chain("apply", &document(), &["--no-wait"]).with(0);
        scene.lab.settle();
        let shown = service_chain("show", &document(), &[]).with(1);
        let leg = "leg default-domain:admin:si1 left (default-domain:admin:net1): not built";
        assert!(shown.contains(leg), "{shown}");
        assert!(shown.ends_with("chain sc: applied, not built\n"), "{shown}");
        let difference = service_chain("diff", &document(), &[]).with(1);
        assert!(difference.contains(leg), "{difference}");
        let json = service_chain("diff", &document(), &["--json"]).with(1);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            json["state"]["legs"][0]["lacks"][0]["lack"],
            "routing-instance"
        );
        let states = ServiceRoles::new(client(), "test").built(&instance("si1"));
        assert_eq!(states.unwrap()[0].progress(), Progress::Unbuilt);

        let ended = service_chain("apply", &document(), &["--wait=60"]);
        assert!(
            ended.err.contains("the controller has lost it"),
            "{}",
            ended.err
        );
        let done = ended.with(0);
        assert!(done.ends_with("chain sc: complete\n"), "{done}");
        scene.lab.settle();
        assert_eq!(scene.alp1.ttl(&scene.alp2), Some(61));
        let after = tuples("si2");
        assert_eq!(before[0].meta, after[0].meta);

        scene.lab.request_log().reset();
        let again = service_chain("apply", &document(), &["--wait=20"]).with(0);
        assert_eq!(again, "chain sc: nothing to change\nchain sc: complete\n");
        assert_eq!(scene.writes(), 0);
    });
}

#[test]
fn a_chain_that_cannot_come_up_ends_the_waiting_with_1_and_the_leg() {
    sandbox::test(|| {
        let _scene = Scene::new();
        let mut chain = document();
        chain["services"][1] = json!({"name": "si2"});
        let ended = service_chain("apply", &chain, &["--wait=1"]);
        let leg = "leg default-domain:admin:si2 left (default-domain:admin:net1): not built: no container has joined";
        assert!(
            ended.err.contains("waiting for the controller"),
            "{}",
            ended.err
        );
        let done = ended.with(1);
        assert!(done.contains(leg), "{done}");
        assert!(done.ends_with("chain sc: applied, not built\n"), "{done}");
        // The description is applied all the same.
        service_chain("diff", &chain, &[]).with(1);
        service_chain("delete", &chain, &[]).with(0);
    });
}
