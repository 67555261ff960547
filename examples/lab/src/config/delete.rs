//! `DELETE /<type>/<id>`.

use uuid::Uuid;

use super::access::Access;
use super::call::{Call, Reply};
use super::error::{ApiError, Result};
use super::identifier::parse_uuid;
use super::make::is_default;
use super::python_repr::repr_list;
use super::schema::Kind;
use super::state::State;
use super::store::Object;
use super::types;

/// Removes an object, when nothing needs it.
///
/// # Errors
/// 404 when it does not exist; 409 when children are left or others refer to it, with the links
/// of one type of them.
pub fn delete(state: &mut State, call: &Call<'_>, kind: Kind, id: &str) -> Result<Reply> {
    let uuid = check(state, call, kind, id)?;
    state.discard(uuid);
    Ok(Reply::Empty)
}

/// Whether an object may be removed; its id.
///
/// # Errors
/// As [`delete`].
pub fn check(state: &State, call: &Call<'_>, kind: Kind, id: &str) -> Result<Uuid> {
    let missing = || ApiError::new(404, format!("ID {id} does not exist"));
    let uuid = parse_uuid(id).ok_or_else(missing)?;
    state.store.get(uuid).ok_or_else(missing)?;
    let object = stored(state, kind, uuid)?;
    call.caller.may(object, Access::Delete)?;
    refuse_with_children(state, call, object)?;
    refuse_when_referred(state, call, object)?;
    types::before_delete(state, object)?;
    Ok(uuid)
}

/// The object of an id, which was there when the request arrived.
///
/// # Errors
/// 404 when it is of another type, or gone.
pub fn stored(state: &State, kind: Kind, uuid: Uuid) -> Result<&Object> {
    let object = state.store.get_kind(kind, uuid);
    object.ok_or_else(|| ApiError::other_type(kind.name(), &uuid.to_string()))
}

fn refuse_with_children(state: &State, call: &Call<'_>, object: &Object) -> Result<()> {
    for (kind, children) in state.store.children(object.uuid) {
        if object.kind.has_derived_child(kind) {
            continue;
        }
        let hrefs: Vec<String> = children
            .iter()
            .filter_map(|id| state.store.get(*id))
            .filter(|child| !is_default(state, object.kind, child))
            .map(|child| call.href(kind, child.uuid))
            .collect();
        if !hrefs.is_empty() {
            let text = format!("Delete when children still present: {}", repr_list(&hrefs));
            return Err(ApiError::new(409, text));
        }
    }
    Ok(())
}

fn refuse_when_referred(state: &State, call: &Call<'_>, object: &Object) -> Result<()> {
    for (kind, referrers) in state.store.back_refs(object.uuid) {
        if kind.link(object.kind).is_none_or(|link| link.derived) {
            continue;
        }
        let binds = |referrer: &&Uuid| {
            let refs = state.store.get(**referrer).map(|o| o.refs_to(object.kind));
            let mut refs = refs.into_iter().flatten();
            refs.any(|reference| reference.to == object.uuid && !reference.relaxed)
        };
        let hrefs: Vec<String> = referrers
            .iter()
            .filter(binds)
            .map(|referrer| call.href(kind, *referrer))
            .collect();
        if !hrefs.is_empty() {
            let text = format!("Delete when resource still referred: {}", repr_list(&hrefs));
            return Err(ApiError::new(409, text));
        }
    }
    Ok(())
}
