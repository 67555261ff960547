//! An engine of a test's own, for what must not happen to the system's: crashes, restarts and swarms.

use std::path::Path;

use contrail_lab::sandbox::{self, ControlGroups, DockerEngine, skip};
use opencontrail_tests::wait_for;

/// Runs the body of a test with an engine of its own, started with these options. `test` is the full
/// name of the test.
pub fn isolated(test: &str, options: &[&str], body: impl FnOnce(DockerEngine)) {
    if let Some(reason) = unavailable() {
        return skip(test, &reason);
    }
    let groups = ControlGroups::new(&test.replace("::", "-"));
    sandbox::isolated(test, || {
        body(DockerEngine::start(options, &groups).unwrap())
    });
}

fn unavailable() -> Option<String> {
    let no_busybox = || {
        let missing = !Path::new("/bin/busybox").exists();
        missing.then(|| "the images are made of busybox-static, which is not installed".to_owned())
    };
    DockerEngine::unavailable().or_else(no_busybox)
}

/// Waits until the engine asks for a plugin that is not there, or answers without one.
pub fn wait_for_question(engine: &DockerEngine) {
    wait_for("a question for the plugin", || {
        let log = engine.log();
        // A question for its version would wait as long as it does.
        log.contains("Unable to connect to plugin") || log.contains("API listen on")
    });
}
