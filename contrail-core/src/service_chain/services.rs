//! Planning the services of a chain: template, instance, port tuples, roles of ports.

use uuid::Uuid;

use super::chain::ChainService;
use super::change::{Change, Object, Target};
use super::identified::Identified;
use super::members::Found;
use super::membership::instance::{differences, networks, new_instance, update_instance};
use super::membership::port::{role, set_role};
use super::membership::tuple::{leave, new_tuple};
use super::plan::{Planner, State};
use super::problem::{PortConflict, Problem};
use super::snapshot::FoundInstance;
use super::template::{self, new_template};
use super::types::Leg;
use crate::api::Resource;
use crate::api::objects::{PortTuple, ServiceInstance, ServiceTemplate, VirtualMachineInterface};
use crate::ownership::chains;
use crate::values::FqName;

impl<'a> Planner<'a> {
    /// Plans one service with the members that were found.
    pub(super) fn service(&mut self, service: &ChainService, members: &[Found]) {
        let Some(template) = self.template(service) else {
            return;
        };
        let instance = self.instance(service, &template);
        for member in members {
            self.member(service, &instance, member);
        }
        self.joined_by_themselves(instance.found);
    }

    fn template(&mut self, service: &ChainService) -> Option<Identified<ServiceTemplate>> {
        let kind = ServiceTemplate::TYPE;
        let name = service.template_name();
        // Services of one chain share a template.
        let is_new = self.kept_templates.insert(name.clone());
        if let Some(found) = self.snapshot.templates.get(&name) {
            let template = found.object.clone();
            let legs = service.legs().map(|(leg, _)| leg);
            let problem = template::problem(&template, &service.name, service.mode, legs);
            let state = match &problem {
                Some(_) => State::Different,
                None => State::Present,
            };
            if is_new || problem.is_some() {
                let ours = chains::is_by_chain_or_attachment(&template.meta);
                self.show(kind, &name, state, ours, template.mode());
            }
            let Some(problem) = problem else {
                return Some(template);
            };
            self.problems.push(problem);
            return None;
        }
        if service.template.is_some() {
            self.problems.push(Problem::NoTemplate {
                service: service.name.to_string(),
                template: name,
            });
            return None;
        }
        let has_management = service.management.is_some();
        let mark = chains::of_chain(&self.chain.name);
        let template = new_template(name.clone(), service.mode, has_management, mark);
        if is_new {
            self.show(kind, &name, State::Missing, true, template.mode());
            let object = Object::Template(template.clone());
            self.steps.templates.push(Change::Create(object));
        }
        Some(template)
    }

    /// The service instance: the one that exists, or that will.
    fn instance(&mut self, service: &ChainService, template: &ServiceTemplate) -> Instance<'a> {
        let kind = ServiceInstance::TYPE;
        let name = &service.name;
        let properties = service.wanted_properties(template);
        let detail = format!("{} {}", service.mode, networks(&properties));
        let Some(found) = self.snapshot.instances.get(name) else {
            let mark = chains::of_chain(&self.chain.name);
            let wanted = new_instance(name.clone(), template, properties, mark);
            self.show(kind, name, State::Missing, true, detail);
            let target = Target::of(&wanted);
            let object = Object::Instance(wanted);
            self.steps.instances.push(Change::Create(object));
            return Instance {
                target,
                found: None,
            };
        };
        let differences = differences(&found.object, template, &properties);
        let ours = chains::is_by_chain(&found.object.meta);
        if differences.is_empty() {
            self.show(kind, name, State::Present, ours, detail);
        } else if ours {
            let text = differences.join(", ");
            self.show(kind, name, State::Different, ours, &text);
            let change = update_instance(&found.object, template, &properties, text);
            self.steps.instances.push(change);
            self.let_go.insert(name.clone());
        } else {
            let text = differences.join(", ");
            self.show(kind, name, State::Different, ours, &text);
            self.problems.push(Problem::Unfit {
                kind,
                name: name.clone(),
                difference: format!(
                    "{text}: it was not made by a chain, so describe it as it is (template, mode, networks) or take another name"
                ),
            });
        }
        Instance {
            target: Target::of(&found.object),
            found: Some(found),
        }
    }

    fn member(&mut self, service: &ChainService, instance: &Instance<'a>, member: &Found) {
        let kind = PortTuple::TYPE;
        let name = instance.target.name.child(&member.tuple);
        let existing = instance.tuple_of(member);
        let tuple = match existing {
            Some(tuple) => {
                let ours = chains::is_by_chain(&tuple.meta);
                self.show(kind, tuple.fq_name(), State::Present, ours, &member.label);
                self.kept_tuples.insert(tuple.id());
                Target::of(tuple)
            }
            None => {
                self.show(kind, &name, State::Missing, true, &member.label);
                let tuple = self.new_tuple(name, member);
                let target = Target::of(&tuple);
                self.steps.tuples.push(Change::Create(Object::Tuple(tuple)));
                target
            }
        };
        let is_foreign = existing.is_some_and(|tuple| !chains::is_by_chain(&tuple.meta));
        for &(leg, port) in &member.ports {
            if let Some(port) = self.snapshot.interfaces.get(&port) {
                self.port(service, member, leg, port, &tuple, is_foreign);
            }
        }
    }

    fn new_tuple(&self, name: FqName, member: &Found) -> Identified<PortTuple> {
        let mut tuple = new_tuple(name, &member.label, chains::of_chain(&self.chain.name));
        let has_role = |port: &Uuid| {
            let port = self.snapshot.interfaces.get(port);
            port.is_some_and(|port| role(port).is_some() && port.port_tuple_refs.is_empty())
        };
        let ports = member.ports.iter().map(|(_, port)| *port);
        let kept: Vec<Uuid> = ports.filter(has_role).collect();
        chains::keep_roles(&mut tuple.meta, &kept);
        Identified::made(tuple)
    }

    /// A port's role and its membership.
    fn port(
        &mut self,
        service: &ChainService,
        member: &Found,
        leg: Leg,
        port: &Identified<VirtualMachineInterface>,
        tuple: &Target,
        is_foreign: bool,
    ) {
        let target = Target::of(port);
        let taken = |by: PortConflict| Problem::TakenInterface {
            service: service.name.to_string(),
            interface: target.uuid,
            by,
        };
        // Our own earlier membership elsewhere can be changed.
        let elsewhere = port.port_tuple_refs.iter();
        let elsewhere = elsewhere.filter(|other| other.uuid != Some(tuple.uuid));
        let mut was_ours = !is_foreign;
        for other in elsewhere {
            let known = other.uuid.and_then(|uuid| self.snapshot.tuple(uuid));
            match known {
                Some(old) if chains::is_of(&old.meta, &self.chain.name) => {
                    self.steps.moves.push(leave(target.clone(), old));
                }
                _ => {
                    was_ours = false;
                    self.problems
                        .push(taken(PortConflict::Tuple(other.referent())));
                }
            }
        }
        let joined = port.port_tuple_refs.iter();
        let is_member = joined.clone().any(|own| own.uuid == Some(tuple.uuid));
        let had_tuple = joined.count() > 0;
        let has_role = role(port) == Some(leg.as_str());
        match role(port) {
            _ if has_role => {}
            None if !is_foreign => self.steps.roles.push(set_role(port, leg)),
            Some(_) if was_ours && had_tuple => self.steps.roles.push(set_role(port, leg)),
            Some(other) => {
                let (actual, wanted) = (other.to_owned(), leg);
                self.problems
                    .push(taken(PortConflict::Role { actual, wanted }));
            }
            None => {
                let tuple = tuple.name.clone();
                self.problems.push(taken(PortConflict::NoRole { tuple }));
            }
        }
        if !is_member {
            self.steps.joins.push(Change::Join {
                port: target.clone(),
                tuple: tuple.clone(),
            });
        }
        let state = match (is_member, has_role) {
            (true, true) => State::Present,
            (false, false) => State::Missing,
            _ => State::Different,
        };
        let detail = format!("{leg} port of {} in {}", member.label, service.name.name());
        self.show(target.kind, target.uuid, state, false, detail);
    }
}

/// A service instance that exists or will.
struct Instance<'a> {
    target: Target,
    found: Option<&'a FoundInstance>,
}

impl<'a> Instance<'a> {
    /// The port tuple of a member: the one that its ports are in, or that has its name.
    fn tuple_of(&self, member: &Found) -> Option<&'a Identified<PortTuple>> {
        let tuples = || self.found.into_iter().flat_map(|found| &found.tuples);
        let has_all = |tuple: &PortTuple| {
            let mut ports = member.ports.iter();
            ports.all(|(_, port)| {
                let mut refs = tuple.virtual_machine_interface_back_refs.iter();
                refs.any(|joined| joined.uuid == Some(*port))
            })
        };
        let complete = tuples().find(|tuple| has_all(tuple));
        complete.or_else(|| tuples().find(|tuple| tuple.fq_name().name() == member.tuple))
    }
}
