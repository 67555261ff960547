//! Somebody deletes a service instance under its port tuples and makes it again: the members' port
//! tuples are orphans, which is shown, mended, and leaves nothing behind.

use contrail_core::api::{PortTuple, ServiceInstance};
use contrail_lab::sandbox;
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{client, everything};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::built::{instance, tuples, with_roles};
use crate::command::{document, service_chain};
use crate::{DOCUMENT, Member, Scene, attach};

/// Makes a service instance again, as it was, under its port tuples, of which one is returned.
fn replace(service: &str) -> PortTuple {
    let mut found = tuples(service);
    let tuple = found.pop().unwrap();
    let old = client().lookup::<ServiceInstance>(&instance(service));
    let old = old.unwrap().unwrap();
    let mut new = ServiceInstance::new(
        old.meta.fq_name.clone(),
        old.service_template_refs[0].clone(),
        old.properties.clone(),
    );
    new.meta = old.meta.clone();
    client()
        .delete::<ServiceInstance>(old.meta.uuid.unwrap())
        .unwrap();
    client().create(&new).unwrap();
    assert!(tuples(service).is_empty());
    tuple
}

fn detach(member: &Member, name: &str, document: &Value) {
    let path = member.netns.path().display().to_string();
    Call::new("DEL", name, &path, document).run().ok();
}

fn port_tuple(id: Option<Uuid>) -> Option<PortTuple> {
    client().get_opt::<PortTuple>(id.unwrap()).unwrap()
}

#[test]
fn an_orphaned_port_tuple_is_shown_and_made_again_as_it_was() {
    sandbox::test(|| {
        let scene = Scene::new();
        service_chain("apply", &document(), &["--wait=20"]).with(0);
        let old = replace("si1");
        scene.lab.settle();
        assert_eq!(scene.alp1.ttl(&scene.alp2), None);
        let shown = service_chain("show", &document(), &[]).with(1);
        let name = &old.meta.fq_name;
        for side in [
            "left (default-domain:admin:net1)",
            "right (default-domain:admin:net2)",
        ] {
            let leg = format!(
                "leg default-domain:admin:si1 {side}: not built: port tuple {name} belongs to an earlier \
                 service instance of this name"
            );
            assert!(shown.contains(&leg), "{shown}");
        }

        service_chain("apply", &document(), &["--wait=60"]).with(0);
        scene.lab.settle();
        assert_eq!(scene.alp1.ttl(&scene.alp2), Some(61));
        let again = tuples("si1").pop().unwrap();
        assert_eq!(again.meta, old.meta);
        assert_eq!(again.virtual_machine_interface_back_refs.len(), 2);
        scene.lab.request_log().reset();
        service_chain("apply", &document(), &["--wait=20"]).with(0);
        assert_eq!(scene.writes(), 0);
    });
}

#[test]
fn an_orphan_that_nobody_here_made_is_shown_and_left_alone() {
    sandbox::test(|| {
        let scene = Scene::new();
        service_chain("apply", &document(), &["--wait=20"]).with(0);
        let old = replace("si1");
        let id = old.meta.uuid.unwrap();
        for key in old.meta.annotations.0.keys() {
            client().annotate::<PortTuple>(id, key, None).unwrap();
        }
        scene.lab.settle();
        scene.lab.request_log().reset();
        let ended = service_chain("apply", &document(), &["--wait=20"]);
        assert!(ended.err.contains("did not make"), "{}", ended.err);
        let left = ended.with(1);
        assert!(
            left.contains("belongs to an earlier service instance"),
            "{left}"
        );
        assert_eq!(scene.writes(), 0);
    });
}

#[test]
fn a_chain_with_an_orphan_is_deleted_whole() {
    sandbox::test(|| {
        let scene = Scene::new();
        let namespaces: Vec<_> = scene.services.iter().map(|s| s.netns.netns()).collect();
        let before = everything(&scene.lab, &namespaces);
        service_chain("apply", &document(), &["--wait=20"]).with(0);
        let old = replace("si1");
        service_chain("delete", &document(), &[]).with(0);
        scene.lab.settle();
        assert_eq!(port_tuple(old.meta.uuid), None);
        assert_eq!(everything(&scene.lab, &namespaces), before);
    });
}

#[test]
fn a_member_that_leaves_takes_its_orphan_along() {
    sandbox::test(|| {
        let scene = Scene::new();
        let roles = with_roles();
        let namespaces: Vec<_> = scene.services.iter().map(|s| s.netns.netns()).collect();
        let before = everything(&scene.lab, &namespaces);
        service_chain("apply", &document(), &["--wait=20"]).with(0);
        let of_file = replace("si1");
        let own = attach("own", &roles);
        let of_role = replace("fw");

        let document_of_si1 = serde_json::from_str(DOCUMENT).unwrap();
        detach(&scene.services[0], "si1", &document_of_si1);
        assert_eq!(port_tuple(of_file.meta.uuid), None);
        detach(&own, "own", &roles);
        assert_eq!(port_tuple(of_role.meta.uuid), None);
        drop(before);
    });
}
