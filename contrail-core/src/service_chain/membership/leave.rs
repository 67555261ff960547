//! The end of a role that a port took when it was attached, and of what was made for it.
//!
//! Everything is found by its name, so that this call continues where an interrupted one ended.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::ROUNDS;
use super::fate::{Fate, fate, template_goes};
use super::join::ServiceRoles;
use super::role::ServiceRole;
use super::tuple::{self, PORTS};
use crate::api::objects::{
    NetworkPolicy, PortTuple, ServiceInstance, ServiceTemplate, VirtualMachineInterface,
};
use crate::api::{ListQuery, Ref, Resource};
use crate::error::{Error as ClientError, Layered, report};
use crate::ownership::chains;
use crate::service_chain::change::{Change, Object, Target};
use crate::service_chain::error::{Error, Result};
use crate::service_chain::identified::Identified;
use crate::values::FqName;

/// A port tuple that was there when it was to be dissolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dissolved {
    /// Its service instance; `None` if its name tells none.
    pub instance: Option<FqName>,
    /// Whether ports made it that took their role when they were attached: what else they created may
    /// have to be removed, see [`ServiceRoles::sweep`].
    pub is_of_attachment: bool,
}

impl ServiceRoles {
    /// The port tuples that a VM interface is in, for whatever reason; none if it does not exist.
    /// One request.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn tuples_of(&self, interface: Uuid) -> Result<Vec<Uuid>> {
        let fields = ["port_tuple_refs"];
        let found = self
            .client
            .get_opt_with::<VirtualMachineInterface>(interface, &fields)?;
        let tuples = found.into_iter().flat_map(|found| found.port_tuple_refs);
        Ok(tuples.filter_map(|tuple| tuple.uuid).collect())
    }

    /// Takes a port that is about to be deleted out of a port tuple in the only order after which a
    /// real controller builds the service's chains again: all ports leave, those that stay lose the role
    /// that a chain gave them, then the tuple is deleted, then the interfaces. Ports that stay can join a
    /// new tuple. A tuple that neither a chain
    /// nor an attachment created is kept, and only this port leaves it.
    ///
    /// Can be repeated; a tuple that is gone is fine: then the answer is `None`.
    ///
    /// # Errors
    /// When the API refuses or cannot be asked.
    pub fn dissolve(&self, tuple: Uuid, interface: Uuid) -> Result<Option<Dissolved>> {
        self.dissolve_noted(tuple, interface, &[], |_| ())
    }

    /// Does what [`Self::dissolve`] does, and gives `note` the ports that are about to leave. None of those
    /// that are to be deleted may be deleted before the tuple. `noted` are those that an interrupted call may
    /// have taken out already.
    pub(crate) fn dissolve_noted(
        &self,
        tuple: Uuid,
        interface: Uuid,
        noted: &[Uuid],
        note: impl Fn(&[Uuid]),
    ) -> Result<Option<Dissolved>> {
        let fields = ["annotations", PORTS];
        let read = || self.client.get_opt_with::<PortTuple>(tuple, &fields);
        let mut dissolved = None;
        for _ in 0..ROUNDS {
            let tuple = match read() {
                Ok(Some(found)) => Identified::read(tuple, found),
                Ok(None) => return Ok(dissolved),
                Err(error) if error.is_forbidden() => {
                    self.leave_unseen(tuple, interface)?;
                    return Ok(dissolved);
                }
                Err(error) => return Err(error.into()),
            };
            dissolved = Some(Dissolved {
                instance: tuple.fq_name().parent(),
                is_of_attachment: chains::is_of_attachment(&tuple.meta),
            });
            let is_foreign = !chains::is_by_chain_or_attachment(&tuple.meta);
            let leaving: Vec<Target> = tuple::ports(&tuple)
                .filter(|port| !is_foreign || port.uuid == interface)
                .collect();
            let ids: Vec<Uuid> = leaving.iter().map(|port| port.uuid).collect();
            note(&ids);
            let staying = match is_foreign {
                true => Vec::new(),
                false => self.staying(&tuple, interface, ids.iter().chain(noted))?,
            };
            let changes = tuple::dissolution(&tuple, leaving, &staying);
            for leave in &changes.leaves {
                match leave.run(&self.client) {
                    // It has left with its interface.
                    Err(error) if error.is_not_found() => {}
                    result => result.map(|_| log::info!("{leave}"))?,
                }
            }
            if is_foreign {
                warn_of_left(tuple.fq_name(), "no plugin created it");
                return Ok(dissolved);
            }
            for role in &changes.roles {
                match role.run(&self.client) {
                    // Its own removal has ended meanwhile.
                    Err(error) if error.is_not_found() => {}
                    // The tuple must not stay for that: the chains of the other members need it gone.
                    Err(error) if error.is_forbidden() => {
                        log::warn!("a port keeps its role: {}", report(&error));
                    }
                    result => drop(result?),
                }
            }
            match changes.delete.run(&self.client) {
                // A port has joined it in the meantime.
                Err(Error::Client(ClientError::InUse { .. })) => continue,
                Err(error) if error.is_forbidden() => {
                    warn_of_left(tuple.fq_name(), "this user may not delete it");
                    return Ok(dissolved);
                }
                result => drop(result?),
            }
            log::info!("dissolved port tuple {}", tuple.fq_name());
            return Ok(dissolved);
        }
        Err(ClientError::InUse {
            kind: PortTuple::TYPE,
            uuid: tuple,
            by: vec!["ports that keep joining it".to_owned()],
        }
        // Ports have left.
        .unsure()
        .into())
    }

    /// Takes a port out of a port tuple that this user may not read.
    fn leave_unseen(&self, tuple: Uuid, interface: Uuid) -> crate::Result<()> {
        // The API uses the id; the name only has to be valid.
        let name = FqName::new([tuple.to_string()]);
        warn_of_left(&name, "this user may not read it");
        let port = (VirtualMachineInterface::TYPE, interface);
        match self
            .client
            .remove_ref(port, (PortTuple::TYPE, tuple, &name))
        {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    /// Those of the ports that stay when the tuple goes and may have a role of it, and are in no other
    /// tuple by now.
    fn staying<'a>(
        &self,
        tuple: &Identified<PortTuple>,
        gone: Uuid,
        ports: impl Iterator<Item = &'a Uuid>,
    ) -> Result<Vec<Identified<VirtualMachineInterface>>> {
        let ids: BTreeSet<Uuid> = ports.copied().collect();
        let mut staying = Vec::new();
        for id in ids {
            if id == gone || !tuple::takes_role(id, tuple) {
                continue;
            }
            let Some(port) = self.client.get_opt::<VirtualMachineInterface>(id)? else {
                continue;
            };
            let mut joined = port.port_tuple_refs.iter();
            if joined.all(|other| other.uuid == Some(tuple.id())) {
                staying.push(Identified::read(id, port));
            }
        }
        Ok(staying)
    }

    /// Ends a role that a port took with [`ServiceRoles::join`], before the port is deleted, and removes
    /// what was created for it and is not used otherwise. The other ports of the container leave with it, see
    /// [`ServiceRoles::dissolve`]. Can be repeated; a port that is gone or has no role is fine. Returns
    /// whether there was something to leave.
    ///
    /// # Errors
    /// When the API refuses or cannot be asked.
    pub fn leave(&self, role: &ServiceRole, interface: Uuid, machine: Uuid) -> Result<bool> {
        let (tuple, name) = role.tuple(machine);
        let dissolved = self.dissolve(tuple, interface)?;
        self.sweep_role(role, name.name())?;
        Ok(dissolved.is_some())
    }

    fn sweep_role(&self, role: &ServiceRole, tuple: &str) -> Result<()> {
        match self.client.lookup::<ServiceInstance>(&role.instance)? {
            Some(found) => self.sweep_instance(found, |name| name == tuple),
            None => self.drop_templates(role),
        }
    }

    /// Removes a service instance that joining or a chain created and that is no longer used, because it has
    /// no port tuples, then its template. One that a network policy sends packets through is kept:
    /// its next member completes the chain again.
    ///
    /// # Errors
    /// When the API refuses or cannot be asked.
    pub fn sweep(&self, instance: &FqName) -> Result<()> {
        match self.client.lookup::<ServiceInstance>(instance)? {
            Some(found) => self.sweep_instance(found, |_| false),
            None => Ok(()),
        }
    }

    /// Port tuples without ports are removed with it if their name is chosen: a crash leaves such tuples.
    fn sweep_instance(
        &self,
        found: ServiceInstance,
        is_chosen: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let found = Identified::read(found.id()?, found);
        let tuples = self.tuples(found.id())?;
        // What cannot be read may have members.
        let mut remaining = tuples.unreadable.len();
        for tuple in tuples.readable() {
            let is_empty = tuple.virtual_machine_interface_back_refs.is_empty();
            let is_left = is_empty && is_chosen(tuple.fq_name().name());
            if !is_left || !chains::is_of_attachment(&tuple.meta) {
                remaining += 1;
                continue;
            }
            let tuple = Identified::read(tuple.id()?, tuple);
            match Change::Delete(Object::Tuple(tuple)).run(&self.client) {
                // A port has joined it in the meantime.
                Err(Error::Client(ClientError::InUse { .. })) => remaining += 1,
                result => drop(result?),
            }
        }
        // Policies are read only if nothing else keeps it.
        if fate(&found.meta, remaining, []) != Fate::Goes {
            return Ok(());
        }
        match self.users(&found)? {
            Some(users) if fate(&found.meta, remaining, &users) == Fate::Goes => {}
            // One that cannot be read may use it: that is no reason to keep the container.
            _ => return Ok(()),
        }
        let templates = found.service_template_refs.clone();
        match Change::Delete(Object::Instance(found)).run(&self.client) {
            Err(Error::Client(ClientError::InUse { .. })) => return Ok(()),
            result => drop(result?),
        }
        templates
            .iter()
            .try_for_each(|template| self.drop_template(template))?;
        Ok(())
    }

    /// The network policies of its project that send packets through a service instance; `None` if some cannot
    /// be read.
    fn users(&self, instance: &ServiceInstance) -> Result<Option<Vec<NetworkPolicy>>> {
        let Some(project) = instance.fq_name().parent() else {
            return Ok(Some(Vec::new()));
        };
        let query = ListQuery::children_of("project", project).fields(&["network_policy_entries"]);
        let policies = self.client.listed::<NetworkPolicy>(&query)?;
        let is_known = policies.unreadable.is_empty();
        let name = instance.fq_name().to_string();
        let mut users = policies.readable();
        users.retain(|policy| policy.sends_through(&name));
        Ok(is_known.then_some(users))
    }

    /// Removes the templates that a service instance may have been about to get, or to lose.
    fn drop_templates(&self, role: &ServiceRole) -> Result<()> {
        for has_management in [false, true] {
            let name = role.template(has_management);
            if let Some(found) = self.client.lookup::<ServiceTemplate>(&name)? {
                self.drop_template(&Ref::object(&found))?;
            }
        }
        Ok(())
    }

    /// Removes a template that this project created, unless it is in use or only an administrator may
    /// remove it.
    pub(in crate::service_chain) fn drop_template(&self, template: &Ref) -> crate::Result<()> {
        let Some(uuid) = template.uuid else {
            return Ok(());
        };
        match self.client.get_opt::<ServiceTemplate>(uuid)? {
            Some(found) if template_goes(&found.meta) => {
                match self.client.delete::<ServiceTemplate>(uuid) {
                    Err(ClientError::InUse { .. }) => Ok(()),
                    Err(error) if error.is_forbidden() => {
                        log::info!("kept service template {}: {error}", found.fq_name());
                        Ok(())
                    }
                    result => result.map(drop),
                }
            }
            _ => Ok(()),
        }
    }
}

fn warn_of_left(tuple: &FqName, reason: &str) {
    log::warn!(
        "kept port tuple {tuple}: {reason}; do not delete it later: the controller would lose the \
         chains of its service"
    );
}

#[cfg(test)]
#[path = "leave_test.rs"]
mod tests;
