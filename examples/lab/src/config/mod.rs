//! The configuration API: objects in memory behind the REST contract of OpenContrail.

mod access;
pub mod actions;
pub mod address;
pub mod alloc;
mod call;
mod check;
mod create;
pub mod defaults;
mod delete;
mod document;
mod draft;
mod error;
mod filter;
pub mod id_pool;
mod identifier;
mod list;
pub mod made;
mod make;
mod meta;
pub(crate) mod processes;
mod python_json;
mod python_repr;
mod quota;
mod races;
mod read;
mod render;
pub mod schema;
pub mod snapshot;
pub mod spaces;
pub mod state;
pub mod store;
mod types;
mod underway;
mod update;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use uuid::Uuid;

pub use self::access::Auth;
use self::access::Caller;
use self::call::{Call, Reply, decode};
use self::defaults::{ensure_access_list, first_start, sync_projects};
use self::error::{ApiError, HTML, Result};
use self::races::Seen;
use self::schema::Kind;
use self::state::State;
pub use self::underway::NETWORK_DELETE;
use crate::clock::Clock;
use crate::http::{Request, Response, Service, Step};
use crate::keystone::Project;
use crate::view::ConfigView;

/// Bodies up to this length are read.
const MAX_BODY: usize = 1_024_000;
/// Request targets from this length on are refused.
const MAX_TARGET: usize = 65_536;

type Callback = Box<dyn Fn() + Send + Sync>;

/// The configuration API.
pub struct ConfigApi {
    state: Mutex<State>,
    auth: Auth,
    callbacks: Mutex<Vec<Callback>>,
    latest_view: Mutex<Option<(u64, Arc<ConfigView>)>>,
    /// The clock of the controller's other processes, when they are at work.
    processes: Option<Clock>,
}

impl ConfigApi {
    /// An API as after its first start, with the projects that Keystone knows.
    pub fn new(auth: Auth, projects: &[Project]) -> Self {
        Self::with_state(first_start(projects), auth, &[])
    }

    /// An API that goes on from a saved state; projects that are new in Keystone are added.
    pub fn with_state(mut state: State, auth: Auth, projects: &[Project]) -> Self {
        ensure_access_list(&mut state);
        sync_projects(&mut state, projects);
        state.aaa_mode = auth.mode().into();
        Self {
            state: Mutex::new(state),
            auth,
            callbacks: Mutex::default(),
            latest_view: Mutex::default(),
            processes: None,
        }
    }

    /// The same API with the controller's other processes at work: those that follow the configuration
    /// and make service chains of it.
    pub fn with_processes(self) -> Self {
        self.with_processes_by(Clock::default())
    }

    /// The same API with those processes, which read the time from this clock.
    pub fn with_processes_by(self, clock: Clock) -> Self {
        Self {
            processes: Some(clock),
            ..self
        }
    }

    /// The same API as a server with this `cluster_id`.
    pub fn with_cluster_id(self, cluster_id: &str) -> Self {
        self.lock().cluster_id = Some(cluster_id.to_owned());
        self
    }

    /// Calls `callback` after every request that changed something, on the request's thread and
    /// before it is answered.
    pub fn on_change(&self, callback: impl Fn() + Send + Sync + 'static) {
        let callbacks = self.callbacks.lock();
        let mut callbacks = callbacks.unwrap_or_else(PoisonError::into_inner);
        callbacks.push(Box::new(callback));
    }

    /// What the agent and the data plane need of the present state.
    pub fn view(&self) -> Arc<ConfigView> {
        let state = self.lock();
        // One for each revision: the agent and the data plane ask often, and a thousand networks take
        // milliseconds.
        let mut latest = self
            .latest_view
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((revision, view)) if *revision == state.revision => Arc::clone(view),
            _ => {
                let view = Arc::new(ConfigView::of(&state));
                *latest = Some((state.revision, Arc::clone(&view)));
                view
            }
        }
    }

    /// The part of [`ConfigApi::view`] that one VM interface is about.
    pub fn view_of_interface(&self, id: Uuid) -> ConfigView {
        ConfigView::of_interface(&self.lock(), id)
    }

    /// Writes the present state to a file; see [`snapshot::save`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        // Copied, so that requests need not wait for the disk.
        let state = self.lock().clone();
        snapshot::save(&state, path)
    }

    /// Looks at the state and perhaps changes it, as the server's own processes do.
    pub fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let before = state.revision;
        let result = act(&mut state);
        let changed = state.revision != before;
        if changed {
            let objects = state.store.take_changed();
            if let Some(clock) = &self.processes {
                processes::follow(&mut state, &objects, clock.now());
            }
        }
        drop(state);
        if changed {
            self.notify();
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every rule checks first and changes last, so that a panic leaves a usable state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        let callbacks = self.callbacks.lock();
        let callbacks = callbacks.unwrap_or_else(PoisonError::into_inner);
        callbacks.iter().for_each(|callback| callback());
    }
}

impl Service for ConfigApi {
    fn waits(&self) -> bool {
        false
    }

    fn handle(&self, request: &Request) -> Response {
        self.answer(request, Seen::default())
    }

    fn begin(self: Arc<Self>, request: &Request) -> Step {
        underway::begin(self, request)
    }

    fn admit(&self, request: &Request) -> Option<Response> {
        if request.path.len() + request.query.len() >= MAX_TARGET {
            return Some(Response {
                status: 414,
                reason: "Request URI Too Long",
                ..Response::default()
            });
        }
        if request.header("transfer-encoding").is_some() {
            let text = "Error while parsing chunked transfer body.";
            return Some(Response::new(400, HTML, text));
        }
        let length = request.header("content-length")?.parse::<usize>().ok()?;
        let call = Call::new(request, Caller::default());
        let refusal = ApiError::new(413, "Request to large");
        (length > MAX_BODY).then(|| refusal.response(&call.url()))
    }

    fn pretend(&self, request: &Request) -> Response {
        match self.auth.caller(request) {
            Ok(caller) => {
                let mut copy = self.lock().clone();
                respond(&mut copy, &Call::new(request, caller), request)
            }
            Err(refusal) => *refusal,
        }
    }
}

fn respond(state: &mut State, call: &Call<'_>, request: &Request) -> Response {
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

fn exact_kind(name: &str) -> Option<Kind> {
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
