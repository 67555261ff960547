//! The files in the state directory.

use std::cell::OnceCell;
use std::fs;
use std::time::Duration;

use cnm_opencontrail::fuzzing::read_state;
use contrail_core::Deadline;
use contrail_core::attach::Attacher;
use contrail_core::settings::{Key, Layer, Origin, Settings, Sources};
use tempfile::TempDir;

use super::{check_error, used};

/// The files, in the state directory.
const FILES: [&str; 9] = [
    "nodes",
    "nodes.json",
    "uses/00000000-0000-0000-0000-000000000007.json",
    "pending/00000000-0000-0000-0000-000000000007.json",
    "orphans/00000000-0000-0000-0000-000000000007.json",
    "docker-networks/n1.json",
    "docker-endpoints/e1.json",
    "ipam/pools/00000000-0000-0000-0000-000000000007",
    "ipam/addresses/00000000-0000-0000-0000-000000000007",
];

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
        for file in FILES {
            let file = dir.path().join("state").join(file);
            let parent = file.parent().expect("a directory");
            fs::create_dir_all(parent).expect("a directory");
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
        let dir = state.dir.path().join("state");
        for file in FILES {
            fs::write(dir.join(file), text).expect("a file");
        }
        match state.attacher.waiting() {
            Ok(waiting) => used(format!("{waiting:?}")),
            Err(error) => check_error(&error),
        }
        match state.attacher.pending_removals() {
            Ok(pending) => used(format!("{pending:?}")),
            Err(error) => check_error(&error),
        }
        // Reads the names of the host; there is no time to ask anybody.
        used(
            state
                .attacher
                .idle_machines(Deadline::after(Duration::ZERO)),
        );
        match read_state(&dir) {
            Ok(count) => assert!(count <= 4),
            Err(error) => check_error(&error),
        }
    });
}
