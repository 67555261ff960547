//! The lock of an attachment between processes.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use contrail_core::state::lock::InterfaceLock;
use contrail_core::{Deadline, Error};
use uuid::Uuid;

/// In the environment of the other process: the directory of the lock file.
const DIR: &str = "CONTRAIL_TEST_LOCK_DIR";

fn acquire(dir: &Path, time: Duration) -> contrail_core::Result<InterfaceLock> {
    InterfaceLock::acquire(dir, Uuid::from_u128(7), Deadline::after(time))
}

/// What the other process does: it holds the lock until it is killed.
fn hold(dir: &Path) {
    let _lock = acquire(dir, Duration::from_secs(9)).unwrap();
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "\nheld").unwrap();
    // Nobody writes.
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn a_killed_process_gives_its_lock_back() {
    if let Ok(dir) = env::var(DIR) {
        return hold(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let mut holder = Command::new(env::current_exe().unwrap())
        .args(["lock::a_killed_process_gives_its_lock_back", "--exact"])
        .arg("--nocapture")
        .env(DIR, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(holder.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap() == "held"));

    let error = acquire(dir.path(), Duration::from_millis(20)).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");

    holder.kill().unwrap();
    holder.wait().unwrap();
    acquire(dir.path(), Duration::from_secs(9)).unwrap();
}
