//! The configuration API as the rest of the lab holds it: one state behind a lock, and who is told of
//! its changes.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::access::Auth;
use super::defaults::{ensure_access_list, first_start, sync_projects};
use super::state::State;
use super::{processes, snapshot};
use crate::clock::Clock;
use crate::keystone::Project;
use crate::view::ConfigView;

type Callback = Box<dyn Fn() + Send + Sync>;

/// The configuration API.
pub struct ConfigApi {
    state: Mutex<State>,
    pub(super) auth: Auth,
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

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Every rule checks first and changes last, so that a panic leaves a usable state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        let callbacks = self.callbacks.lock();
        let callbacks = callbacks.unwrap_or_else(PoisonError::into_inner);
        callbacks.iter().for_each(|callback| callback());
    }
}
