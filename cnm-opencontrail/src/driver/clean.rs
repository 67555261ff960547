//! `cnm-opencontrail clean`: what containers and networks have left behind, for the operator.
//!
//! It may run while the plugin does, in another process. So it removes only deferred removals and orphans, each
//! under the lock of its interface.

use std::collections::BTreeSet;
use std::time::Duration;

use contrail_core::attach::{Cleaned, Fate, Waiting};
use contrail_core::ownership::Holder;
use contrail_core::{Deadline, FqName};

use super::network_driver::NetworkDriver;
use crate::error::Result;
use crate::proto::EndpointId;

impl NetworkDriver {
    /// Completes deferred removals of endpoints, looks for orphans of this host in the projects of its
    /// networks, and removes those that were first seen at least `grace` ago; none if it is unset.
    ///
    /// # Errors
    /// If the state directory cannot be used. Other failures are in the report, and in
    /// [`Cleaned::outcome`].
    pub fn clean(&self, grace: Option<Duration>, end: Deadline) -> Result<Cleaned> {
        let networks = self.store.networks()?;
        let projects = networks.iter().filter_map(|(_, entry)| entry.project());
        let mut projects: BTreeSet<FqName> = projects.collect();
        projects.insert(self.project.clone());
        let projects: Vec<FqName> = projects.into_iter().collect();
        let mut cleaned = self.attacher.clean(&projects, grace, end)?;
        let found = cleaned.projects.iter().flat_map(|(_, found)| found);
        for (orphan, fate) in found.flatten() {
            if !matches!(fate, Fate::Removed) {
                continue;
            }
            if let Holder::Endpoint { id } = &orphan.holder
                && let Ok(id) = EndpointId::try_from(id.clone())
            {
                self.store.remove_endpoint(&id)?;
            }
        }
        let labels = self.incomplete_labels()?.into_iter();
        let waiting = labels.map(|what| {
            Waiting::FrontEnd(format!(
                "{what}: the plugin is still creating or removing it"
            ))
        });
        cleaned.waiting.extend(waiting);
        Ok(cleaned)
    }
}
