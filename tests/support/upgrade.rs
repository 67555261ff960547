//! What an earlier release has left behind: files of state, and objects in the configuration API.

use std::fs;
use std::path::{Path, PathBuf};

use contrail_core::api::{
    Client, InstanceIp, PortTuple, Resource, ServiceInstance, ServiceTemplate, VirtualMachine,
    VirtualMachineInterface, VirtualNetwork,
};
use contrail_core::files;
use contrail_core::values::identity;
use serde_json::{Map, Value};

use crate::world::client;

/// Puts a situation of release 0.1.0 into the lab, and its state into a directory.
///
/// # Panics
/// When the fixture cannot be read or the lab refuses an object.
pub fn install(situation: &str, state_dir: &str) {
    let fixture = fixtures().join(situation);
    copy(&fixture.join("state"), Path::new(state_dir));
    copy(&fixture.join("tokens"), Path::new("/run/contrail/tokens"));
    let text = fs::read_to_string(fixture.join("objects.json")).expect("the fixture has objects");
    let objects = text.replace("\"MACHINE\"", &Value::from(machine()).to_string());
    let objects: Vec<Map<String, Value>> = serde_json::from_str(&objects).expect("objects");
    let client = client();
    for (kind, object) in objects.into_iter().flatten() {
        create(&client, &kind, object);
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/upgrade-0.1")
}

/// The id with which the plugins mark what they make on this machine.
fn machine() -> String {
    let text = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    identity::machine(&text).unwrap_or_default().to_string()
}

/// Copies private files, with the directories below.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).into_iter().flatten() {
        let path = entry.expect("a directory can be read").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
            continue;
        }
        let content = fs::read(&path).expect("a fixture can be read");
        files::write_private(&target, &content).expect("the sandbox can be written");
    }
}

fn create(client: &Client, kind: &str, object: Value) {
    fn of<R: Resource>(client: &Client, object: Value) {
        let object: R = serde_json::from_value(object).expect("an object of its type");
        let made = client.create(&object).expect("the lab takes the object");
        assert_eq!(Some(made), object.uuid(), "{}", object.fq_name());
    }
    match kind {
        VirtualNetwork::TYPE => of::<VirtualNetwork>(client, object),
        VirtualMachine::TYPE => of::<VirtualMachine>(client, object),
        VirtualMachineInterface::TYPE => of::<VirtualMachineInterface>(client, object),
        InstanceIp::TYPE => of::<InstanceIp>(client, object),
        ServiceTemplate::TYPE => of::<ServiceTemplate>(client, object),
        ServiceInstance::TYPE => of::<ServiceInstance>(client, object),
        PortTuple::TYPE => of::<PortTuple>(client, object),
        other => panic!("objects of type {other} are not in the fixtures"),
    }
}
