//! The members of a service that joined by their own configuration: a chain uses them as they are.

use super::plan::{Planner, State};
use super::snapshot::FoundInstance;
use crate::api::Resource;
use crate::api::objects::PortTuple;
use crate::ownership::chains as mark;
use crate::ownership::mark::NODE;

impl<'a> Planner<'a> {
    /// Shows those that the description does not name.
    pub(super) fn joined_by_themselves(&mut self, instance: Option<&'a FoundInstance>) {
        for tuple in instance.into_iter().flat_map(|found| &found.tuples) {
            let is_named = tuple
                .uuid()
                .is_some_and(|id| self.kept_tuples.contains(&id));
            if mark::is_of_attachment(&tuple.meta) && !is_named {
                let (kind, name) = (PortTuple::TYPE, tuple.fq_name());
                self.show(kind, name, State::Present, false, self.described(tuple));
            }
        }
    }

    /// The container and its host, as its ports tell them.
    fn described(&self, tuple: &PortTuple) -> String {
        let refs = tuple.virtual_machine_interface_back_refs.iter();
        let mut ports = refs.filter_map(|port| self.snapshot.interfaces.get(&port.uuid?));
        let host = ports.find_map(|port| port.meta.annotations.get(NODE));
        let host = host.map_or(String::new(), |host| format!(" on {host}"));
        let label = tuple.meta.display_name.as_deref().unwrap_or_default();
        format!("{label}{host}, joined by its own role")
    }
}
