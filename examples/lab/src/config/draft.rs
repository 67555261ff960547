//! An object that is about to be created or changed, and the references in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::{ApiError, Result};
use super::identifier::{fq_name, parse_uuid};
use super::python_repr::repr;
use super::races::Seen;
use super::schema::Kind;
use super::state::State;
use super::store::{Object, Ref};

/// What a request will make of an object, for the rules of its type to look at and complete.
pub struct Draft<'a> {
    /// The object with only the properties and references to set: null removes a property, and of the
    /// types that have references here, all are replaced.
    pub object: Object,
    /// The object as it was sent.
    pub sent: &'a Map<String, Value>,
    /// The address that is asked for was free when the request arrived.
    pub address_was_free: bool,
}

/// The properties of an object that the schema knows.
pub fn known_props(kind: Kind, sent: &Map<String, Value>) -> Map<String, Value> {
    sent.iter()
        .filter(|(name, _)| kind.prop(name).is_some())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The references of a new object. `to` decides; a `uuid` beside it matters only for which error
/// an unknown name gets.
///
/// # Errors
/// The server's texts for references that are unknown, incomplete or no references.
pub fn new_refs(
    state: &State,
    seen: &Seen,
    kind: Kind,
    sent: &Map<String, Value>,
) -> Result<BTreeMap<Kind, Vec<Ref>>> {
    check_names(state, seen, kind, sent, "create")?;
    let mut refs = BTreeMap::new();
    for (to_kind, elements) in links_of(kind, sent)? {
        let mut of_kind = Vec::new();
        for element in elements {
            check_network(state, (kind, to_kind), element)?;
            let to = named(state, seen, to_kind, element)?;
            check_ipam(state, (kind, to_kind), element)?;
            of_kind.push(reference(to, element));
        }
        refs.insert(to_kind, of_kind);
    }
    Ok(refs)
}

/// The references that an update replaces. `uuid` decides, and need not exist; `to` is enough if it
/// is absent.
///
/// # Errors
/// The server's texts for references that are unknown or no references.
pub fn changed_refs(
    state: &State,
    kind: Kind,
    sent: &Map<String, Value>,
) -> Result<BTreeMap<Kind, Vec<Ref>>> {
    // Unlike in a new object, null means none here.
    let is_ref = |field: &str| kind.link_of_field(field).is_some();
    let lists = sent
        .iter()
        .filter(|(field, value)| is_ref(field) && !value.is_null());
    let lists = lists
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect();
    let seen = &Seen::default();
    check_names(
        state,
        seen,
        kind,
        &lists,
        &format!("update {}", kind.field()),
    )?;
    let mut refs = BTreeMap::new();
    for (to_kind, elements) in links_of(kind, &lists)? {
        let mut of_kind = Vec::new();
        for element in elements {
            check_changed_ipam(state, kind, to_kind, element)?;
            let to = match element.get("uuid").and_then(Value::as_str).map(parse_uuid) {
                Some(Some(uuid)) => uuid,
                Some(None) => return Err(ApiError::internal()),
                None => named(state, seen, to_kind, element)?,
            };
            of_kind.push(reference(to, element));
        }
        refs.insert(to_kind, of_kind);
    }
    let cleared = sent.iter().filter(|(_, value)| value.is_null());
    let cleared = cleared.filter_map(|(field, _)| kind.link_of_field(field));
    refs.extend(cleared.map(|(_, to_kind)| (to_kind, Vec::new())));
    Ok(refs)
}

/// The lists of references in an object, by the type of their targets.
fn links_of(kind: Kind, sent: &Map<String, Value>) -> Result<Vec<(Kind, Elements<'_>)>> {
    let links = sent.iter().filter_map(|(field, value)| {
        let (_, to_kind) = kind.link_of_field(field)?;
        Some(elements(value).map(|elements| (to_kind, elements)))
    });
    links.collect()
}

/// What the server checks of all references before it looks at any of them closely: the name of one
/// that has no id.
fn check_names(
    state: &State,
    seen: &Seen,
    kind: Kind,
    sent: &Map<String, Value>,
    what: &str,
) -> Result<()> {
    for (to_kind, elements) in links_of(kind, sent)? {
        for element in elements {
            let Some(to) = element.get("to").filter(|_| !has_id(element)) else {
                continue;
            };
            if seen.find(state, to_kind, &target_name(to)?).is_none() {
                let sent = repr(&Value::Object(sent.clone()));
                let text = format!("Unknown reference in resource {what} {sent}.");
                return Err(ApiError::bad_request(text));
            }
        }
    }
    Ok(())
}

fn has_id(element: &Map<String, Value>) -> bool {
    element.get("uuid").is_some_and(|uuid| !uuid.is_null())
}

fn target_name(to: &Value) -> Result<Vec<String>> {
    if to.is_null() {
        return Err(ApiError::traceback("TypeError: can only join an iterable"));
    }
    fq_name(to)
}

/// The object that a reference names.
fn named(state: &State, seen: &Seen, to_kind: Kind, element: &Map<String, Value>) -> Result<Uuid> {
    let missing = || match has_id(element) {
        true => ApiError::traceback("KeyError: 'to'"),
        false => ApiError::internal(),
    };
    let name = target_name(element.get("to").ok_or_else(missing)?)?;
    let found = seen.find(state, to_kind, &name);
    found.ok_or_else(|| {
        let shown = format!("{} {}", to_kind.field(), name.join(":"));
        ApiError::no_id_error(&shown)
    })
}

/// The types at the two ends of a reference.
type Ends = (Kind, Kind);

/// The server reads the network of an interface by its id before anything else.
fn check_network(state: &State, ends: Ends, element: &Map<String, Value>) -> Result<()> {
    let read = (
        state.kinds.virtual_machine_interface,
        state.kinds.virtual_network,
    );
    refuse_unknown_id(state, ends, read, element, ApiError::unknown_id)
}

/// The server reads the IPAMs of a network by their ids before it stores anything.
fn check_ipam(state: &State, ends: Ends, element: &Map<String, Value>) -> Result<()> {
    let read = (state.kinds.virtual_network, state.kinds.network_ipam);
    refuse_unknown_id(state, ends, read, element, ApiError::no_id_error)
}

/// Refuses a reference between the types of `read` if no object has the id in it.
fn refuse_unknown_id(
    state: &State,
    ends: Ends,
    read: Ends,
    element: &Map<String, Value>,
    refusal: fn(&str) -> ApiError,
) -> Result<()> {
    let id = element.get("uuid").and_then(Value::as_str);
    let known = |id: &str| parse_uuid(id).and_then(|uuid| state.store.get_kind(ends.1, uuid));
    match id.filter(|id| ends == read && known(id).is_none()) {
        Some(id) => Err(refusal(id)),
        None => Ok(()),
    }
}

/// As [`check_ipam`], in a change: the name must be there and known, too.
fn check_changed_ipam(
    state: &State,
    kind: Kind,
    to_kind: Kind,
    element: &Map<String, Value>,
) -> Result<()> {
    let kinds = state.kinds;
    if (kind, to_kind) != (kinds.virtual_network, kinds.network_ipam) {
        return Ok(());
    }
    let to = element.get("to");
    let name = target_name(to.ok_or_else(|| ApiError::traceback("KeyError: 'to'"))?)?;
    check_ipam(state, (kind, to_kind), element)?;
    match state.store.find(to_kind, &name) {
        Some(_) => Ok(()),
        None => Err(ApiError::traceback(format!(
            "Unknown id: {} {}",
            to_kind.field(),
            name.join(":")
        ))),
    }
}

/// The references of one list.
type Elements<'a> = Vec<&'a Map<String, Value>>;

fn elements(value: &Value) -> Result<Elements<'_>> {
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

fn reference(to: Uuid, element: &Map<String, Value>) -> Ref {
    Ref {
        to,
        attr: element.get("attr").cloned().unwrap_or_default(),
        relaxed: false,
    }
}
