//! Requests that overlap with others: which ones take several steps, and what happens between them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::api::ConfigApi;
use super::call::{Call, Reply, decode};
use super::delete;
use super::error::{ApiError, Result};
use super::races::Seen;
use super::route::exact_kind;
use super::schema::Kind;
use crate::http::{Request, Response, Step, Underway};

/// How long the DELETE of a network takes: 17 to 103 ms were measured. All the time its name cannot be
/// used again; for the second half of it the network cannot be found, either.
pub const NETWORK_DELETE: Duration = Duration::from_millis(20);

/// Begins a request.
pub fn begin(api: Arc<ConfigApi>, request: &Request) -> Step {
    let path = decode(&request.path, false);
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(&path).split('/').collect();
    let begun = match (request.method.as_str(), segments.as_slice()) {
        ("POST", [collection]) => {
            let kind = collection.strip_suffix('s').and_then(exact_kind);
            kind.and_then(|kind| Creating::begin(&api, request, kind))
        }
        ("DELETE", [name, id]) => {
            let network = exact_kind(name).filter(|kind| *kind == api.network_kind());
            network.and_then(|kind| Deleting::begin(&api, request, kind, id))
        }
        _ => None,
    };
    begun.unwrap_or_else(|| Step::Answered(api.answer(request, Seen::default())))
}

/// A create that remembers what it saw.
struct Creating {
    api: Arc<ConfigApi>,
    seen: Seen,
}

impl Creating {
    fn begin(api: &Arc<ConfigApi>, request: &Request, kind: Kind) -> Option<Step> {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let sent = body.get(kind.name())?.as_object()?;
        let seen = Seen::by_create(&api.lock(), kind, sent);
        let api = Arc::clone(api);
        (!seen.is_empty()).then(|| Step::After(Duration::ZERO, Box::new(Self { api, seen })))
    }
}

impl Underway for Creating {
    fn next(self: Box<Self>, request: &Request) -> Step {
        Step::Answered(self.api.answer(request, self.seen))
    }
}

/// The delete of a network that nothing needed when it arrived.
struct Deleting {
    api: Arc<ConfigApi>,
    kind: Kind,
    uuid: Uuid,
}

impl Deleting {
    /// `None` for a delete that is refused at once.
    fn begin(api: &Arc<ConfigApi>, request: &Request, kind: Kind, id: &str) -> Option<Step> {
        let caller = api.auth.caller(request).ok()?;
        let call = Call::new(request, caller);
        let state = api.lock();
        call.caller.check_rules(&state, request).ok()?;
        let uuid = delete::check(&state, &call, kind, id).ok()?;
        let deleting = Self {
            api: Arc::clone(api),
            kind,
            uuid,
        };
        Some(Step::After(NETWORK_DELETE / 2, Box::new(deleting)))
    }

    /// Removes the network. One with a subnet goes even if something has come to need it meanwhile.
    fn remove(&self, request: &Request) -> Result<NameLock, Response> {
        let caller = self.api.auth.caller(request).map_err(|refusal| *refusal)?;
        let call = Call::new(request, caller);
        let removed = self.api.with(|state| {
            let network = delete::stored(state, self.kind, self.uuid)?;
            let name = (self.kind, network.fq_name.join(":"));
            let subnets = state.spaces.get(&self.uuid);
            if subnets.is_none_or(Vec::is_empty) {
                delete::check(state, &call, self.kind, &self.uuid.to_string())?;
            }
            state.locked.insert(name.clone(), self.uuid);
            state.discard_alone(self.uuid);
            Ok(name)
        });
        let name = removed.map_err(|error: ApiError| error.response(&call.url()))?;
        Ok(NameLock {
            api: Arc::clone(&self.api),
            name,
        })
    }
}

impl Underway for Deleting {
    fn next(self: Box<Self>, request: &Request) -> Step {
        match self.remove(request) {
            Ok(lock) => Step::After(NETWORK_DELETE / 2, Box::new(lock)),
            Err(refusal) => Step::Answered(refusal),
        }
    }
}

/// Keeps the name of a network that is gone from being used again.
struct NameLock {
    api: Arc<ConfigApi>,
    name: (Kind, String),
}

impl Underway for NameLock {
    fn next(self: Box<Self>, _: &Request) -> Step {
        Step::Answered(Reply::Empty.response())
    }
}

impl Drop for NameLock {
    fn drop(&mut self) {
        self.api.lock().locked.remove(&self.name);
    }
}

impl ConfigApi {
    fn network_kind(&self) -> Kind {
        self.lock().kinds.virtual_network
    }
}
