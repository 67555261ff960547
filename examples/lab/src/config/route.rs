//! Which handler answers a request.

use serde_json::{Value, json};

use super::api::ConfigApi;
use super::call::{Call, Reply, decode};
use super::error::{ApiError, HTML, Result};
use super::races::Seen;
use super::schema::Kind;
use super::state::State;
use super::{actions, create, delete, document, list, read, update};
use crate::http::{Request, Response};

impl ConfigApi {
    /// Answers a request that saw this when it arrived.
    pub(super) fn answer(&self, request: &Request, seen: Seen) -> Response {
        match self.auth.caller(request) {
            Ok(caller) => {
                let call = Call::new(request, caller).with_seen(seen);
                self.with(|state| respond(state, &call, request))
            }
            Err(refusal) => *refusal,
        }
    }
}

pub(super) fn respond(state: &mut State, call: &Call<'_>, request: &Request) -> Response {
    let path = decode(&request.path, false);
    if let Err(refusal) = call.caller.check_rules(state, request) {
        return refusal.response(&call.url());
    }
    match route(state, call, &request.method, &path) {
        Ok(Ok(reply)) => reply.response(),
        Ok(Err(allow)) => {
            Response::new(405, HTML, "Method not allowed.").with_header("Allow", allow)
        }
        Err(error) => error.response(&call.url()),
    }
}

/// A reply, or the methods that the path has when it does not have this one.
type Routed = Result<std::result::Result<Reply, &'static str>>;

fn route(state: &mut State, call: &Call<'_>, method: &str, path: &str) -> Routed {
    // HEAD is GET; the server leaves the body out.
    let method = if method == "HEAD" { "GET" } else { method };
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    match segments.as_slice() {
        [""] if method == "GET" => Ok(Ok(Reply::Json(document::root(&call.base)))),
        [""] => Ok(Err("GET")),
        [first] => match actions::methods(first) {
            Some(methods) if methods.split(',').any(|allowed| allowed == method) => {
                actions::run(state, call, method, first).map(Ok)
            }
            Some(methods) => Ok(Err(methods)),
            None => collection(state, call, method, first, path),
        },
        ["virtual-network", id, action] if actions::addresses::is_action(action) => {
            if method != "POST" {
                return Ok(Err("POST"));
            }
            actions::addresses::run(state, call, id, action).map(Ok)
        }
        [kind, id] if !id.is_empty() => object(state, call, method, kind, id, path),
        _ => Err(ApiError::unknown_path(path)),
    }
}

/// The type of exactly this name.
pub(super) fn exact_kind(name: &str) -> Option<Kind> {
    Kind::find(name).filter(|kind| kind.name() == name)
}

fn collection(
    state: &mut State,
    call: &Call<'_>,
    method: &str,
    segment: &str,
    path: &str,
) -> Routed {
    let unknown = || ApiError::unknown_path(path);
    if document::has_action(segment) {
        return Err(absent("action", segment));
    }
    let name = segment
        .strip_suffix('s')
        .filter(|name| document::has_type(name));
    let name = name.ok_or_else(unknown)?;
    match (exact_kind(name), method) {
        (Some(kind), "GET") => list::list(state, call, kind).map(Ok),
        (Some(kind), "POST") => create::create(state, call, kind).map(Ok),
        (None, "GET") => Ok(Ok(Reply::Json(
            json!({ segment: Value::Array(Vec::new()) }),
        ))),
        (None, "POST") => Err(absent("type", name)),
        _ => Ok(Err("GET,POST")),
    }
}

fn object(
    state: &mut State,
    call: &Call<'_>,
    method: &str,
    name: &str,
    id: &str,
    path: &str,
) -> Routed {
    if !document::has_type(name) {
        return Err(ApiError::unknown_path(path));
    }
    match (exact_kind(name), method) {
        (Some(kind), "GET") => read::read(state, call, kind, id).map(Ok),
        (Some(kind), "PUT") => update::update(state, call, kind, id).map(Ok),
        (Some(kind), "DELETE") => delete::delete(state, call, kind, id).map(Ok),
        // There are no objects of a type that the lab does not have.
        (None, "GET" | "PUT") => Err(ApiError::unknown_id(id)),
        (None, "DELETE") => Err(ApiError::new(404, format!("ID {id} does not exist"))),
        _ => Ok(Err("DELETE,GET,PUT")),
    }
}

/// 501: the real server has it, the lab does not.
fn absent(what: &str, name: &str) -> ApiError {
    ApiError::new(501, format!("contrail-lab does not have the {what} {name}"))
}
