//! What is planned to be removed, and in which order.

use serde_json::{Value, json};

use super::super::chain::{Chain, ChainService};
use super::super::plan::plan_removal;
use super::super::snapshot::{FoundTemplate, Snapshot};
use super::super::types::{Direction, Mode, Ports, Protocol};
use super::*;
use crate::api::KeyValuePairs;

fn name(last: &str) -> FqName {
    FqName::new(["d", "p", last])
}

fn chain() -> Chain {
    Chain {
        name: "c".into(),
        policy: name("c"),
        left: name("net1"),
        right: name("net2"),
        direction: Direction::default(),
        protocol: Protocol::default(),
        source_ports: Ports::default(),
        destination_ports: Ports::default(),
        sequence: None,
        services: vec![ChainService {
            name: name("fw"),
            mode: Mode::InNetwork,
            template: None,
            left: name("net1"),
            right: name("net2"),
            management: None,
            members: Vec::new(),
        }],
    }
}

fn object<R: Resource>(id: u128, name: &FqName, mark: KeyValuePairs, more: Value) -> Identified<R> {
    let mut object = more;
    object["fq_name"] = json!(name.parts());
    object["uuid"] = json!(Uuid::from_u128(id));
    let mut object: R = serde_json::from_value(object).unwrap();
    object.meta_mut().annotations = mark;
    Identified::of(object).unwrap()
}

/// A service instance of this maker with a port tuple of each of these makers.
fn snapshot(instance: KeyValuePairs, tuples: &[KeyValuePairs]) -> Snapshot {
    let port = json!({"to": ["d", "p", "port"], "uuid": Uuid::from_u128(1)});
    let tuple = |(index, mark): (usize, &KeyValuePairs)| {
        let more = json!({"virtual_machine_interface_back_refs": [port]});
        object(
            10 + index as u128,
            &name("fw").child("t"),
            mark.clone(),
            more,
        )
    };
    let role = json!({"virtual_machine_interface_properties": {"service_interface_type": "left"}});
    let template = object(3, &name("t"), chains::of_attachment("cni"), json!({}));
    let instance = FoundInstance {
        object: object(2, &name("fw"), instance, json!({})),
        tuples: tuples.iter().enumerate().map(tuple).collect(),
        orphans: BTreeSet::new(),
    };
    let interface: Identified<VirtualMachineInterface> =
        object(1, &name("port"), KeyValuePairs::default(), role);
    let users = BTreeSet::from([name("fw")]);
    let template = FoundTemplate {
        object: template,
        users,
    };
    Snapshot {
        interfaces: [(interface.id(), interface)].into(),
        instances: [(name("fw"), instance)].into(),
        templates: [(name("t"), template)].into(),
        ..Snapshot::default()
    }
}

fn changes(snapshot: &Snapshot) -> Vec<String> {
    let plan = plan_removal(&chain(), snapshot);
    let words = |change: &Change| {
        let text = change.to_string();
        let words: Vec<&str> = text.split(' ').take(2).collect();
        words.join(" ")
    };
    plan.changes.iter().map(words).collect()
}

#[test]
fn an_instance_goes_with_the_tuples_of_the_chain_whoever_made_it() {
    let by_chain = || chains::of_chain("c");
    let by_attachment = || chains::of_attachment("cni");
    let tuple = [
        "leave virtual-machine-interface",
        "change virtual-machine-interface",
        "delete port-tuple",
    ];
    let whole = ["delete service-instance", "delete service-template"];
    for (instance, tuples, is_tuple_dropped, goes) in [
        (by_chain(), vec![by_chain()], true, true),
        (by_attachment(), vec![by_chain()], true, true),
        (by_attachment(), vec![], false, true),
        (by_attachment(), vec![by_attachment()], false, false),
        (
            by_attachment(),
            vec![by_attachment(), by_chain()],
            true,
            false,
        ),
        (by_chain(), vec![by_attachment()], false, false),
        (KeyValuePairs::default(), vec![by_chain()], true, false),
        (KeyValuePairs::default(), vec![], false, false),
    ] {
        let case = format!("{instance:?}, {tuples:?}");
        let mut expected: Vec<&str> = Vec::new();
        if is_tuple_dropped {
            expected.extend(tuple);
        }
        if goes {
            expected.extend(whole);
        }
        assert_eq!(changes(&snapshot(instance, &tuples)), expected, "{case}");
    }
}
