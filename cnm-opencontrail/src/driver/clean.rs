//! `cnm-opencontrail clean`: what containers and networks have left behind, for the operator.
//!
//! It runs beside the plugin, so it takes nothing away but what no plugin can be at work on: entries of the
//! queue and orphans, each under its interface's lock.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use contrail_core::attach::{Cleaned, Fate};
use contrail_core::ownership::Holder;
use contrail_core::{Deadline, FqName};

use super::NetworkDriver;
use crate::error::Result;
use crate::proto::EndpointId;

/// What was found and done. Its text is the report.
#[derive(Debug)]
pub struct CleanUp {
    cleaned: Cleaned,
    /// Networks that Docker has deleted and that are still to be removed, or that are just being made.
    waiting: Vec<FqName>,
}

impl fmt::Display for CleanUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cleaned.fmt(f)?;
        for name in &self.waiting {
            writeln!(
                f,
                "virtual network {name} waits for the plugin, which is making or removing it"
            )?;
        }
        Ok(())
    }
}

impl CleanUp {
    /// Whether everything could be looked at, and removed that was to be.
    ///
    /// # Errors
    /// As [`Cleaned::outcome`].
    pub fn outcome(self) -> Result<()> {
        Ok(self.cleaned.outcome()?)
    }
}

impl NetworkDriver {
    /// Works off all removals of endpoints that wait, looks for the orphans of this host in the projects of
    /// its networks, and removes those that were noted at least `grace` ago; none without it.
    ///
    /// # Errors
    /// When the state directory cannot be used. What else failed is in the report, and in
    /// [`CleanUp::outcome`].
    pub fn clean(&self, grace: Option<Duration>, end: Deadline) -> Result<CleanUp> {
        let networks = self.store.networks()?;
        let projects = networks.iter().map(|(_, entry)| entry.name.parent());
        let mut projects: BTreeSet<FqName> = projects.collect();
        projects.insert(self.project.clone());
        let projects: Vec<FqName> = projects.into_iter().collect();
        let cleaned = self.attacher.clean(&projects, grace, end)?;
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
        let waiting = networks.into_iter().filter(|(_, entry)| entry.deleted);
        Ok(CleanUp {
            cleaned,
            waiting: waiting.map(|(_, entry)| entry.name).collect(),
        })
    }
}
