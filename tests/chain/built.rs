//! What the controller has built of a chain: shown, waited for, lost and brought back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use contrail_core::FqName;
use contrail_core::api::{
    InstanceIp, ListQuery, PortTuple, Resource, ServiceInstance, VirtualMachineInterface,
};
use contrail_core::service_chain::{Progress, ServiceRoles};
use contrail_lab::sandbox;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::client;
use serde_json::{Value, json};

use crate::command::{command, document, service_chain};
use crate::{DOCUMENT, Member, Scene, attach};

pub fn instance(name: &str) -> FqName {
    FqName::new(["default-domain", "admin", name])
}

/// The port tuples of a service with its ports.
pub fn tuples(service: &str) -> Vec<PortTuple> {
    let found = client().lookup::<ServiceInstance>(&instance(service));
    let query = ListQuery::children_of_id(found.unwrap().unwrap().uuid().unwrap());
    let query = query
        .detail()
        .fields(&["virtual_machine_interface_back_refs"]);
    client().list(&query).unwrap()
}

/// Starts `apply` and ends it as somebody at a terminal would, as soon as it begins to repair the chain.
fn interrupted() -> ExitStatus {
    let mut running = command("apply", &document(), &["--wait=60"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(running.stderr.take().unwrap());
    let mut lines = said.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("leave and join again")));
    let process = Pid::from_raw(running.id().try_into().unwrap());
    kill(process, Signal::SIGINT).unwrap();
    running.wait().unwrap()
}

/// Deletes the interfaces of a member while they are in their port tuple, and that last: so a crashed
/// program may leave them, and the controller never recovers from it.
fn tear_down(service: &str, container: &str) {
    let is_its = |tuple: &PortTuple| tuple.meta.display_name.as_deref() == Some(container);
    let tuples: Vec<PortTuple> = tuples(service).into_iter().filter(is_its).collect();
    assert_eq!(tuples.len(), 1);
    for tuple in tuples {
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

/// Restarts a container whose interfaces were torn down, under another id or the same.
fn restart(member: &Member, names: [&str; 2], document: &Value) {
    let path = member.netns.path().display().to_string();
    for (command, name) in ["DEL", "ADD"].into_iter().zip(names) {
        Call::new(command, name, &path, document).run().ok();
    }
}

/// The networks of the document, with the part in the service `fw` that each interface plays.
pub fn with_roles() -> Value {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    for (index, leg) in ["left", "right"].into_iter().enumerate() {
        let role = json!({"instance": "fw", "interface": leg, "forwarding": true});
        document["networks"][index]["service"] = role;
    }
    document
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

        tear_down("si1", "si1");
        scene.lab.settle();
        let document_of_si1 = serde_json::from_str(DOCUMENT).unwrap();
        restart(&scene.services[0], ["si1"; 2], &document_of_si1);
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
            ended.err.contains("the controller has lost the chain"),
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
fn an_interrupt_waits_until_all_members_have_joined_again() {
    sandbox::test(|| {
        let scene = Scene::new();
        service_chain("apply", &document(), &["--wait=20"]).with(0);
        tear_down("si1", "si1");
        scene.lab.settle();
        let document_of_si1 = serde_json::from_str(DOCUMENT).unwrap();
        restart(&scene.services[0], ["si1"; 2], &document_of_si1);
        assert_eq!(interrupted().signal(), Some(Signal::SIGINT as i32));
        for service in ["si1", "si2"] {
            let joined = &tuples(service)[0].virtual_machine_interface_back_refs;
            assert_eq!(joined.len(), 2, "{service}");
        }
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

#[test]
fn members_by_their_own_role_need_no_entry_and_keep_their_objects_when_a_chain_is_rebuilt() {
    sandbox::test(|| {
        let scene = Scene::new();
        let roles = with_roles();
        let member = attach("own", &roles);
        // One that goes on, so that the service instance stays.
        let _other = attach("other", &roles);
        let services = json!([{"name": "fw"}]);
        let chain = json!({"name": "sc", "left": "net1", "right": "net2", "services": services});
        service_chain("apply", &chain, &["--wait=20"]).with(0);
        scene.lab.settle();
        assert_eq!(scene.alp1.ttl(&scene.alp2), Some(62));
        let shown = service_chain("show", &chain, &[]).with(0);
        assert!(shown.contains("own"), "{shown}");
        assert!(shown.contains("joined by its own role"), "{shown}");

        tear_down("fw", "own");
        scene.lab.settle();
        restart(&member, ["own", "own2"], &roles);
        scene.lab.settle();
        service_chain("show", &chain, &[]).with(1);
        let objects = || {
            let instance = client().lookup::<ServiceInstance>(&instance("fw"));
            let instance = instance.unwrap().unwrap();
            let tuples: BTreeMap<_, _> = tuples("fw")
                .into_iter()
                .map(|tuple| {
                    let ports = tuple.virtual_machine_interface_back_refs.iter();
                    let ports: BTreeSet<_> = ports.filter_map(|port| port.uuid).collect();
                    (tuple.uuid(), (tuple.meta, ports))
                })
                .collect();
            (instance.meta, instance.properties, tuples)
        };
        let before = objects();

        let ended = service_chain("apply", &chain, &["--wait=60"]);
        assert!(ended.err.contains("are recreated"), "{}", ended.err);
        ended.with(0);
        scene.lab.settle();
        assert_eq!(scene.alp1.ttl(&scene.alp2), Some(62));
        assert_eq!(objects(), before);
        scene.lab.request_log().reset();
        service_chain("apply", &chain, &["--wait=20"]).with(0);
        assert_eq!(scene.writes(), 0);

        service_chain("delete", &chain, &[]).with(0);
        assert_eq!(objects(), before);
    });
}

#[test]
fn a_chain_whose_member_has_left_is_not_built_and_show_names_the_legs() {
    sandbox::test(|| {
        let scene = Scene::new();
        service_chain("apply", &document(), &["--wait=20"]).with(0);
        let document_of_si1: Value = serde_json::from_str(DOCUMENT).unwrap();
        let path = scene.services[0].netns.path().display().to_string();
        for command in ["DEL", "ADD"] {
            let call = Call::new(command, "si1", &path, &document_of_si1);
            call.run().ok();
            scene.lab.settle();
            let shown = service_chain("show", &document(), &[]).with(1);
            let difference = service_chain("diff", &document(), &[]).with(1);
            for side in [
                "left (default-domain:admin:net1)",
                "right (default-domain:admin:net2)",
            ] {
                let lack = "not built: no container has joined the service on this side";
                let leg = format!("leg default-domain:admin:si1 {side}: {lack}");
                assert!(shown.contains(&leg), "{command}: {shown}");
                assert!(difference.contains(&leg), "{command}: {difference}");
            }
            let verdict = "chain sc: not as it is described, and not built\n";
            assert!(shown.ends_with(verdict), "{command}: {shown}");
        }
        service_chain("apply", &document(), &["--wait=20"]).with(0);
        service_chain("show", &document(), &[]).with(0);
    });
}
