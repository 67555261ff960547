//! Keeping running containers in their services: restores lost memberships and lost chains.

use std::collections::BTreeMap;

use contrail_core::attach::warn_of;
use contrail_core::error::counted;
use contrail_core::error::report;
use contrail_core::service_chain::{RolePort, ServiceRole};
use contrail_core::{Deadline, FqName};

use super::chain_loss::Remedy;
use super::names::container_name;
use super::network_driver::NetworkDriver;
use super::store::EndpointEntry;
use crate::error::Result;
use crate::plugin::PATIENCE;
use crate::proto::EndpointId;

impl NetworkDriver {
    /// Checks the services of endpoints that have joined one with a role.
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
                    "cannot check service {instance} now; trying again later: {}",
                    report(&error)
                );
            }
        }
    }

    fn role(&self, id: &EndpointId, entry: &EndpointEntry) -> Option<(RolePort, ServiceRole)> {
        let role = entry
            .service
            .clone()
            .filter(|_| !entry.stage.is_incomplete())?;
        let port = RolePort {
            interface: self.attacher_of(entry).endpoint_interface(id.as_str()),
            machine: entry.vm?,
            label: container_name(id),
        };
        Some((port, role))
    }

    fn keep_service(&self, instance: &FqName, members: &[(RolePort, ServiceRole)]) -> Result<()> {
        let end = Deadline::after(PATIENCE);
        let kept = self.attacher.keep_service(instance, members, end)?;
        if kept.joined_again > 0 {
            log::warn!(
                "{} joined service {instance} again after a lost membership",
                counted(kept.joined_again, "endpoint")
            );
        }
        match self.chain_loss.count(instance, !kept.unbuilt.is_empty()) {
            None => {}
            Some(Remedy::Warn) => warn_of(&kept.unbuilt, "apply its chain again"),
            Some(Remedy::Rejoin) => {
                warn_of(&kept.unbuilt, "its members join it again");
                let roles = members.iter().map(|(port, role)| (port.machine, role));
                for (machine, role) in BTreeMap::from_iter(roles) {
                    // Each has its own deadline: a member that has left must have time to join again.
                    let end = Deadline::after(PATIENCE);
                    self.attacher.rejoin_service(role, machine, end)?;
                }
            }
        }
        Ok(())
    }
}
