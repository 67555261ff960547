//! Whether a description is valid in itself, and what it means in a project.

use std::collections::BTreeSet;

use super::chain::{Chain, ChainService};
use super::description::{Description, Member, Port, Service};
use super::error::{Error, Result};
use super::problem::Problem;
use super::types::{Leg, Mode};
use crate::error::quoted;
use crate::values::FqName;

impl Description {
    /// The chain that is meant in a project, if the description is valid in itself.
    ///
    /// # Errors
    /// [`Error::Impossible`] with everything that is not.
    pub fn chain(&self, project: &FqName) -> Result<Chain> {
        let mut check = Check::new(self, project);
        let chain = check.chain();
        match check.problems.is_empty() {
            true => Ok(chain),
            false => Err(Error::Impossible {
                chain: self.name.clone(),
                problems: check.problems,
            }),
        }
    }
}

/// One pass over a description: finds everything that is wrong before it gives up.
pub(super) struct Check<'a> {
    description: &'a Description,
    project: &'a FqName,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    pub(super) fn new(description: &'a Description, project: &'a FqName) -> Self {
        Self {
            description,
            project,
            problems: Vec::new(),
        }
    }

    /// The chain that is meant; it is of use only when there are no problems.
    pub(super) fn chain(&mut self) -> Chain {
        let d = self.description;
        if d.name.contains(':') {
            self.wrong("name", "it names a policy of the project, without colons");
        }
        let any_port = d.source_ports.is_any() && d.destination_ports.is_any();
        if !any_port && !d.protocol.has_ports() {
            self.wrong(
                "source_ports, destination_ports",
                format!("{} has no ports", d.protocol.as_str()),
            );
        }
        if d.services.is_empty() {
            self.wrong("services", "a chain needs at least one");
        }
        let policy = self.name("name", &d.name, self.project, 3);
        let left = self.name("left", &d.left, self.project, 3);
        let right = self.name("right", &d.right, self.project, 3);
        if left == right {
            self.cycle(format!("{left} is on both sides"));
        }
        let services = d.services.iter().enumerate();
        let services: Vec<ChainService> = services
            .map(|(index, service)| self.service(index, service, &left, &right))
            .collect();
        self.each_once(&services);
        Chain {
            name: d.name.clone(),
            policy,
            left,
            right,
            direction: d.direction,
            protocol: d.protocol.clone(),
            source_ports: d.source_ports.clone(),
            destination_ports: d.destination_ports.clone(),
            sequence: d.sequence,
            services,
        }
    }

    fn service(
        &mut self,
        index: usize,
        service: &Service,
        left: &FqName,
        right: &FqName,
    ) -> ChainService {
        let field = |name: &str| format!("services[{index}].{name}");
        let domain = self.project.outermost();
        let name = self.name(&field("name"), &service.name, self.project, 3);
        let template = service.template.as_ref();
        let template = template.map(|text| self.name(&field("template"), text, &domain, 2));
        let given = &service.networks;
        let mut network = |leg: Leg, given: &Option<String>| {
            let path = field(&format!("networks.{leg}"));
            let given = given.as_ref()?;
            if leg != Leg::Management && service.mode != Mode::Transparent {
                let reason = format!(
                    "a service of mode {} uses the networks of the chain",
                    service.mode
                );
                self.wrong(&path, reason);
            }
            Some(self.name(&path, given, self.project, 3))
        };
        let own = (
            network(Leg::Left, &given.left),
            network(Leg::Right, &given.right),
        );
        let management = network(Leg::Management, &given.management);
        let (left, right) = (
            own.0.unwrap_or_else(|| left.clone()),
            own.1.unwrap_or_else(|| right.clone()),
        );
        if left == right && service.networks.left.is_some() {
            self.cycle(format!("service {name} has {left} on both sides"));
        }
        for (number, member) in service.members.iter().enumerate() {
            self.member(
                &field(&format!("members[{number}]")),
                member,
                management.is_some(),
            );
        }
        ChainService {
            name,
            mode: service.mode,
            template,
            left,
            right,
            management,
            members: service.members.clone(),
        }
    }

    fn member(&mut self, field: &str, member: &Member, has_management: bool) {
        if member.selectors() > 1 {
            self.wrong(
                field,
                "only one of container, container_id and vm is possible",
            );
        }
        if member.management.is_some() && !has_management {
            self.wrong(
                field,
                "networks.management of the service must say where its port is",
            );
        }
        let empty = [&member.container, &member.container_id];
        if empty.into_iter().flatten().any(String::is_empty) {
            self.wrong(field, "a name is empty");
        }
        let needed = [Leg::Left, Leg::Right, Leg::Management];
        let needed = &needed[..if has_management { 3 } else { 2 }];
        let by_id = |leg: &Leg| matches!(member.port(*leg), Some(Port::Id(_)));
        if !member.selects() && !needed.iter().all(by_id) {
            let legs: Vec<&str> = needed.iter().map(|leg| leg.as_str()).collect();
            let reason = format!(
                "container, container_id or vm is needed, or the ids of VM interfaces for {}",
                legs.join(", ")
            );
            self.wrong(field, reason);
        }
        let ports = Leg::ALL.into_iter().filter_map(|leg| member.port(leg));
        let ports: Vec<String> = ports.map(Port::to_string).collect();
        if ports.iter().collect::<BTreeSet<_>>().len() < ports.len() {
            self.wrong(field, "one port has two roles");
        }
    }

    /// No service and no member may be passed twice: packets would come back to where they were.
    fn each_once(&mut self, services: &[ChainService]) {
        let mut names = BTreeSet::new();
        let mut members = BTreeSet::new();
        for service in services {
            if !names.insert(&service.name) {
                self.cycle(format!("service {} is in it twice", service.name));
                continue;
            }
            for member in &service.members {
                if !members.insert(member.to_string()) {
                    self.cycle(format!("{member} is in it twice"));
                }
            }
        }
    }

    fn name(&mut self, field: &str, text: &str, parent: &FqName, parts: usize) -> FqName {
        let name = match text.contains(':') {
            true => text.parse::<FqName>(),
            false => parent.child(text).to_string().parse(),
        };
        match name {
            Ok(name) if name.parts().len() == parts => name,
            _ => {
                let reason = format!(
                    "{} is not a name: one without colons, or {parts} parts with colons between them, is expected",
                    quoted(text)
                );
                self.wrong(field, reason);
                FqName::new([text])
            }
        }
    }

    fn cycle(&mut self, what: String) {
        self.problems.push(Problem::Cycle { what });
    }

    fn wrong(&mut self, field: &str, reason: impl Into<String>) {
        self.problems.push(Problem::Description {
            field: field.to_owned(),
            reason: reason.into(),
        });
    }
}
