//! What can make a service chain impossible: each with the name of the object concerned.

use std::fmt;

use uuid::Uuid;

use super::types::{Leg, Mode};
use crate::api::Referent;
use crate::values::FqName;

/// One thing that makes a service chain impossible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A field of the description is invalid.
    Description {
        /// Which one, as a path in the document.
        field: String,
        /// Why, and what is allowed.
        reason: String,
    },
    /// The chain would lead back to where it has been.
    Cycle {
        /// What it passes twice.
        what: String,
    },
    /// A project does not exist.
    NoProject {
        /// The project.
        project: FqName,
    },
    /// A requested service template does not exist.
    NoTemplate {
        /// The service.
        service: String,
        /// The template.
        template: FqName,
    },
    /// A service template does not exist, and only an administrator can create it.
    ForbiddenTemplate {
        /// The template.
        template: FqName,
        /// The body of the request that makes it.
        body: String,
    },
    /// A service template exists and does not fit the service.
    UnfitTemplate {
        /// The service.
        service: FqName,
        /// The template.
        template: FqName,
        /// What it has otherwise, at least one.
        differences: Vec<TemplateDifference>,
    },
    /// A network does not exist.
    NoNetwork {
        /// The network.
        network: FqName,
    },
    /// A network has no subnet: nothing in it can have an address.
    NoSubnet {
        /// The network.
        network: FqName,
    },
    /// A member has no port in the network where it needs one.
    MissingLeg {
        /// The service.
        service: String,
        /// The member, as the description selects it.
        member: String,
        /// Which of its ports.
        leg: Leg,
        /// Where it should be.
        network: FqName,
    },
    /// Nothing that the member's description fits has a port in any of the networks.
    NoMember {
        /// The service.
        service: String,
        /// The member, as the description selects it.
        member: String,
        /// The networks in which it was looked for.
        networks: Vec<FqName>,
    },
    /// Several ports fit.
    AmbiguousLeg {
        /// The service.
        service: String,
        /// The member, as the description selects it.
        member: String,
        /// Which of its ports.
        leg: Leg,
        /// The ones that fit.
        candidates: Vec<String>,
    },
    /// A port is in another network than its role says.
    WrongNetwork {
        /// The service.
        service: String,
        /// The VM interface.
        interface: Uuid,
        /// Its role.
        leg: Leg,
        /// Its network.
        actual: FqName,
        /// The network of the role.
        wanted: FqName,
    },
    /// A port is part of something else.
    TakenInterface {
        /// The service.
        service: String,
        /// The VM interface.
        interface: Uuid,
        /// What it is part of or plays.
        by: PortConflict,
    },
    /// An object of the name exists, cannot be used as it is, and does not belong to this project.
    Unfit {
        /// The type, as the API spells it.
        kind: &'static str,
        /// The name.
        name: FqName,
        /// What is different, and what to do.
        difference: String,
    },
    /// Another policy has the same sequence on a network.
    SameSequence {
        /// The network.
        network: FqName,
        /// The other policy.
        policy: Referent,
        /// The place.
        sequence: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Description { field, reason } => write!(f, "{field}: {reason}"),
            Problem::Cycle { what } => write!(f, "the chain contains a cycle: {what}"),
            Problem::NoProject { project } => write!(f, "project {project} does not exist"),
            Problem::NoTemplate { service, template } => write!(
                f,
                "service {service}: service template {template} does not exist; if template is unset, a suitable one is created"
            ),
            Problem::ForbiddenTemplate { template, body } => write!(
                f,
                "service template {template} does not exist, and only an administrator can make it: once, with POST /service-templates {body}"
            ),
            Problem::UnfitTemplate {
                service,
                template,
                differences,
            } => write!(
                f,
                "service {service}: service template {template} does not match: it {}; change the service's mode and interfaces, or use another template or service instance",
                list(differences)
            ),
            Problem::NoNetwork { network } => {
                write!(f, "virtual network {network} does not exist")
            }
            Problem::NoSubnet { network } => write!(f, "virtual network {network} has no subnet"),
            Problem::MissingLeg {
                service,
                member,
                leg,
                network,
            } => write!(
                f,
                "service {service}: {member} has no port in {network} that could be its {leg} port"
            ),
            Problem::NoMember {
                service,
                member,
                networks,
            } => write!(
                f,
                "service {service}: {member} has no port in {}: is it attached?",
                list(networks)
            ),
            Problem::AmbiguousLeg {
                service,
                member,
                leg,
                candidates,
            } => write!(
                f,
                "service {service}: the {leg} port of {member} could be any of {}",
                list(candidates)
            ),
            Problem::WrongNetwork {
                service,
                interface,
                leg,
                actual,
                wanted,
            } => write!(
                f,
                "service {service}: VM interface {interface} cannot be a {leg} port, it is in {actual} and not in {wanted}"
            ),
            Problem::TakenInterface {
                service,
                interface,
                by,
            } => write!(f, "service {service}: VM interface {interface} {by}"),
            Problem::Unfit {
                kind,
                name,
                difference,
            } => write!(f, "{kind} {name} already exists and {difference}"),
            Problem::SameSequence {
                network,
                policy,
                sequence,
            } => write!(
                f,
                "network policy {policy} already has the sequence {sequence} on {network}"
            ),
        }
    }
}

/// What a service template has otherwise than a service needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateDifference {
    /// Its version is not 2: such templates do not accept existing ports.
    Version(u32),
    /// It is of a type that packets are not sent through; as the API spells it.
    Type(String),
    /// Its services see packets in another way.
    Mode {
        /// The mode, as the API spells it.
        actual: String,
        /// The mode of the service.
        wanted: Mode,
    },
    /// It has no interface of a kind that the service has.
    NoInterface(Leg),
}

impl fmt::Display for TemplateDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(
                f,
                "has version {version}, but only templates of version 2 accept existing ports"
            ),
            Self::Type(kind) => write!(f, "has type {kind}, not firewall"),
            Self::Mode { actual, wanted } => write!(f, "has mode {actual}, not {wanted}"),
            Self::NoInterface(leg) => write!(f, "has no {leg} interface"),
        }
    }
}

/// What makes a port unfit to become a member of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortConflict {
    /// It is in another port tuple.
    Tuple(Referent),
    /// It has another role.
    Role {
        /// The role, as the API spells it.
        actual: String,
        /// The role that it is to have.
        wanted: Leg,
    },
    /// It is in no virtual network, which a role needs.
    NoNetwork,
    /// It has no role in its port tuple, and this project may not give it one there.
    NoRole {
        /// The port tuple.
        tuple: FqName,
    },
}

impl fmt::Display for PortConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tuple(tuple) => write!(f, "is already a member of port tuple {tuple}"),
            Self::Role { actual, wanted } => {
                write!(f, "already has the role {actual}, not {wanted}")
            }
            Self::NoNetwork => f.write_str("is in no virtual network"),
            Self::NoRole { tuple } => {
                write!(f, "has no role in {tuple}, which was not made by a chain")
            }
        }
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    items.join(", ")
}
