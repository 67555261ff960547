//! What the configuration API means when it refuses a request: a pure function of its status and
//! text.
//!
//! The API's errors are texts for people, and their statuses changed between versions: exhausted is
//! 400 or 500, an address in use 400, 403 or 409. Only what is the same in all versions counts.

use std::net::IpAddr;

use uuid::Uuid;

use super::object_type::ObjectType;
use crate::error::Error;
use crate::http::{Method, Response};
use crate::values::FqName;

/// The object that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its type.
    pub object_type: ObjectType,
    /// Its name, or its id if only that is known.
    pub name: String,
    /// Its id, if that is known.
    pub uuid: Option<Uuid>,
}

impl Subject {
    /// An object that is known by its id.
    pub fn of_id(object_type: ObjectType, uuid: Uuid) -> Self {
        Self {
            object_type,
            name: uuid.to_string(),
            uuid: Some(uuid),
        }
    }

    /// An object that is known by its name.
    pub fn of_name(object_type: ObjectType, name: &FqName) -> Self {
        Self {
            object_type,
            name: name.to_string(),
            uuid: None,
        }
    }

    fn kind(&self) -> &'static str {
        self.object_type.name()
    }
}

/// A refused request, as far as its meaning depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The service with its address.
    pub service: String,
    /// The method.
    pub method: Method,
    /// The path, without query.
    pub path: String,
    /// The object that the request is about.
    pub subject: Subject,
    /// The HTTP status.
    pub status: u16,
    /// The reason as plain text.
    pub text: String,
}

impl Refusal {
    /// The error of a refusal whose reason has no variant of its own.
    pub fn refused(&self) -> Error {
        Error::Refused {
            service: self.service.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            status: self.status,
            message: self.text.clone(),
        }
    }

    fn foreign(&self, response: &Response) -> Error {
        foreign(response, &self.service, &self.method, &self.path)
    }

    fn not_found(&self) -> Error {
        Error::NotFound {
            kind: self.subject.kind(),
            name: self.subject.name.clone(),
            hint: None,
        }
    }

    fn missing_reference(&self, message: Option<String>) -> Error {
        Error::MissingReference {
            kind: self.subject.kind(),
            name: self.subject.name.clone(),
            message,
        }
    }

    fn is_creation(&self) -> bool {
        self.method == Method::POST && self.path.ends_with('s')
    }
}

/// The error of an answer that is not the API's.
pub fn foreign(response: &Response, service: &str, method: &Method, path: &str) -> Error {
    Error::Foreign {
        service: service.to_owned(),
        method: method.clone(),
        path: path.to_owned(),
        status: response.status,
        content: response.described(),
    }
}

/// How the API, in all its versions, says that an object does not exist: the beginning of the text, and
/// what follows later in it.
const MISSING: [(&str, &str); 7] = [
    ("Unknown id", ""),
    ("No ", " object found for id"),
    ("ID ", " does not exist"),
    ("Name", " not found"),
    ("UUID ", " not found"),
    ("Subnet id ", " not found"),
    ("Virtual Network ", " not found"),
];

/// Whether a 404 says that an object is missing.
pub fn is_missing(response: &Response) -> bool {
    let text = response.text();
    response.status == 404
        && MISSING
            .iter()
            .any(|(start, end)| text.starts_with(start) && text.contains(end))
}

/// Whether a 404 says that the server does not know the path or the type.
fn is_unknown_path(text: &str) -> bool {
    text.starts_with("Not found: '") || text.starts_with("Resource type ")
}

/// Whether this may be the API's answer to a change that it made: JSON, or an empty body.
pub fn is_acknowledgement(response: &Response) -> bool {
    let body = response.json_body().trim_ascii();
    let json = || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    response.is_success() && (body.is_empty() || json())
}

/// The error of a refused request.
pub fn classify(refusal: &Refusal, response: &Response) -> Error {
    let text = refusal.text.as_str();
    match refusal.status {
        // The API never redirects.
        300..=399 => refusal.foreign(response),
        404 if is_missing(response) => missing(refusal),
        404 if !is_unknown_path(text) => refusal.foreign(response),
        400 | 500 if misses_reference(refusal) => refusal.missing_reference(None),
        409 if text.starts_with("Delete when ") => match refusal.subject.uuid {
            Some(uuid) => Error::InUse {
                kind: refusal.subject.kind(),
                uuid,
                by: users(text),
            },
            None => refusal.refused(),
        },
        409 if has_address_in_use(text) => match refusal.subject.uuid {
            Some(uuid) => Error::InUse {
                kind: refusal.subject.kind(),
                uuid,
                by: bracketed(text).into_iter().map(str::to_owned).collect(),
            },
            None => refusal.refused(),
        },
        _ if is_duplicate(text) => Error::AlreadyExists {
            kind: refusal.subject.kind(),
            name: refusal.subject.name.clone(),
            uuid: existing_id(text),
        },
        _ => refusal.refused(),
    }
}

/// Whether a refusal says that an object that the request refers to does not exist: 400 by a name alone,
/// 500 if an id goes with it, which was not read either.
fn misses_reference(refusal: &Refusal) -> bool {
    let text = refusal.text.as_str();
    let by_id = refusal.is_creation() && text.contains("NoIdError: Unknown id: ");
    text.starts_with("Unknown reference") || refusal.status == 500 && by_id
}

/// Which object a 404 misses: of a creation the parent (by name) or one that it refers to (by id).
fn missing(refusal: &Refusal) -> Error {
    if !refusal.is_creation() {
        return refusal.not_found();
    }
    let subject = &refusal.subject;
    match quoted(&refusal.text) {
        parts if parts.is_empty() => refusal.missing_reference(Some(refusal.text.clone())),
        parts => match subject.object_type.parent() {
            Some(parent) => Error::NotFound {
                kind: parent,
                name: parts.join(":"),
                hint: Some(format!(
                    "it must exist before its {} {}",
                    subject.kind(),
                    subject.name
                )),
            },
            None => refusal.missing_reference(Some(refusal.text.clone())),
        },
    }
}

/// Which of two linked objects a refused change of their reference is about: `to` if the text names it as
/// missing, by id or by name, else `from`.
///
/// ```
/// use contrail_core::api::{ObjectType, errors::{self, Subject}};
/// use uuid::Uuid;
///
/// let (port, vm) = (Uuid::from_u128(1), Uuid::from_u128(2));
/// let name = "vm".parse()?;
/// let from = Subject::of_id(ObjectType::new("virtual-machine-interface"), port);
/// let to = (ObjectType::new("virtual-machine"), vm, &name);
/// let text = "Unknown id: 00000000-0000-0000-0000-000000000002";
/// assert_eq!(errors::subject_of_link(text, from, to).uuid, Some(vm));
/// # Ok::<(), contrail_core::Error>(())
/// ```
pub fn subject_of_link(text: &str, from: Subject, to: (ObjectType, Uuid, &FqName)) -> Subject {
    let (object_type, uuid, name) = to;
    let is_missing = match missing_id(text) {
        Some(id) => id == uuid,
        None => text.starts_with("Name") && quoted(text) == name.parts(),
    };
    match is_missing {
        true => Subject::of_id(object_type, uuid),
        false => from,
    }
}

/// The id that a text says to be unknown: the first word that is one, since it has no name in it.
fn missing_id(text: &str) -> Option<Uuid> {
    let says_id = MISSING
        .iter()
        .any(|(start, end)| *start != "Name" && text.starts_with(start) && text.contains(end));
    let mut words = text.split_whitespace().filter(|_| says_id);
    words.find_map(|word| word.trim_end_matches(['!', '.', ',']).parse().ok())
}

/// The refusal to remove a subnet: `Cannot update IP Block, IP(10.1.1.9) is not in subnets ([])`, in
/// older servers `Cannot Delete IP Block, IP(10.1.1.9) is in use`.
fn has_address_in_use(text: &str) -> bool {
    let text = text.strip_prefix("Cannot ").unwrap_or_default();
    let starts = ["update IP Block, IP(", "Delete IP Block, IP("];
    starts.iter().any(|start| text.starts_with(start))
}

/// The text between the first parentheses.
fn bracketed(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('(')?;
    rest.split_once(')').map(|(inside, _)| inside)
}

/// `[…] already exists with uuid: u`, `u already exists with fq_name: […]`, and the text of a lost
/// race for a name.
fn is_duplicate(text: &str) -> bool {
    text.contains(" already exists with ") || has_lost_race(text, "fq-name-to-uuid/")
}

/// Whether another client was faster with something of that kind:
/// `FQ Name: /fq-name-to-uuid/… exists already with ID: u at zookeeper`. On servers with a `cluster_id`
/// the id is before the first slash.
fn has_lost_race(text: &str, kind: &str) -> bool {
    let path = text.strip_prefix("FQ Name: ");
    let path = path.filter(|path| path.contains(" exists already with ID"));
    let below_cluster = path.and_then(|path| path.split_once('/'));
    below_cluster.is_some_and(|(_, path)| path.starts_with(kind))
}

/// What a refused creation of an instance IP says about its address.
///
/// "Exhausted" is what the API says for five causes: no address left, no subnet, none of that
/// family, an address outside of all subnets, an address of the other family.
pub fn address(refusal: &Refusal, network: &FqName, wanted: Option<IpAddr>) -> Option<Error> {
    let network = network.clone();
    let text = refusal.text.to_ascii_lowercase();
    let lost_race = has_lost_race(&refusal.text, "api-server/subnets/");
    if text.contains("address already in use") || lost_race {
        let address = wanted?;
        return Some(Error::AddressInUse { address, network });
    }
    let is_exhausted = text.contains("has exhausted subnet")
        || text.contains("has no defined subnet")
        || text.contains("has invalid subnet");
    let reason = match wanted {
        _ if text.starts_with("gateway ip cannot be used") => match wanted {
            Some(address) => format!("{address} is the gateway of its subnet"),
            None => refusal.text.clone(),
        },
        Some(address) if is_exhausted => format!("{address} is outside of all its subnets"),
        None if is_exhausted => {
            "its subnets of that family are exhausted, or it has none".to_owned()
        }
        _ => return None,
    };
    Some(Error::NoAddress { network, reason })
}

/// The quoted items of a Python list such as `['default-domain', u'p1']`.
fn quoted(text: &str) -> Vec<String> {
    let list = text.split_once('[').map_or("", |(_, list)| list);
    let mut items = Vec::new();
    let mut rest = list.split(']').next().unwrap_or_default();
    while let Some(start) = rest.find(['\'', '"']) {
        let quote = &rest[start..=start];
        let Some((item, after)) = rest[start + 1..].split_once(quote) else {
            break;
        };
        items.push(item.to_owned());
        rest = after;
    }
    items
}

/// The objects that the links of a Python list name, as `type/id`.
fn users(text: &str) -> Vec<String> {
    let short = |link: String| {
        let parts: Vec<&str> = link.rsplitn(3, '/').collect();
        match parts.as_slice() {
            [id, kind, _] => format!("{kind}/{id}"),
            _ => link,
        }
    };
    quoted(text).into_iter().map(short).collect()
}

/// The id of the object that already exists. It is found by its place in the three texts of a duplicate:
/// names are foreign input and may hold ids and any of these words themselves.
fn existing_id(text: &str) -> Option<Uuid> {
    let last = |text: &str, words: &str| Some(text.rsplit_once(words)?.1.to_owned());
    let id = if text.starts_with('[') {
        last(text, " already exists with uuid: ")?
    } else if let Some(race) = text.strip_suffix(" at zookeeper") {
        last(race, " exists already with ID: ")?
    } else {
        text.split_once(" already exists with fq_name: ")?
            .0
            .to_owned()
    };
    id.trim().parse().ok()
}

#[cfg(test)]
#[path = "errors_test.rs"]
mod tests;
