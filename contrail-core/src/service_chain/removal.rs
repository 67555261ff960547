//! Planning what to remove: from a chain that is deleted, or whose description has changed.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::change::{Change, Object, Target};
use super::identified::Identified;
use super::membership::fate::{Fate, Reason, fate, template_goes};
use super::membership::tuple::{Dissolution, dissolution, leave, ports};
use super::plan::{Planner, State};
use super::snapshot::FoundInstance;
use crate::api::Resource;
use crate::api::objects::{PortTuple, ServiceInstance, ServiceTemplate, VirtualMachineInterface};
use crate::ownership::chains;
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
                let own = own.filter(|tuple| chains::is_of(&tuple.meta, &chain.name));
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
        let (own, others): (Vec<_>, Vec<_>) = found
            .tuples
            .iter()
            .partition(|tuple| chains::is_by_chain(&tuple.meta));
        let users = self.snapshot.others_through(name);
        let fate = fate(&found.object.meta, others.len(), users);
        if !matches!(fate, Fate::Stays(Reason::Users(_))) {
            own.into_iter().for_each(|tuple| self.drop_tuple(tuple));
        }
        let text = match fate {
            Fate::Goes => {
                self.show(kind, name, State::Unneeded, true, "");
                self.let_go.insert(name.clone());
                let object = Object::Instance(found.object.clone());
                self.steps.drop_instances.push(Change::Delete(object));
                return;
            }
            Fate::Stays(Reason::Users(users)) => {
                let users: Vec<String> = users.iter().map(FqName::to_string).collect();
                format!("kept: network policy {} uses it", users.join(", "))
            }
            Fate::Stays(Reason::Tuples) => {
                "kept: it has port tuples that no chain created".to_owned()
            }
            Fate::Stays(Reason::Foreign) => "kept: no chain created it".to_owned(),
        };
        let ours = chains::is_by_chain(&found.object.meta);
        self.show(kind, name, State::Present, ours, text);
    }

    fn drop_tuple(&mut self, tuple: &Identified<PortTuple>) {
        let kind = PortTuple::TYPE;
        let label = tuple.meta.display_name.clone().unwrap_or_default();
        self.show(kind, tuple.fq_name(), State::Unneeded, true, label);
        let ids: BTreeSet<Uuid> = ports(tuple).map(|port| port.uuid).collect();
        let known = ids.iter().filter_map(|id| self.snapshot.interfaces.get(id));
        // One that goes to another tuple of the chain has left already, and has its new role.
        let staying: Vec<&Identified<VirtualMachineInterface>> = known
            .filter(|port| !self.steps.moves.contains(&leave(Target::of(port), tuple)))
            .collect();
        let leaving = staying.iter().map(|port| Target::of(port));
        let Dissolution {
            leaves,
            roles,
            delete,
        } = dissolution(tuple, leaving, staying.iter().copied());
        self.steps.leaves.extend(leaves);
        self.steps.clear_roles.extend(roles);
        self.steps.drop_tuples.push(delete);
    }

    /// Templates that chains or attachments created and that no service instance refers to any longer.
    pub(super) fn drop_templates(&mut self) {
        for (name, found) in &self.snapshot.templates {
            let in_use = found.users.difference(&self.let_go).next().is_some();
            let goes = template_goes(&found.object.meta);
            if goes && !in_use && !self.kept_templates.contains(name) {
                let kind = ServiceTemplate::TYPE;
                self.show(kind, name, State::Unneeded, true, "");
                let object = Object::Template(found.object.clone());
                self.steps.drop_templates.push(Change::Delete(object));
            }
        }
    }
}

#[cfg(test)]
#[path = "removal_test.rs"]
mod tests;
