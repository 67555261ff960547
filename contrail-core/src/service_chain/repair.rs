//! Bringing back a chain that the controller has lost although it has all that it needs for it: pure.
//!
//! Two ways are known to work. One keeps every object; the other takes the chain down and creates it
//! again with the same names, ids and annotations. Of VM interfaces, only the membership is ever
//! changed.

use std::collections::BTreeSet;

use super::change::{Change, Object, Target};
use super::identified::Identified;
use super::membership::tuple::{leave, ports};
use super::snapshot::{FoundInstance, Snapshot};
use crate::api::Resource;
use crate::api::objects::{NetworkPolicy, PortTuple, VirtualNetwork};
use crate::ownership::chains;
use crate::values::FqName;

/// A way to bring back a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The members leave their port tuples and join them again. A port tuple of an earlier service
    /// instance is created again between the two.
    Rejoin,
    /// The policy, the port tuples and the service instances are removed and created again.
    Rebuild,
}

impl Repair {
    /// All of them, the gentler one first.
    pub(super) const ALL: [Repair; 2] = [Repair::Rejoin, Repair::Rebuild];

    /// The changes for some services of a chain, in two stages: the controller must have noticed the
    /// first before the second begins. None when that would remove what this project did not create.
    pub(super) fn stages(
        self,
        snapshot: &Snapshot,
        services: &BTreeSet<FqName>,
    ) -> Option<[Vec<Change>; 2]> {
        let of_services = snapshot.instances.iter();
        let of_services = of_services.filter(|(name, _)| services.contains(*name));
        let instances: Vec<&FoundInstance> = of_services.map(|(_, found)| found).collect();
        match self {
            Repair::Rejoin => rejoin(snapshot, &instances),
            Repair::Rebuild => rebuild(snapshot, &instances),
        }
    }
}

fn rejoin(snapshot: &Snapshot, instances: &[&FoundInstance]) -> Option<[Vec<Change>; 2]> {
    let orphans = || instances.iter().flat_map(|found| found.orphans());
    if !orphans().all(|tuple| chains::is_by_chain_or_attachment(&tuple.meta)) {
        return None;
    }
    let left = leaves(snapshot, instances);
    let orphans: Vec<Change> = orphans().map(deletion).collect();
    let again = [&orphans, &left].into_iter().flatten();
    let again = again.map(Change::inverse).collect();
    Some([[left, orphans].concat(), again])
}

fn rebuild(snapshot: &Snapshot, instances: &[&FoundInstance]) -> Option<[Vec<Change>; 2]> {
    let policy = snapshot.policy.as_ref()?;
    let tuples = || instances.iter().flat_map(|found| &found.tuples);
    let is_made_here = chains::is_by_chain(&policy.meta)
        && instances
            .iter()
            .all(|found| chains::is_by_chain_or_attachment(&found.object.meta))
        && tuples().all(|tuple| chains::is_by_chain_or_attachment(&tuple.meta));
    let is_shared = |found: &&FoundInstance| {
        let mut others = snapshot.others_through(found.object.fq_name());
        others.next().is_some()
    };
    // Another chain through the same service may be built.
    if !is_made_here || instances.iter().any(is_shared) {
        return None;
    }
    let detached = detached(policy);
    let policy = vec![Change::Delete(Object::Policy(policy.clone()))];
    let left = leaves(snapshot, instances);
    let tuples: Vec<Change> = tuples().map(deletion).collect();
    let instances = instances.iter().map(|found| found.object.clone());
    let instances: Vec<Change> = instances
        .map(|i| Change::Delete(Object::Instance(i)))
        .collect();
    // A chain begins to work when its policy is attached, last of all.
    let again = [&instances, &tuples, &left, &policy, &detached];
    let again = again.into_iter().flatten().map(Change::inverse).collect();
    let down = [detached, policy, left, tuples, instances].concat();
    Some([down, again])
}

fn deletion(tuple: &Identified<PortTuple>) -> Change {
    Change::Delete(Object::Tuple(tuple.clone()))
}

fn leaves(snapshot: &Snapshot, instances: &[&FoundInstance]) -> Vec<Change> {
    let tuples = instances.iter().flat_map(|found| &found.tuples);
    let leaves = tuples.flat_map(|tuple| {
        let known = |port: &Target| snapshot.interfaces.contains_key(&port.uuid);
        ports(tuple)
            .filter(known)
            .map(|port| leave(port, tuple))
            .collect::<Vec<_>>()
    });
    leaves.collect()
}

fn detached(policy: &Identified<NetworkPolicy>) -> Vec<Change> {
    let links = policy.virtual_network_back_refs.iter();
    let detached = links.filter_map(|link| {
        Some(Change::Detach {
            network: Target::referred::<VirtualNetwork, _>(link)?,
            policy: Target::of(policy),
            before: link.attr.clone().unwrap_or_default(),
        })
    });
    detached.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn object<R: Resource>(name: &[&str], uuid: Uuid, owner: &str, more: Value) -> Identified<R> {
        let pairs = [
            ("container-plugin.owner", owner),
            ("container-plugin.chain", "c"),
        ];
        let pairs = pairs.map(|(key, value)| json!({"key": key, "value": value}));
        let mut object = more;
        object["fq_name"] = json!(name);
        object["uuid"] = json!(uuid);
        object["annotations"] = json!({"key_value_pair": pairs});
        Identified::of(serde_json::from_value(object).unwrap()).unwrap()
    }

    /// A chain of one service with a member of two ports.
    fn snapshot(owner: &str) -> Snapshot {
        let port = |number: u128| json!({"to": ["d", "p", number.to_string()], "uuid": id(number)});
        let tuple = json!({"virtual_machine_interface_back_refs": [port(1), port(2)]});
        let link = |name: &str, number: u128| json!({"to": ["d", "p", name], "uuid": id(number), "attr": {"sequence": {"major": 3, "minor": 0}}});
        let policy = json!({"virtual_network_back_refs": [link("net1", 5), link("net2", 6)]});
        let service = FqName::new(["d", "p", "fw"]);
        let found = FoundInstance {
            object: object(
                &["d", "p", "fw"],
                id(7),
                owner,
                json!({"instance_ip_refs": [{"to": ["x"], "uuid": id(9)}]}),
            ),
            tuples: vec![object(&["d", "p", "fw", "m"], id(8), owner, tuple)],
            orphans: BTreeSet::new(),
        };
        let port = |number: u128| {
            let name = number.to_string();
            (
                id(number),
                object(&["d", "p", &name], id(number), "x", json!({})),
            )
        };
        Snapshot {
            interfaces: [port(1), port(2)].into(),
            policy: Some(object(&["d", "p", "c"], id(4), owner, policy)),
            instances: [(service, found)].into(),
            ..Snapshot::default()
        }
    }

    fn stages(repair: Repair, snapshot: &Snapshot) -> Option<[Vec<String>; 2]> {
        let services = [FqName::new(["d", "p", "fw"])].into();
        let stages = repair.stages(snapshot, &services)?;
        Some(stages.map(|stage| stage.iter().map(Change::to_string).collect()))
    }

    const LEAVE: [&str; 2] = [
        "leave virtual-machine-interface d:p:1 from port tuple d:p:fw:m",
        "leave virtual-machine-interface d:p:2 from port tuple d:p:fw:m",
    ];
    const JOIN: [&str; 2] = [
        "join virtual-machine-interface d:p:1 to port tuple d:p:fw:m",
        "join virtual-machine-interface d:p:2 to port tuple d:p:fw:m",
    ];

    #[test]
    fn members_that_rejoin_leave_all_at_once_and_nothing_else_is_touched() {
        let [down, again] = stages(Repair::Rejoin, &snapshot("service-chain")).unwrap();
        assert_eq!(
            (down, again),
            (
                LEAVE.map(str::to_owned).into(),
                JOIN.map(str::to_owned).into()
            )
        );
    }

    /// A chain as [`snapshot`], whose service instance was created again under its port tuple.
    fn orphaned(owner: &str) -> Snapshot {
        let mut snapshot = snapshot(owner);
        for found in snapshot.instances.values_mut() {
            found.orphans.insert(found.tuples[0].id());
        }
        snapshot
    }

    #[test]
    fn an_orphan_is_created_again_while_its_members_are_out() {
        let [down, again] = stages(Repair::Rejoin, &orphaned("service-chain")).unwrap();
        let [first, second] = LEAVE;
        assert_eq!(down, [first, second, "delete port-tuple d:p:fw:m"]);
        let [first, second] = JOIN;
        assert_eq!(again, ["create port-tuple d:p:fw:m", first, second]);
    }

    #[test]
    fn an_orphan_that_others_made_stays_with_its_members() {
        for repair in Repair::ALL {
            assert!(
                stages(repair, &orphaned("somebody")).is_none(),
                "{repair:?}"
            );
        }
    }

    #[test]
    fn a_chain_is_rebuilt_in_the_order_that_was_measured() {
        let [down, again] = stages(Repair::Rebuild, &snapshot("service-chain")).unwrap();
        let [first, second] = LEAVE;
        assert_eq!(
            down,
            [
                "detach network-policy d:p:c from d:p:net1",
                "detach network-policy d:p:c from d:p:net2",
                "delete network-policy d:p:c",
                first,
                second,
                "delete port-tuple d:p:fw:m",
                "delete service-instance d:p:fw",
            ]
        );
        let [first, second] = JOIN;
        assert_eq!(
            again,
            [
                "create service-instance d:p:fw",
                "create port-tuple d:p:fw:m",
                first,
                second,
                "create network-policy d:p:c",
                "attach network-policy d:p:c to d:p:net1 with sequence 3.0",
                "attach network-policy d:p:c to d:p:net2 with sequence 3.0",
            ]
        );
    }

    #[test]
    fn an_object_created_again_has_its_id_and_marks_but_no_address_of_the_controller() {
        let snapshot = snapshot("service-chain");
        let services = [FqName::new(["d", "p", "fw"])].into();
        let [_, again] = Repair::Rebuild.stages(&snapshot, &services).unwrap();
        let Some(Change::Create(Object::Instance(made))) = again.first() else {
            panic!("{again:?}");
        };
        let old = &snapshot.instances.values().next().unwrap().object;
        assert_eq!(made.meta, old.meta);
        assert!(!made.rest.contains_key("instance_ip_refs"));
    }

    #[test]
    fn a_service_of_another_chain_is_not_created_again() {
        let mut snapshot = snapshot("service-chain");
        let rule = json!({"action_list": {"apply_service": ["d:p:fw"]}});
        let rules = json!({"network_policy_entries": {"policy_rule": [rule]}});
        let other = object(&["d", "p", "other"], id(10), "service-chain", rules);
        snapshot.others.insert(id(10), NetworkPolicy::clone(&other));
        assert!(stages(Repair::Rebuild, &snapshot).is_none());
        assert!(stages(Repair::Rejoin, &snapshot).is_some());
    }

    #[test]
    fn what_others_made_is_not_removed() {
        let theirs = snapshot("somebody");
        assert!(stages(Repair::Rebuild, &theirs).is_none());
        assert!(stages(Repair::Rejoin, &theirs).is_some());
    }
}
