//! An object that is about to be created or changed, and the references in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::call::parse_uuid;
use super::error::{ApiError, Result};
use super::python_repr::repr;
use super::schema::Kind;
use super::state::State;
use super::store::Ref;

/// What a request will make of an object, for the rules of its type to look at and complete.
pub struct Draft<'a> {
    /// The object's type.
    pub kind: Kind,
    /// Its id.
    pub uuid: Uuid,
    /// Its name.
    pub fq_name: Vec<String>,
    /// Its parent.
    pub parent: Option<(Kind, Uuid)>,
    /// The properties to set; null removes one.
    pub props: Map<String, Value>,
    /// The references to set, by the type of their targets: all of that type are replaced.
    pub refs: BTreeMap<Kind, Vec<Ref>>,
    /// The object as it was sent.
    pub sent: &'a Map<String, Value>,
}

impl Draft<'_> {
    /// The references to objects of a type that will be set.
    pub fn refs_to(&self, kind: Kind) -> &[Ref] {
        self.refs.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// A property to set, when it is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.props.get(name).and_then(Value::as_str)
    }
}

/// The properties of an object that the schema knows.
pub fn known_props(kind: Kind, sent: &Map<String, Value>) -> Map<String, Value> {
    sent.iter()
        .filter(|(name, _)| kind.prop(name).is_some())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn name_parts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(parts) => parts
            .iter()
            .map(|part| part.as_str().map(str::to_owned))
            .collect(),
        // A string is a sequence of its characters.
        Value::String(text) => Some(text.chars().map(String::from).collect()),
        _ => None,
    }
}

/// The name that a request gives, part by part.
///
/// # Errors
/// 500 when it is neither a list of strings nor a string.
pub fn fq_name(value: &Value) -> Result<Vec<String>> {
    name_parts(value).ok_or_else(ApiError::internal)
}

/// The references of a new object. `to` decides; a `uuid` beside it must only exist.
///
/// # Errors
/// The server's texts for references that are unknown, incomplete or no references.
pub fn new_refs(
    state: &State,
    kind: Kind,
    sent: &Map<String, Value>,
) -> Result<BTreeMap<Kind, Vec<Ref>>> {
    let mut refs = BTreeMap::new();
    let mut without_name = false;
    for (field, value) in sent {
        let Some((_, to_kind)) = kind.link_of_field(field) else {
            continue;
        };
        let mut of_kind = Vec::new();
        for element in elements(value)? {
            let uuid = element.get("uuid").filter(|uuid| !uuid.is_null());
            if let Some(uuid) = uuid {
                existing(state, uuid)?;
            }
            let Some(to) = element.get("to") else {
                if uuid.is_none() {
                    return Err(ApiError::internal());
                }
                without_name = true;
                continue;
            };
            let to = state.store.find(to_kind, &fq_name(to)?).ok_or_else(|| {
                let sent = repr(&Value::Object(sent.clone()));
                ApiError::bad_request(format!("Unknown reference in resource create {sent}."))
            })?;
            of_kind.push(reference(to, element));
        }
        refs.insert(to_kind, of_kind);
    }
    if without_name {
        return Err(ApiError::traceback("KeyError: 'to'"));
    }
    Ok(refs)
}

/// The references that an update replaces. `uuid` decides; `to` is enough without it.
///
/// # Errors
/// The server's texts for references that are unknown or no references.
pub fn changed_refs(
    state: &State,
    kind: Kind,
    sent: &Map<String, Value>,
) -> Result<BTreeMap<Kind, Vec<Ref>>> {
    let mut refs = BTreeMap::new();
    for (field, value) in sent {
        let Some((_, to_kind)) = kind.link_of_field(field) else {
            continue;
        };
        let mut of_kind = Vec::new();
        // Unlike in a new object, null means none here.
        let value = if value.is_null() {
            &Value::Array(Vec::new())
        } else {
            value
        };
        for element in elements(value)? {
            let to = match (element.get("uuid"), element.get("to")) {
                (Some(uuid @ Value::String(_)), _) => existing(state, uuid)?,
                (_, Some(to)) => state.store.find(to_kind, &fq_name(to)?).ok_or_else(|| {
                    let sent = repr(&Value::Object(sent.clone()));
                    ApiError::bad_request(format!("Unknown reference in resource update {sent}."))
                })?,
                _ => return Err(ApiError::internal()),
            };
            of_kind.push(reference(to, element));
        }
        refs.insert(to_kind, of_kind);
    }
    Ok(refs)
}

fn elements(value: &Value) -> Result<Vec<&Map<String, Value>>> {
    match value {
        Value::Null => Err(ApiError::traceback(
            "TypeError: 'NoneType' object is not iterable",
        )),
        Value::Array(elements) => elements
            .iter()
            .map(|element| element.as_object().ok_or_else(ApiError::internal))
            .collect(),
        _ => Err(ApiError::internal()),
    }
}

fn existing(state: &State, uuid: &Value) -> Result<Uuid> {
    let text = uuid.as_str().ok_or_else(ApiError::internal)?;
    parse_uuid(text)
        .filter(|uuid| state.store.get(*uuid).is_some())
        .ok_or_else(|| ApiError::unknown_id(text))
}

fn reference(to: Uuid, element: &Map<String, Value>) -> Ref {
    Ref {
        to,
        attr: element.get("attr").cloned().unwrap_or_default(),
        relaxed: false,
    }
}
