//! The files in the state directory.

use std::cell::OnceCell;
use std::fs;

use contrail_core::attach::Attacher;
use contrail_core::settings::{Key, Layer, Origin, Settings, Sources};
use tempfile::TempDir;
use uuid::Uuid;

use super::{check_error, used};

/// The state of one thread.
struct State {
    dir: TempDir,
    attacher: Attacher,
}

impl State {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut layer = Layer::default();
        let path = |name: &str| dir.path().join(name).display().to_string();
        layer.set(Key::StateDir, path("state"), Origin::Default);
        layer.set(Key::RunDir, path("run"), Origin::Default);
        let settings = Settings::load(&Sources {
            nearer: vec![layer],
            environment: &|_| None,
            files: Vec::new(),
            read: &|_| Err(std::io::ErrorKind::NotFound.into()),
            host_name: Some("test".into()),
        });
        let attacher = settings.and_then(|settings| settings.attacher("fuzz"));
        for name in ["uses", "pending", "orphans", "members", "leaving"] {
            fs::create_dir_all(dir.path().join("state").join(name)).expect("a directory");
        }
        Self {
            attacher: attacher.expect("valid settings"),
            dir,
        }
    }
}

/// The same content in each file.
pub fn state(text: &[u8]) {
    thread_local! {
        static STATE: OnceCell<State> = const { OnceCell::new() };
    }
    STATE.with(|state| {
        let state = state.get_or_init(State::new);
        let id = Uuid::from_u128(7);
        for name in ["uses", "pending", "orphans"] {
            let path = state.dir.path().join(format!("state/{name}/{id}.json"));
            fs::write(path, text).expect("a file");
        }
        match state.attacher.waiting() {
            Ok(waiting) => used(format!("{waiting:?}")),
            Err(error) => check_error(&error),
        }
        match state.attacher.pending_removals() {
            Ok(pending) => used(format!("{pending:?}")),
            Err(error) => check_error(&error),
        }
    });
}
