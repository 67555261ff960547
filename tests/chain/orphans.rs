//! Somebody deletes a service instance under its port tuples and makes it again: the members' port
//! tuples are orphans, which is shown, mended, and leaves nothing behind.

use contrail_core::api::{ListQuery, PortTuple, ServiceInstance, VirtualMachineInterface};
use contrail_core::service_chain::{Mode, RolePort, ServiceRole, ServiceRoles};
use contrail_lab::sandbox;
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{client, everything};
use serde_json::json;
use uuid::Uuid;

use crate::built::{instance, tuples, with_roles};
use crate::command::{document, service_chain};
use crate::{DOCUMENT, Scene, attach};

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

fn id_of(service: &str) -> Uuid {
    let found = client().id_of::<ServiceInstance>(&instance(service));
    found.unwrap().unwrap()
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
fn an_orphan_is_noted_while_another_member_keeps_the_chain_up() {
    sandbox::test(|| {
        let _scene = Scene::new();
        let chain = json!({"name": "c", "left": "net1", "right": "net2",
            "services": [{"name": "fw"}]});
        let roles = with_roles();
        let _old = attach("old", &roles);
        service_chain("apply", &chain, &["--wait=20"]).with(0);
        let old = replace("fw");
        let _new = attach("new", &roles);
        service_chain("apply", &chain, &["--wait=20"]).with(0);
        let shown = service_chain("show", &chain, &[]).with(0);
        let note = format!(
            "port-tuple {} belongs to an earlier service instance",
            old.meta.fq_name
        );
        assert!(shown.contains(&note), "{shown}");
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
        assert!(ended.err.contains("did not create"), "{}", ended.err);
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
        let before = everything(&scene.lab, &[]);
        let of_file = json!({"name": "c", "left": "net1", "right": "net2",
            "services": [{"name": "fw", "members": ["member"]}]});
        let plain = serde_json::from_str(DOCUMENT).unwrap();
        for (document, chain) in [(plain, Some(of_file)), (with_roles(), None)] {
            let member = attach("member", &document);
            if let Some(chain) = &chain {
                service_chain("apply", chain, &["--wait=20"]).with(0);
            }
            let old = replace("fw");
            scene.lab.settle();
            let path = member.netns.path().display().to_string();
            Call::new("DEL", "member", &path, &document).run().ok();
            assert_eq!(port_tuple(old.meta.uuid), None);
            if let Some(chain) = &chain {
                service_chain("delete", chain, &[]).with(0);
            }
            scene.lab.settle();
            assert_eq!(everything(&scene.lab, &[]), before, "{chain:?}");
        }
    });
}

#[test]
fn a_member_by_its_own_role_is_kept_a_member_when_its_service_instance_was_deleted() {
    sandbox::test(|| {
        let _scene = Scene::new();
        let _member = attach("own", &with_roles());
        let roles = ServiceRoles::new(client(), "test");
        let fw = instance("fw");
        for is_made_again in [true, false] {
            let old = tuples("fw").pop().unwrap();
            match is_made_again {
                true => drop(replace("fw")),
                false => drop(client().delete::<ServiceInstance>(id_of("fw")).unwrap()),
            }
            let ports: Vec<VirtualMachineInterface> = client()
                .list(&ListQuery::referring_to(old.meta.uuid.unwrap()).detail())
                .unwrap();
            let keep = |port: &VirtualMachineInterface| {
                let leg = port.properties.as_ref().unwrap();
                let leg = leg.service_interface_type.as_deref().unwrap();
                let role = ServiceRole {
                    instance: fw.clone(),
                    interface: leg.parse().unwrap(),
                    mode: Mode::InNetwork,
                };
                let port = RolePort {
                    interface: port.meta.uuid.unwrap(),
                    machine: port.virtual_machine_refs[0].uuid.unwrap(),
                    label: "own".into(),
                };
                let children = roles.children_of(&fw).unwrap();
                roles.keep(&role, &port, &children).unwrap()
            };
            assert_eq!(ports.iter().map(keep).collect::<Vec<_>>(), [true, true]);
            let again = tuples("fw").pop().unwrap();
            assert_eq!(again.meta.uuid, old.meta.uuid);
            assert_eq!(again.virtual_machine_interface_back_refs.len(), 2);
            assert_eq!(ports.iter().map(keep).collect::<Vec<_>>(), [false, false]);
        }
    });
}
