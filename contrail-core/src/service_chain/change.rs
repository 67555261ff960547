//! One change of the controller's objects, how it is shown to people, and how it is rolled back.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use super::error::Result;
use super::identified::Identified;
use super::template;
use crate::api::objects::{
    NetworkPolicy, PolicyLink, PortTuple, ServiceInstance, ServiceTemplate, VirtualMachineInterface,
};
use crate::api::{Client, Ref, Resource};
use crate::values::FqName;

/// An object that a chain can make and remove.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// A service template.
    Template(Identified<ServiceTemplate>),
    /// A service instance.
    Instance(Identified<ServiceInstance>),
    /// A port tuple.
    Tuple(Identified<PortTuple>),
    /// A network policy.
    Policy(Identified<NetworkPolicy>),
}

/// An object by type, id and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The type, as the API spells it.
    pub kind: &'static str,
    /// The id.
    pub uuid: Uuid,
    /// The name.
    pub name: FqName,
}

impl Target {
    /// The target of a reference, unless that does not tell its id and name.
    pub(super) fn referred<R: Resource, A>(reference: &Ref<A>) -> Option<Self> {
        Some(Self {
            kind: R::TYPE,
            uuid: reference.uuid?,
            name: reference.to.clone()?,
        })
    }

    /// The target that an object is.
    pub(super) fn of<R: Resource>(object: &Identified<R>) -> Self {
        Self {
            kind: R::TYPE,
            uuid: object.id(),
            name: object.fq_name().clone(),
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make an object.
    Create(Object),
    /// Remove an object.
    Delete(Object),
    /// Change some fields of an object and leave its others.
    Update {
        /// The object: a service instance, a network policy or a VM interface.
        target: Target,
        /// What it is about, for people.
        what: String,
        /// The fields as they are.
        before: Value,
        /// The fields as they should be.
        after: Value,
    },
    /// Make a port a member of a port tuple.
    Join {
        /// The VM interface.
        port: Target,
        /// The port tuple.
        tuple: Target,
    },
    /// Take a port out of a port tuple.
    Leave {
        /// The VM interface.
        port: Target,
        /// The port tuple.
        tuple: Target,
    },
    /// Attach a policy to a network, or change its place there.
    Attach {
        /// The network.
        network: Target,
        /// The policy.
        policy: Target,
        /// The current link, if there is one.
        before: Option<PolicyLink>,
        /// The link as it should be.
        after: PolicyLink,
    },
    /// Detach a policy from a network.
    Detach {
        /// The network.
        network: Target,
        /// The policy.
        policy: Target,
        /// The link as it is.
        before: PolicyLink,
    },
}

impl Object {
    fn target(&self) -> Target {
        match self {
            Object::Template(object) => Target::of(object),
            Object::Instance(object) => Target::of(object),
            Object::Tuple(object) => Target::of(object),
            Object::Policy(object) => Target::of(object),
        }
    }

    /// Creates the object; `false` when another client has created the same one in the meantime.
    fn create(&self, client: &Client) -> Result<bool> {
        let ensured = match self {
            Object::Template(object) => template::ensure(client, object),
            Object::Instance(object) => Ok(client.ensure(&**object)?),
            Object::Tuple(object) => Ok(client.ensure(&**object)?),
            Object::Policy(object) => Ok(client.ensure(&**object)?),
        };
        ensured.map(|ensured| ensured.created)
    }

    fn delete(&self, client: &Client) -> crate::Result<bool> {
        let uuid = self.target().uuid;
        match self {
            Object::Template(_) => client.delete::<ServiceTemplate>(uuid),
            Object::Instance(_) => client.delete::<ServiceInstance>(uuid),
            Object::Tuple(_) => client.delete::<PortTuple>(uuid),
            Object::Policy(_) => client.delete::<NetworkPolicy>(uuid),
        }
    }

    /// The object without what the API fills in itself, so that it can be created again.
    fn again(&self) -> Self {
        let mut object = self.clone();
        let rest = match &mut object {
            Object::Template(object) => &mut object.object_mut().rest,
            Object::Instance(object) => &mut object.object_mut().rest,
            Object::Tuple(object) => &mut object.object_mut().rest,
            Object::Policy(object) => &mut object.object_mut().rest,
        };
        // The addresses that the controller gave a service instance are removed with it.
        for field in [
            "name",
            "href",
            "parent_href",
            "id_perms",
            "instance_ip_refs",
        ] {
            rest.remove(field);
        }
        object
    }
}

impl Change {
    /// Makes the change; `false` when another client had already made it.
    pub(super) fn run(&self, client: &Client) -> Result<bool> {
        match self {
            Change::Create(object) => return object.create(client),
            Change::Delete(object) => return Ok(object.delete(client)?),
            Change::Update { target, after, .. } => match target.kind {
                ServiceInstance::TYPE => client.update::<ServiceInstance>(target.uuid, after),
                NetworkPolicy::TYPE => client.update::<NetworkPolicy>(target.uuid, after),
                _ => client.update::<VirtualMachineInterface>(target.uuid, after),
            },
            Change::Join { port, tuple } => client.add_ref(
                (port.kind, port.uuid),
                (tuple.kind, tuple.uuid, &tuple.name),
                None,
            ),
            Change::Leave { port, tuple } => client.remove_ref(
                (port.kind, port.uuid),
                (tuple.kind, tuple.uuid, &tuple.name),
            ),
            Change::Attach {
                network,
                policy,
                after,
                ..
            } => client.add_ref(
                (network.kind, network.uuid),
                (policy.kind, policy.uuid, &policy.name),
                serde_json::to_value(after).ok(),
            ),
            Change::Detach {
                network, policy, ..
            } => client.remove_ref(
                (network.kind, network.uuid),
                (policy.kind, policy.uuid, &policy.name),
            ),
        }?;
        Ok(true)
    }

    /// The change that reverts this one.
    pub(super) fn inverse(&self) -> Change {
        match self.clone() {
            Change::Create(object) => Change::Delete(object),
            Change::Delete(object) => Change::Create(object.again()),
            Change::Update {
                target,
                what,
                before,
                after,
            } => Change::Update {
                target,
                what,
                before: after,
                after: before,
            },
            Change::Join { port, tuple } => Change::Leave { port, tuple },
            Change::Leave { port, tuple } => Change::Join { port, tuple },
            Change::Attach {
                network,
                policy,
                before,
                after,
            } => match before {
                Some(before) => Change::Attach {
                    network,
                    policy,
                    before: Some(after),
                    after: before,
                },
                None => Change::Detach {
                    network,
                    policy,
                    before: after,
                },
            },
            Change::Detach {
                network,
                policy,
                before,
            } => Change::Attach {
                network,
                policy,
                before: None,
                after: before,
            },
        }
    }

    /// What is done, to what, and more about it.
    fn words(&self) -> (&'static str, Target, String) {
        let place = |link: &PolicyLink| match link.sequence {
            Some(sequence) => format!(" with sequence {sequence}"),
            None => String::new(),
        };
        match self {
            Change::Create(object) => ("create", object.target(), String::new()),
            Change::Delete(object) => ("delete", object.target(), String::new()),
            Change::Update { target, what, .. } => ("change", target.clone(), what.clone()),
            Change::Join { port, tuple } => (
                "join",
                port.clone(),
                format!("to port tuple {}", tuple.name),
            ),
            Change::Leave { port, tuple } => (
                "leave",
                port.clone(),
                format!("from port tuple {}", tuple.name),
            ),
            Change::Attach {
                network,
                policy,
                after,
                ..
            } => (
                "attach",
                policy.clone(),
                format!("to {}{}", network.name, place(after)),
            ),
            Change::Detach {
                network, policy, ..
            } => ("detach", policy.clone(), format!("from {}", network.name)),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (action, target, detail) = self.words();
        write!(f, "{action} {} {}", target.kind, target.name)?;
        match detail.is_empty() {
            true => Ok(()),
            false => write!(f, " {detail}"),
        }
    }
}

impl Serialize for Change {
    /// What people see, in parts.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (action, target, detail) = self.words();
        let mut fields = serializer.serialize_struct("Change", 5)?;
        fields.serialize_field("action", action)?;
        fields.serialize_field("type", target.kind)?;
        fields.serialize_field("name", &target.name.to_string())?;
        fields.serialize_field("uuid", &target.uuid)?;
        fields.serialize_field("detail", &detail)?;
        fields.end()
    }
}
