//! The members of a service that joined by their own configuration: a chain uses them as they are.

use super::plan::{Planner, State};
use super::snapshot::FoundInstance;
use crate::api::Resource;
use crate::api::objects::PortTuple;
use crate::ownership::chains;
use crate::ownership::mark::NODE;
use crate::ownership::names::with_host;

impl<'a> Planner<'a> {
    /// Shows those that the description does not name.
    pub(super) fn joined_by_themselves(&mut self, instance: Option<&'a FoundInstance>) {
        for tuple in instance.into_iter().flat_map(|found| &found.tuples) {
            let is_named = self.kept_tuples.contains(&tuple.id());
            if chains::is_of_attachment(&tuple.meta) && !is_named {
                let (kind, name) = (PortTuple::TYPE, tuple.fq_name());
                self.show(kind, name, State::Present, false, self.described(tuple));
            }
        }
    }

    /// The container and its host, as its ports name them.
    fn described(&self, tuple: &PortTuple) -> String {
        let refs = tuple.virtual_machine_interface_back_refs.iter();
        let mut ports = refs.filter_map(|port| self.snapshot.interfaces.get(&port.uuid?));
        let label = tuple.meta.display_name.as_deref().unwrap_or_default();
        let port = ports.find(|port| port.meta.annotations.get(NODE).is_some());
        let name = port.map_or(label.into(), |port| with_host(label, &port.meta));
        format!("{name}, joined by its own role")
    }
}
