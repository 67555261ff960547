//! Planning what to remove: from a chain that is deleted, or whose description has changed.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::change::{Change, Object, Target};
use super::identified::Identified;
use super::membership::tuple::{leave, ports, take_role};
use super::plan::{Planner, State};
use super::snapshot::FoundInstance;
use crate::api::Resource;
use crate::api::objects::{NetworkPolicy, PortTuple, ServiceInstance, ServiceTemplate};
use crate::ownership::chains as mark;
use crate::values::FqName;

impl Planner<'_> {
    /// What an earlier description of this chain made and this one does not need.
    pub(super) fn drop_unneeded(&mut self) {
        // While the chain has problems, it is not known what it needs.
        if !self.problems.is_empty() {
            return;
        }
        let chain = self.chain;
        for found in self.snapshot.instances.values() {
            let name = found.object.fq_name();
            if chain.services.iter().any(|service| service.name == *name) {
                let own = found.tuples.iter();
                let own = own.filter(|tuple| mark::is_of(&tuple.meta, &chain.name));
                for tuple in own {
                    if !self.kept_tuples.contains(&tuple.id()) {
                        self.drop_tuple(tuple);
                    }
                }
            }
        }
        self.drop_instances(|name| !chain.services.iter().any(|s| s.name == *name));
        self.drop_templates();
    }

    /// The chosen service instances that chains created. One that another policy sends packets
    /// through is kept.
    pub(super) fn drop_instances(&mut self, is_chosen: impl Fn(&FqName) -> bool) {
        for found in self.snapshot.instances.values() {
            if is_chosen(found.object.fq_name()) {
                self.drop_instance(found);
            }
        }
    }

    fn drop_instance(&mut self, found: &FoundInstance) {
        let kind = ServiceInstance::TYPE;
        let name = found.object.fq_name();
        let users: Vec<&NetworkPolicy> = self.snapshot.others_through(name).collect();
        let chains: Vec<String> = names(users.iter().filter(|p| mark::is_by_chain(&p.meta)));
        // The last member by its own role leaves the instance to the chain that it served.
        let is_left = mark::is_of_attachment(&found.object.meta) && found.tuples.is_empty();
        let ours = is_left || mark::is_by_chain(&found.object.meta);
        let users = names(users.iter());
        let keeps = match ours {
            true => &users,
            false => &chains,
        };
        if !keeps.is_empty() {
            let text = format!("kept: network policy {} uses it", keeps.join(", "));
            self.show(kind, name, State::Present, ours, text);
            return;
        }
        let (own, others): (Vec<_>, Vec<_>) = found
            .tuples
            .iter()
            .partition(|tuple| mark::is_by_chain(&tuple.meta));
        own.into_iter().for_each(|tuple| self.drop_tuple(tuple));
        // Deleting it would leave the others without a parent.
        if ours && others.is_empty() {
            self.show(kind, name, State::Unneeded, true, "");
            self.let_go.insert(name.clone());
            let object = Object::Instance(found.object.clone());
            self.steps.drop_instances.push(Change::Delete(object));
        } else {
            let text = match ours {
                true => "kept: it has port tuples that no chain created",
                false => "kept: no chain created it",
            };
            self.show(kind, name, State::Present, ours, text);
        }
    }

    fn drop_tuple(&mut self, tuple: &Identified<PortTuple>) {
        let kind = PortTuple::TYPE;
        let label = tuple.meta.display_name.clone().unwrap_or_default();
        self.show(kind, tuple.fq_name(), State::Unneeded, true, label);
        let ids: BTreeSet<Uuid> = ports(tuple).map(|port| port.uuid).collect();
        for id in ids {
            let Some(port) = self.snapshot.interfaces.get(&id) else {
                continue;
            };
            let leave = leave(Target::of(port), tuple);
            // One that goes to another tuple of the chain has left already, and has its new role.
            if self.steps.moves.contains(&leave) {
                continue;
            }
            self.steps.leaves.push(leave);
            self.steps.restore.extend(take_role(port, tuple));
        }
        let object = Object::Tuple(tuple.clone());
        self.steps.drop_tuples.push(Change::Delete(object));
    }

    /// Templates that chains or attachments created and that no service instance refers to any longer.
    pub(super) fn drop_templates(&mut self) {
        for (name, found) in &self.snapshot.templates {
            let in_use = found.users.difference(&self.let_go).next().is_some();
            let ours = mark::is_by_chain_or_attachment(&found.object.meta);
            if ours && !in_use && !self.kept_templates.contains(name) {
                let kind = ServiceTemplate::TYPE;
                self.show(kind, name, State::Unneeded, true, "");
                let object = Object::Template(found.object.clone());
                self.steps.drop_templates.push(Change::Delete(object));
            }
        }
    }
}

fn names<'a, 'b: 'a>(policies: impl Iterator<Item = &'a &'b NetworkPolicy>) -> Vec<String> {
    policies
        .map(|policy| policy.fq_name().to_string())
        .collect()
}
