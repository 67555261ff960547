//! The routes that are not create, read, update, delete or list.

pub mod addresses;
pub mod key_values;
pub mod names;
pub mod permissions;
pub mod prop_collection;
pub mod ref_update;

use super::call::{Call, Reply};
use super::error::{ApiError, Result};
use super::state::State;

/// The methods of an action, as the header `Allow` lists them; `None` for a path that is none.
pub fn methods(path: &str) -> Option<&'static str> {
    let methods = match path {
        "prop-collection-get" | "obj-perms" => "GET",
        "aaa-mode" => "GET,PUT",
        "fqname-to-id"
        | "id-to-fqname"
        | "ref-update"
        | "ref-relax-for-delete"
        | "prop-collection-update"
        | "useragent-kv"
        | "list-bulk-collection"
        | "chown"
        | "chmod" => "POST",
        _ => return None,
    };
    Some(methods)
}

/// Runs an action whose method is right.
///
/// # Errors
/// Those of the action.
pub fn run(state: &mut State, call: &Call<'_>, method: &str, path: &str) -> Result<Reply> {
    match path {
        "fqname-to-id" => names::name_to_id(state, call),
        "id-to-fqname" => names::id_to_name(state, call),
        "ref-update" => ref_update::ref_update(state, call),
        "ref-relax-for-delete" => ref_update::ref_relax(state, call),
        "prop-collection-get" => prop_collection::get(state, call),
        "prop-collection-update" => prop_collection::update(state, call),
        "useragent-kv" => key_values::key_values(state, call),
        "list-bulk-collection" => super::list::list_bulk(state, call),
        "obj-perms" => permissions::obj_perms(state, call),
        "chown" => permissions::chown(state, call),
        "chmod" => permissions::chmod(state, call),
        "aaa-mode" if method == "PUT" => permissions::set_aaa_mode(state, call),
        "aaa-mode" => Ok(permissions::aaa_mode(state)),
        _ => Err(ApiError::unknown_path(&format!("/{path}"))),
    }
}
