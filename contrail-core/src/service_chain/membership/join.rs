//! Roles that ports take when they are attached: a container becomes a member of a service instance
//! without a description of a chain.
//!
//! The service instance is made by the first port that names it, a port tuple for each container by its
//! first port; the others complete them, in any order and from any host. The networks of the service instance
//! follow from its members: a call that changes the members writes them and reads them again, so that two
//! concurrent calls end with both. What was created this way is removed with the last port.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::ROUNDS;
use super::eligible::{check, unfit};
use super::instance::{differences, new_instance, properties, update_instance};
use super::orphan::orphans;
use super::port::{leg_of, network, set_role, tuple_in};
use super::role::{RolePort, ServiceRole};
use super::tuple::{new_tuple, with_ports};
use crate::api::objects::{PortTuple, ServiceInstance, ServiceTemplate, VirtualMachineInterface};
use crate::api::{Client, ListQuery, Listed, Resource};
use crate::error::Layered;
use crate::ownership::chains;
use crate::service_chain::change::{Change, Target};
use crate::service_chain::error::{Error, Result};
use crate::service_chain::identified::{Identified, made_id};
use crate::service_chain::problem::{PortConflict, Problem};
use crate::service_chain::template;
use crate::service_chain::types::Leg;
use crate::values::FqName;

/// What is there before a port takes a role.
struct Seen {
    interface: Identified<VirtualMachineInterface>,
    has_instance: bool,
    /// The port tuples of the service instance.
    tuples: BTreeSet<Uuid>,
}

/// Makes ports members of service instances, and takes them out again.
#[derive(Clone)]
pub struct ServiceRoles {
    pub(in crate::service_chain) client: Client,
    owner: String,
}

impl ServiceRoles {
    /// Roles that are given in the name of a program, for the owner mark.
    pub fn new(client: Client, owner: impl Into<String>) -> Self {
        Self {
            client,
            owner: owner.into(),
        }
    }

    /// Gives a port its role. Can be repeated.
    ///
    /// # Errors
    /// [`Error::Impossible`] when the service instance or the port is something else already; any other
    /// error of the API. What was done is rolled back.
    ///
    /// ```no_run
    /// # fn example(client: contrail_core::api::Client) -> contrail_core::service_chain::Result<()> {
    /// use contrail_core::service_chain::{Leg, Mode, RolePort, ServiceRole, ServiceRoles};
    /// use uuid::Uuid;
    ///
    /// let roles = ServiceRoles::new(client, "my-program");
    /// let role = ServiceRole {
    ///     instance: "default-domain:admin:firewall".parse()?,
    ///     interface: Leg::Left,
    ///     mode: Mode::InNetwork,
    /// };
    /// let (interface, machine) = (Uuid::from_u128(1), Uuid::from_u128(2));
    /// roles.join(&role, &RolePort { interface, machine, label: "fw-1".into() })?;
    /// roles.leave(&role, interface, machine)?;
    /// # Ok(()) }
    /// ```
    pub fn join(&self, role: &ServiceRole, port: &RolePort) -> Result<()> {
        let seen = self.look(role, port)?;
        let Err(cause) = self.take(role, port, &seen) else {
            return Ok(());
        };
        // Taking it back would take the role that was there.
        if tuple_in(&seen.interface, &role.instance).is_some() {
            return Err(cause);
        }
        match self.leave(role, port.interface, port.machine) {
            Ok(_) => Err(cause),
            Err(error) => Err(Error::Undo {
                cause: Box::new(cause),
                left: vec![error],
            }),
        }
    }

    /// What is there before a port takes a role, if it can have it. Nothing is written.
    fn look(&self, role: &ServiceRole, port: &RolePort) -> Result<Seen> {
        let interface = Identified::read(port.interface, self.client.get(port.interface)?);
        let instance = self.client.lookup::<ServiceInstance>(&role.instance)?;
        let tuples = match &instance {
            Some(instance) => self.tuples(instance.id()?)?.whole()?,
            None => Vec::new(),
        };
        if let Some(instance) = &instance {
            self.check_template(role, instance)?;
        }
        check(
            role,
            &interface,
            instance.as_ref(),
            &self.ports_of(&tuples)?,
        )?;
        Ok(Seen {
            interface,
            has_instance: instance.is_some(),
            tuples: tuples.iter().filter_map(Resource::uuid).collect(),
        })
    }

    /// Whether the template of an existing service instance fits the role. Which interfaces an instance
    /// has that attachments made follows from its members.
    fn check_template(&self, role: &ServiceRole, instance: &ServiceInstance) -> Result<()> {
        let follows = chains::is_of_attachment(&instance.meta);
        let Some(used) = instance.service_template_refs.first() else {
            return match follows {
                true => Ok(()),
                false => Err(unfit(
                    &role.instance,
                    "has no service template: give it one, or use another name".to_owned(),
                )),
            };
        };
        let found = match used
            .uuid
            .map(|id| self.client.get_opt::<ServiceTemplate>(id))
        {
            Some(Err(error)) if error.is_forbidden() => {
                log::info!(
                    "whether {} fits {} is not known: {error}",
                    used.referent(),
                    role.instance
                );
                None
            }
            Some(found) => found?,
            None => None,
        };
        let legs = (!follows).then_some(role.interface);
        found.map_or(Ok(()), |template| fits(&template, role, legs))
    }

    fn take(&self, role: &ServiceRole, port: &RolePort, seen: &Seen) -> Result<()> {
        let interface = &seen.interface;
        if !seen.has_instance {
            self.create_instance(role, interface)?;
        }
        let orphans = self.own_orphans(interface, &role.instance, &seen.tuples)?;
        for orphan in &orphans {
            self.dissolve(*orphan, port.interface)?;
        }
        if !orphans.is_empty() || tuple_in(interface, &role.instance).is_none() {
            match self.join_tuple(role, port, interface) {
                // The last member on another host removed the service instance.
                Err(error) if error.is_not_found() => {
                    self.create_instance(role, interface)?;
                    self.join_tuple(role, port, interface)?;
                }
                joined => joined?,
            }
        }
        self.complete_instance(role)
    }

    fn join_tuple(
        &self,
        role: &ServiceRole,
        port: &RolePort,
        interface: &Identified<VirtualMachineInterface>,
    ) -> Result<()> {
        let (_, name) = role.tuple(port.machine);
        let tuple = new_tuple(name, &port.label, chains::of_attachment(&self.owner));
        let tuple = Identified::made(tuple);
        self.client.ensure(&*tuple)?;
        set_role(interface, role.interface).run(&self.client)?;
        let join = Change::Join {
            port: Target::of(interface),
            tuple: Target::of(&tuple),
        };
        join.run(&self.client)?;
        log::info!("{join}");
        Ok(())
    }

    fn create_instance(
        &self,
        role: &ServiceRole,
        interface: &Identified<VirtualMachineInterface>,
    ) -> Result<()> {
        let own = network(interface).ok_or_else(|| no_network(role, interface.id()))?;
        let networks = BTreeMap::from([(role.interface, own)]);
        let name = role.instance.clone();
        for _ in 0..ROUNDS {
            let template = self.template(role, &networks)?;
            let properties = properties(&template, |leg| networks.get(&leg).copied());
            let mark = chains::of_attachment(&self.owner);
            let instance = new_instance(name.clone(), &template, properties, mark);
            match self.client.ensure(&*instance) {
                // The last port of another service instance took the template along.
                Err(error) if error.is_not_found() => {}
                result => return Ok(result.map(drop)?),
            }
        }
        Err(unfit(&name, format!("lost its template {ROUNDS} times")))
    }

    /// The template for a service with these networks.
    fn template(
        &self,
        role: &ServiceRole,
        networks: &BTreeMap<Leg, &FqName>,
    ) -> Result<ServiceTemplate> {
        let has_management = networks.contains_key(&Leg::Management);
        let name = role.template(has_management);
        if let Some(existing) = self.client.lookup::<ServiceTemplate>(&name)? {
            let legs = networks.keys().copied().chain([Leg::Left, Leg::Right]);
            return fits(&existing, role, legs).map(|()| existing);
        }
        let mark = chains::of_attachment(&self.owner);
        let template = template::new_template(name, role.mode, has_management, mark);
        template::ensure(&self.client, &template)?;
        Ok(ServiceTemplate::clone(&template))
    }

    /// Writes what follows from the members into a service instance that was made this way, until
    /// nothing changes: the last one to write has seen all members.
    fn complete_instance(&self, role: &ServiceRole) -> Result<()> {
        for _ in 0..ROUNDS {
            let Some(instance) = self.client.lookup::<ServiceInstance>(&role.instance)? else {
                // The last member left at the same time. With the same id, the port tuples still fit.
                let interface = self.any_member(role)?;
                self.create_instance(role, &interface)?;
                continue;
            };
            if !chains::is_of_attachment(&instance.meta) {
                return Ok(());
            }
            let instance = Identified::read(instance.id()?, instance);
            let tuples = self.tuples(instance.id())?.whole()?;
            let members = self.ports_of(&tuples)?;
            let networks: BTreeMap<Leg, &FqName> = members.iter().filter_map(leg_of).collect();
            let template = self.template(role, &networks)?;
            let wanted = properties(&template, |leg| networks.get(&leg).copied());
            let differences = differences(&instance, &template, &wanted);
            if differences.is_empty() {
                return Ok(());
            }
            let change = update_instance(&instance, &template, &wanted, differences.join(", "));
            match change.run(&self.client) {
                Err(error) if error.is_not_found() => continue,
                result => result?,
            };
            let old = instance.service_template_refs.first();
            if let Some(old) = old.filter(|old| !old.is_to(template.fq_name())) {
                self.drop_template(old)?;
            }
        }
        let difference = format!("still changed after {ROUNDS} attempts to complete it");
        Err(unfit(&role.instance, difference))
    }

    /// A port that this role's service instance has, to make the instance again from.
    fn any_member(&self, role: &ServiceRole) -> crate::Result<Identified<VirtualMachineInterface>> {
        let id = made_id::<ServiceInstance>(&role.instance);
        let tuples = self.tuples(id)?.whole()?;
        let ports = tuples
            .iter()
            .flat_map(|t| &t.virtual_machine_interface_back_refs);
        match ports.filter_map(|port| port.uuid).next() {
            Some(port) => Ok(Identified::read(port, self.client.get(port)?)),
            None => Err(crate::Error::NotFound {
                kind: ServiceInstance::TYPE,
                name: role.instance.to_string(),
                hint: Some("it vanished while a port joined it: try again".into()),
            }),
        }
    }

    pub(in crate::service_chain) fn tuples(
        &self,
        instance: Uuid,
    ) -> crate::Result<Listed<PortTuple>> {
        let query = with_ports(ListQuery::children_of_id(instance));
        self.client.listed(&query)
    }

    /// The port tuples of a port that belong to an earlier service instance of a name, except those that
    /// neither a chain nor an attachment made.
    pub(in crate::service_chain) fn own_orphans(
        &self,
        interface: &VirtualMachineInterface,
        instance: &FqName,
        children: &BTreeSet<Uuid>,
    ) -> Result<Vec<Uuid>> {
        let ids = orphans([interface], |name| name == instance, children);
        let query = ListQuery::ids(ids).fields(&["annotations"]);
        let found: Vec<PortTuple> = self.client.list(&query)?;
        let own = found
            .iter()
            .filter(|tuple| chains::is_by_chain_or_attachment(&tuple.meta));
        Ok(own.filter_map(Resource::uuid).collect())
    }

    /// The ports of these port tuples.
    fn ports_of(&self, tuples: &[PortTuple]) -> crate::Result<Vec<VirtualMachineInterface>> {
        let refs = tuples
            .iter()
            .flat_map(|t| &t.virtual_machine_interface_back_refs);
        let ids = refs.filter_map(|port| port.uuid);
        self.client.list_whole(&ListQuery::ids(ids).detail())
    }
}

/// Whether an existing template fits the service of a role.
fn fits(
    template: &ServiceTemplate,
    role: &ServiceRole,
    legs: impl IntoIterator<Item = Leg>,
) -> Result<()> {
    match template::problem(template, &role.instance, role.mode, legs) {
        Some(problem) => Err(Error::Impossible {
            chain: role.instance.to_string(),
            problems: vec![problem],
        }),
        None => Ok(()),
    }
}

fn no_network(role: &ServiceRole, interface: Uuid) -> Error {
    Error::Impossible {
        chain: role.instance.to_string(),
        problems: vec![Problem::TakenInterface {
            service: role.instance.to_string(),
            interface,
            by: PortConflict::NoNetwork,
        }],
    }
}

#[cfg(test)]
#[path = "join_test.rs"]
mod tests;
