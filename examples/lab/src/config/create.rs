//! `POST /<type>s`.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::{Call, Reply};
use super::check::is_falsy;
use super::draft::{Draft, known_props, new_refs};
use super::error::{ApiError, Result};
use super::identifier::fq_name;
use super::python_repr::{repr, repr_list};
use super::schema::Kind;
use super::state::State;
use super::store::Object;
use super::{check, meta, quota, types};

/// Creates an object. The checks come in the server's order, since it decides which text a
/// request with two mistakes gets.
///
/// # Errors
/// Whatever is wrong first.
pub fn create(state: &mut State, call: &Call<'_>, kind: Kind) -> Result<Reply> {
    let mut body = call.json_object()?;
    let Some(Value::Object(mut sent)) = body.remove(kind.name()) else {
        return Err(ApiError::internal());
    };
    check_name(kind, &sent)?;
    // The server looks into it before it checks any property.
    if sent
        .get("id_perms")
        .is_some_and(|perms| !perms.is_null() && !perms.is_object())
    {
        return Err(ApiError::internal());
    }
    check::properties(kind, &mut sent)
        .map_err(|text| ApiError::bad_request(format!("Bad property in create: {text}")))?;
    check::references(kind, &mut sent)
        .map_err(|text| ApiError::bad_request(format!("Bad reference in create: {text}")))?;
    let name_value = sent.get("fq_name").cloned().unwrap_or_default();
    let name = fq_name(&name_value)?;
    let parent_kind = parent_kind(kind, &sent, &name)?;
    check_name_is_free(state, call, kind, &name, &name_value)?;
    let uuid = chosen_uuid(state, call, kind, &sent)?;
    let parent = parent_kind
        .map(|parent| find_parent(state, parent, &name, &name_value))
        .transpose()?;
    call.caller.may_have_child(state, parent)?;
    complete(state, call, kind, &mut sent, &name, parent)?;
    let refs = new_refs(state, &call.seen, kind, &sent)?;
    call.caller.may_refer(state, &refs)?;
    quota::check(state, kind, parent)?;
    let mut draft = Draft {
        object: Object {
            kind,
            uuid: uuid.unwrap_or_else(Uuid::new_v4),
            fq_name: name,
            parent,
            props: known_props(kind, &sent),
            refs,
        },
        sent: &sent,
        address_was_free: call.seen.address_was_free(),
    };
    types::before_create(state, &mut draft)?;
    let object = store(state, draft.object);
    types::after_create(state, &object);
    Ok(Reply::Json(json!({ kind.name(): answer(call, &object) })))
}

/// Adds the object to the store. From here on nothing can fail.
pub(super) fn store(state: &mut State, mut object: Object) -> Object {
    object.props.retain(|_, value| !value.is_null());
    meta::stamp_created(&mut object.props, object.uuid);
    state.store.insert(object.clone());
    state.touch();
    object
}

/// The answer holds nothing that the server chose but the id.
fn answer(call: &Call<'_>, object: &Object) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("name".into(), json!(object.name()));
    answer.insert("fq_name".into(), json!(object.fq_name));
    answer.insert("uuid".into(), json!(object.uuid));
    answer.insert("href".into(), json!(call.href(object.kind, object.uuid)));
    if let Some((kind, uuid)) = object.parent {
        answer.insert("parent_type".into(), json!(kind.name()));
        answer.insert("parent_uuid".into(), json!(uuid));
        answer.insert("parent_href".into(), json!(call.href(kind, uuid)));
    }
    answer
}

fn check_name(kind: Kind, sent: &Map<String, Value>) -> Result<()> {
    let name = match sent.get("fq_name") {
        None | Some(Value::Null) => {
            return Err(ApiError::bad_request(
                "Bad Request, no fq_name in POST body",
            ));
        }
        Some(value) => fq_name(value)?,
    };
    let last = name.last().ok_or_else(ApiError::internal)?;
    let is_control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if last.contains(is_control) {
        let text = "Bad Request, name has illegal xml characters";
        return Err(ApiError::bad_request(text));
    }
    if last.contains(':') && kind.name() != "route-target" {
        let text = "Bad Request, name has one of invalid chars {':'}";
        return Err(ApiError::bad_request(text));
    }
    Ok(())
}

/// The index of names knows a name first; another create or a delete that is not through may still
/// hold it then.
fn check_name_is_free(
    state: &State,
    call: &Call<'_>,
    kind: Kind,
    name: &[String],
    shown: &Value,
) -> Result<()> {
    let Some(holder) = state.holder(kind, name) else {
        return Ok(());
    };
    if call.seen.overwrites(holder) {
        return Ok(());
    }
    if call.seen.lost_name(holder) || state.store.find(kind, name).is_none() {
        return Err(state.name_is_held(kind, name, holder));
    }
    let text = format!("{} already exists with uuid: {holder}", repr(shown));
    Err(ApiError::new(409, text))
}

fn chosen_uuid(
    state: &State,
    call: &Call<'_>,
    kind: Kind,
    sent: &Map<String, Value>,
) -> Result<Option<Uuid>> {
    let text = match sent.get("uuid") {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value.as_str().ok_or_else(ApiError::internal)?,
    };
    let uuid = Uuid::try_parse(text).map_err(|_| ApiError::internal())?;
    if super::identifier::parse_uuid(text).is_none() {
        return Err(ApiError::bad_request(format!(
            "Invalid UUID format: {text}"
        )));
    }
    let overwritten = |object: &&Object| object.kind == kind && call.seen.overwrites(uuid);
    if let Some(object) = state.store.get(uuid).filter(|object| !overwritten(object)) {
        let name = repr_list(&object.fq_name);
        let text = format!("{uuid} already exists with fq_name: {name}");
        return Err(ApiError::new(409, text));
    }
    Ok(Some(uuid))
}

/// The type of the parent that the object names; `None` for an object without one, which an
/// object with a single possible type of parent becomes when it does not name it.
fn parent_kind(kind: Kind, sent: &Map<String, Value>, name: &[String]) -> Result<Option<Kind>> {
    let allowed = kind.parents();
    let of_root = allowed.iter().any(|parent| parent == "config-root");
    let given = sent.get("parent_type").filter(|value| !value.is_null());
    let no_parent = |name: &[String]| {
        let name = repr_list(name);
        ApiError::bad_request(format!(
            "Invalid fq-name of an object with no parent: {name}"
        ))
    };
    let Some(given) = given else {
        return match allowed {
            [_] if of_root && name.len() != 1 => Err(no_parent(name)),
            [_] => Ok(None),
            _ if of_root && name.len() == 1 => Ok(None),
            _ => Err(ApiError::bad_request(format!(
                "Missing parent type: None. Allowed types: {}",
                repr_list(allowed)
            ))),
        };
    };
    let given = given.as_str().ok_or_else(ApiError::internal)?;
    if !allowed.iter().any(|parent| parent == given) {
        return Err(ApiError::bad_request(format!(
            "Invalid parent type: {given}. Allowed types: {}",
            repr_list(allowed)
        )));
    }
    if given == "config-root" {
        return if name.len() == 1 {
            Ok(None)
        } else {
            Err(no_parent(name))
        };
    }
    if name.len() == 1 {
        return Err(ApiError::bad_request(format!(
            "Invalid fq-name for object with parent_type {given}: {}",
            repr_list(name)
        )));
    }
    Ok(Kind::find(given))
}

fn find_parent(
    state: &State,
    kind: Kind,
    name: &[String],
    name_value: &Value,
) -> Result<(Kind, Uuid)> {
    let parent = &name[..name.len() - 1];
    // The server first looks for a project in Keystone and trips over a name that is too short.
    if kind == state.kinds.project && parent.len() < 2 {
        return Err(ApiError::internal());
    }
    let uuid = state.store.find(kind, parent).ok_or_else(|| {
        // No blank after "Name" here, unlike in other texts.
        let shown = match name_value {
            Value::String(_) => super::python_repr::repr_str(&parent.concat()),
            _ => repr_list(parent),
        };
        ApiError::new(404, format!("Name{shown} not found"))
    })?;
    Ok((kind, uuid))
}

/// Adds what the server adds to every object, in the order in which error texts show it.
fn complete(
    state: &State,
    call: &Call<'_>,
    kind: Kind,
    sent: &mut Map<String, Value>,
    name: &[String],
    parent: Option<(Kind, Uuid)>,
) -> Result<()> {
    let mut id_perms = meta::new_id_perms(sent.get("id_perms"));
    if sent
        .get("id_perms")
        .is_none_or(|perms| is_falsy(&perms["permissions"]))
    {
        let (user, group) = call.caller.user_and_group();
        id_perms["permissions"]["owner"] = json!(user);
        id_perms["permissions"]["group"] = json!(group);
    }
    sent.insert("id_perms".into(), id_perms);
    let owner = owner(state, call, kind, sent, parent);
    let perms2 = meta::new_perms2(sent.get("perms2").filter(|p| !p.is_null()), &owner)?;
    sent.insert("perms2".into(), perms2);
    if sent.get("display_name").is_none_or(Value::is_null) {
        let last = name.last().cloned().unwrap_or_default();
        sent.insert("display_name".into(), json!(last));
    }
    if sent
        .get("parent_type")
        .is_some_and(|parent| parent == "config-root")
    {
        sent.shift_remove("parent_type");
    }
    if let Some((_, uuid)) = parent {
        sent.insert("parent_uuid".into(), json!(uuid));
    }
    Ok(())
}

/// Whom the object belongs to: a project with an id to itself (as the text "None" when the id is
/// null), a child of anything but a domain to its parent's owner, anything else to the caller.
fn owner(
    state: &State,
    call: &Call<'_>,
    kind: Kind,
    sent: &Map<String, Value>,
    parent: Option<(Kind, Uuid)>,
) -> String {
    if kind == state.kinds.project
        && let Some(uuid) = sent.get("uuid")
    {
        return uuid
            .as_str()
            .map_or("None".into(), |uuid| uuid.replace('-', ""));
    }
    let heir = parent.filter(|(kind, _)| *kind != state.kinds.domain);
    let inherited = heir.and_then(|(_, uuid)| {
        let perms = state.store.get(uuid)?.props.get("perms2")?;
        perms["owner"].as_str().map(str::to_owned)
    });
    inherited.unwrap_or_else(|| call.caller.owner())
}
