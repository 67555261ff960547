//! `GET /<type>/<id>`.

use std::collections::HashSet;

use serde_json::json;

use super::access::Access;
use super::call::{Call, Reply};
use super::error::{ApiError, Result};
use super::identifier::parse_uuid;
use super::meta;
use super::render::{Shown, render};
use super::schema::Kind;
use super::state::State;
use super::store::Object;

/// The object of this id and type.
///
/// # Errors
/// 404, with one text for an unknown id and one for an object of another type.
pub fn find<'a>(state: &'a State, kind: Kind, id: &str) -> Result<&'a Object> {
    let object = parse_uuid(id).and_then(|uuid| state.store.get(uuid));
    let object = object.ok_or_else(|| ApiError::unknown_id(id))?;
    if object.kind == kind {
        Ok(object)
    } else {
        Err(ApiError::other_type(kind.name(), id))
    }
}

/// Shows an object, or says that the client's copy is still good.
///
/// # Errors
/// 404 when it does not exist.
pub fn read(state: &State, call: &Call<'_>, kind: Kind, id: &str) -> Result<Reply> {
    let object = find(state, kind, id)?;
    call.caller.may(object, Access::Read)?;
    let version = meta::last_modified(&object.props);
    let known = call
        .header("if-none-match")
        .map(|etag| etag.trim_matches('"'));
    if known == Some(version) {
        return Ok(Reply::NotModified);
    }
    let fields = call.query("fields");
    let only = fields.map(|fields| fields.split(',').map(str::to_owned).collect::<HashSet<_>>());
    let hrefs = call.query("exclude_hrefs").is_none();
    let shown = Shown {
        only,
        all_props: false,
        back_refs: call.query("exclude_back_refs").is_none(),
        children: call.query("exclude_children").is_none(),
        href: hrefs,
        inner_hrefs: hrefs,
    };
    let document = json!({ kind.name(): render(state, call, object, &shown) });
    Ok(Reply::Versioned(document, version.to_owned()))
}
