//! A service chain as a person describes it: the file `chain.json`.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::types::{Direction, Leg, Mode, Ports, Protocol};
use crate::error;
use crate::values::text::without_bom;

/// A chain of services between two networks.
///
/// Networks, services and templates are given by their name in the caller's project (templates: in
/// its domain) or by their fully qualified name with colons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with name, left, right and services is expected"
)]
pub struct Description {
    /// The name of the chain and of its network policy.
    pub name: String,
    /// The network on the left.
    pub left: String,
    /// The network on the right.
    pub right: String,
    /// Which side may open connections.
    #[serde(default)]
    pub direction: Direction,
    /// The protocol that goes through the services; nothing else passes between the networks.
    #[serde(default)]
    pub protocol: Protocol,
    /// The ports that it comes from, as seen from the left.
    #[serde(default, skip_serializing_if = "Ports::is_any")]
    pub source_ports: Ports,
    /// The ports that it goes to, as seen from the left.
    #[serde(default, skip_serializing_if = "Ports::is_any")]
    pub destination_ports: Ports,
    /// The place of the policy among those of both networks; lower ones come first. If unset, the
    /// policy stays where it is, or is placed behind the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i32>,
    /// The services, in the order from left to right.
    pub services: Vec<Service>,
}

/// One service of a chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The name of the service instance.
    pub name: String,
    /// How it sees the packets.
    #[serde(default)]
    pub mode: Mode,
    /// The service template. If unset, one that fits is used, and created if it does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The networks of its ports where they are not the chain's.
    #[serde(default, skip_serializing_if = "Networks::is_empty")]
    pub networks: Networks,
    /// What does the work: each one gets a port tuple, several share the traffic. Containers that
    /// join the service by their own configuration are members besides those; `members` may be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
}

/// The networks of a service's ports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Networks {
    /// The left one, of a transparent service; if unset, the chain's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    /// The right one, of a transparent service; if unset, the chain's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
    /// The one for management; if unset, there is no such port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management: Option<String>,
}

impl Networks {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What does the work of a service. In a document, a plain string is the name of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "MemberForm")]
pub struct Member {
    /// A container, by the name that its ports show in the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// A container, by the id that its runtime gave it, or the first 12 characters of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// A virtual machine, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm: Option<Uuid>,
    /// Its left port: the id of a VM interface, or the name of the interface in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Port>,
    /// Its right port, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<Port>,
    /// Its port for management, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management: Option<Port>,
}

impl Member {
    /// What the description says of one of the ports.
    pub fn port(&self, leg: Leg) -> Option<&Port> {
        match leg {
            Leg::Left => self.left.as_ref(),
            Leg::Right => self.right.as_ref(),
            Leg::Management => self.management.as_ref(),
        }
    }

    /// Whether it says whose ports are meant, besides naming them one by one.
    pub fn selects(&self) -> bool {
        self.selectors() > 0
    }

    pub(super) fn selectors(&self) -> usize {
        let given = [
            self.container.is_some(),
            self.container_id.is_some(),
            self.vm.is_some(),
        ];
        given.into_iter().filter(|given| *given).count()
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.container {
            return write!(f, "container {name}");
        }
        if let Some(id) = &self.container_id {
            return write!(f, "container id {id}");
        }
        if let Some(id) = &self.vm {
            return write!(f, "virtual machine {id}");
        }
        let ports = Leg::ALL.into_iter().filter_map(|leg| self.port(leg));
        let ports: Vec<String> = ports.map(Port::to_string).collect();
        write!(f, "the pair of {}", ports.join(" and "))
    }
}

/// A port, as a description names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// The id of a VM interface.
    Id(Uuid),
    /// The name of the interface in the container.
    Named(String),
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Id(id) => write!(f, "{id}"),
            Port::Named(name) => f.write_str(name),
        }
    }
}

impl Serialize for Port {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.parse() {
            Ok(id) => Port::Id(id),
            Err(_) => Port::Named(text),
        })
    }
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a container's name, or an object with container, container_id, vm, left, right or management"
)]
enum MemberForm {
    Name(String),
    Full(MemberFields),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberFields {
    container: Option<String>,
    container_id: Option<String>,
    vm: Option<Uuid>,
    left: Option<Port>,
    right: Option<Port>,
    management: Option<Port>,
}

impl From<MemberForm> for Member {
    fn from(form: MemberForm) -> Self {
        match form {
            MemberForm::Name(name) => Member {
                container: Some(name),
                ..Member::default()
            },
            MemberForm::Full(fields) => Member {
                container: fields.container,
                container_id: fields.container_id,
                vm: fields.vm,
                left: fields.left,
                right: fields.right,
                management: fields.management,
            },
        }
    }
}

impl Description {
    /// Reads a document. A byte order mark before it is skipped. `what` names it in errors.
    ///
    /// # Errors
    /// [`Error::Decode`](error::Error::Decode) with the line and column where it stops making sense.
    ///
    /// ```
    /// use contrail_core::service_chain::{Description, Direction, Mode};
    ///
    /// let text = r#"{"name": "c1", "left": "net1", "right": "net2",
    ///     "services": [{"name": "fw", "members": ["fw-1", {"container_id": "4711"}]}]}"#;
    /// let description = Description::read(text, "c1.json")?;
    /// assert_eq!(description.direction, Direction::default());
    /// let service = &description.services[0];
    /// assert_eq!((service.mode, service.members.len()), (Mode::InNetwork, 2));
    ///
    /// let error = Description::read(r#"{"name": "c1"}"#, "c1.json").unwrap_err();
    /// assert!(contrail_core::error::report(&error).contains("missing field `left`"));
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn read(text: &str, what: &str) -> error::Result<Self> {
        serde_json::from_str(without_bom(text)).map_err(|source| error::Error::Decode {
            what: what.to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_however_an_editor_left_it() {
        let text = r#"{"name": "c1", "left": "a", "right": "b", "services": []}"#;
        let expected = Description::read(text, "c1.json").unwrap();
        let with_tabs = text.replace(' ', "\t\r\n");
        for left in [
            format!("\u{feff}{text}"),
            format!("\u{feff}{with_tabs}\r\n"),
            format!("\t{text}\r"),
            with_tabs,
        ] {
            let read = Description::read(&left, "c1.json");
            assert_eq!(read.ok().as_ref(), Some(&expected), "{left:?}");
        }
        // Only before the document.
        for left in [format!("{text}\u{feff}"), format!("\u{feff}\u{feff}{text}")] {
            assert!(Description::read(&left, "c1.json").is_err(), "{left:?}");
        }
    }
}
