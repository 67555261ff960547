//! The end of a role that a port took when it was attached, and of what was made for it.
//!
//! Everything is looked for by its name, so that whatever stopped an earlier call, this one goes on
//! where that one ended.

use uuid::Uuid;

use super::change::{Change, Object, Target};
use super::mark;
use super::role::{ServiceRole, ServiceRoles};
use super::services::{clear_role, role};
use crate::api::objects::{PortTuple, ServiceInstance, ServiceTemplate, VirtualMachineInterface};
use crate::api::{Ref, Resource};
use crate::error::{Error, Result};

impl ServiceRoles {
    /// Takes a port out of what [`ServiceRoles::join`] made it a member of, before the port is
    /// deleted, and removes what was made for it and nobody else uses. Can be repeated; a port that is
    /// gone or has no role is fine.
    ///
    /// # Errors
    /// When the API refuses or cannot be asked.
    pub fn leave(&self, role: &ServiceRole, interface: Uuid, machine: Uuid) -> Result<()> {
        if let Some(port) = self.client.get_opt::<VirtualMachineInterface>(interface)? {
            self.take_out(role, &port)?;
        }
        let own = machine.to_string();
        self.sweep_if(role, |tuple| tuple == own)
    }

    fn take_out(&self, wanted: &ServiceRole, port: &VirtualMachineInterface) -> Result<()> {
        let joined = port.port_tuple_refs.iter();
        for joined in joined.filter(|tuple| tuple.to.parent() == wanted.instance) {
            let Some(uuid) = joined.uuid else { continue };
            let tuple = self.client.get_opt::<PortTuple>(uuid)?;
            let Some(tuple) = tuple.filter(|tuple| mark::is_of_attachment(&tuple.meta)) else {
                continue;
            };
            let leave = Change::Leave {
                port: Target::of(port),
                tuple: Target::of(&tuple),
            };
            leave.run(&self.client)?;
            log::info!("{leave}");
            if role(port).is_some() {
                clear_role(port).run(&self.client)?;
            }
        }
        Ok(())
    }

    /// Removes what joining made of a service instance and nobody uses any more: port tuples without
    /// ports, then the service instance without port tuples, then its template. For a clean-up after a
    /// crash; one that a port is just about to join would be taken from it.
    ///
    /// # Errors
    /// When the API refuses or cannot be asked.
    pub fn sweep(&self, role: &ServiceRole) -> Result<()> {
        self.sweep_if(role, |_| true)
    }

    /// The same with only those empty port tuples whose name is chosen.
    fn sweep_if(&self, role: &ServiceRole, is_chosen: impl Fn(&str) -> bool) -> Result<()> {
        let Some(found) = self.client.lookup::<ServiceInstance>(&role.instance)? else {
            return self.drop_templates(role);
        };
        let mut left = 0;
        for tuple in self.tuples(found.uuid().unwrap_or_default())? {
            let is_empty = tuple.virtual_machine_interface_back_refs.is_empty();
            let is_left = is_empty && is_chosen(tuple.fq_name().name());
            if !is_left || !mark::is_of_attachment(&tuple.meta) {
                left += 1;
                continue;
            }
            match Change::Delete(Object::Tuple(tuple)).run(&self.client) {
                // Somebody has joined it meanwhile.
                Err(Error::InUse { .. }) => left += 1,
                result => drop(result?),
            }
        }
        if left > 0 || !mark::is_of_attachment(&found.meta) {
            return Ok(());
        }
        let templates = found.service_template_refs.clone();
        match Change::Delete(Object::Instance(found)).run(&self.client) {
            Err(Error::InUse { .. }) => return Ok(()),
            result => drop(result?),
        }
        templates
            .iter()
            .try_for_each(|template| self.drop_template(template))
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

    /// Removes a template that was made here, unless somebody uses it.
    pub(super) fn drop_template(&self, template: &Ref) -> Result<()> {
        let Some(uuid) = template.uuid else {
            return Ok(());
        };
        match self.client.get_opt::<ServiceTemplate>(uuid)? {
            Some(found) if mark::is_made_here(&found.meta) => {
                match self.client.delete::<ServiceTemplate>(uuid) {
                    Err(Error::InUse { .. }) => Ok(()),
                    result => result.map(drop),
                }
            }
            _ => Ok(()),
        }
    }
}
