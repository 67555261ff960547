//! Keeping running containers in their services: memberships that got lost, chains that the controller has
//! lost.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use contrail_core::attach::warn_of;
use contrail_core::error::report;
use contrail_core::service_chain::{RolePort, ServiceRole};
use contrail_core::{Deadline, FqName};

use super::names::container_name;
use super::store::EndpointEntry;
use super::{NetworkDriver, PATIENCE};
use crate::error::Result;
use crate::proto::EndpointId;

/// How often in a row each service was found without its chains.
#[derive(Default)]
pub(super) struct Lost(Mutex<HashMap<FqName, u32>>);

/// What is to be done about a service without its chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// Its members here join it again.
    Rejoin,
    /// That did not help: an operator has to know.
    Tell,
}

impl Lost {
    /// Counts that the chains through a service do not stand, or do again. The first time nothing is
    /// done, since the controller may be building them.
    fn count(&self, instance: &FqName, is_lost: bool) -> Option<Remedy> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_lost {
            counts.remove(instance);
            return None;
        }
        let count = counts.entry(instance.clone()).or_default();
        *count = count.saturating_add(1);
        match *count {
            2 => Some(Remedy::Rejoin),
            // Less and less often.
            count if count > 2 && count.is_power_of_two() => Some(Remedy::Tell),
            _ => None,
        }
    }
}

impl NetworkDriver {
    /// Looks after the services of endpoints that have joined one with a role.
    pub(super) fn keep_services(&self, endpoints: &[(EndpointId, EndpointEntry)]) {
        let mut services: BTreeMap<FqName, Vec<(RolePort, ServiceRole)>> = BTreeMap::new();
        for (port, role) in endpoints
            .iter()
            .filter_map(|(id, entry)| self.role(id, entry))
        {
            let members = services.entry(role.instance.clone()).or_default();
            members.push((port, role));
        }
        for (instance, members) in services {
            if let Err(error) = self.keep_service(&instance, &members) {
                log::warn!(
                    "service {instance} is looked after later: {}",
                    report(&error)
                );
            }
        }
    }

    fn role(&self, id: &EndpointId, entry: &EndpointEntry) -> Option<(RolePort, ServiceRole)> {
        let role = entry.service.clone().filter(|_| !entry.unfinished)?;
        let port = RolePort {
            interface: self.attacher.endpoint_interface(id.as_str()),
            machine: entry.vm?,
            label: container_name(id),
        };
        Some((port, role))
    }

    fn keep_service(&self, instance: &FqName, members: &[(RolePort, ServiceRole)]) -> Result<()> {
        let end = Deadline::after(PATIENCE);
        let kept = self.attacher.keep_service(instance, members, end)?;
        if kept.joined_again > 0 {
            let count = kept.joined_again;
            log::warn!("{count} endpoints had lost service {instance} and have joined it again");
        }
        match self.lost.count(instance, !kept.unbuilt.is_empty()) {
            None => {}
            Some(Remedy::Tell) => warn_of(&kept.unbuilt, "apply its chain again"),
            Some(Remedy::Rejoin) => {
                warn_of(&kept.unbuilt, "its members join it again");
                let roles = members.iter().map(|(port, role)| (port.machine, role));
                for (machine, role) in BTreeMap::from_iter(roles) {
                    // Each has its own time: who leaves must be able to join again.
                    let end = Deadline::after(PATIENCE);
                    self.attacher.rejoin_service(role, machine, end)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_join_again_once_and_after_that_it_is_said_less_and_less_often() {
        let (lost, name) = (Lost::default(), FqName::new(["d", "p", "fw"]));
        let looks = |count: usize| -> Vec<(usize, Remedy)> {
            let looks = (1..=count).filter_map(|look| Some((look, lost.count(&name, true)?)));
            looks.collect()
        };
        let expected = [(2, Remedy::Rejoin), (4, Remedy::Tell), (8, Remedy::Tell)];
        assert_eq!(looks(9), expected);
        assert_eq!(lost.count(&name, false), None);
        assert_eq!(looks(3), expected[..1]);
    }
}
