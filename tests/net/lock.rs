//! The lock of an attachment between processes.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use contrail_core::lock::AttachmentLock;
use contrail_core::{Deadline, Error};
use uuid::Uuid;

const DIR: &str = "CONTRAIL_TEST_LOCK_DIR";

fn acquire(dir: &Path, time: Duration) -> contrail_core::Result<AttachmentLock> {
    AttachmentLock::acquire(dir, Uuid::from_u128(7), Deadline::after(time))
}

#[test]
#[ignore = "the other process of the test below"]
fn holds_the_lock_until_it_is_killed() {
    let Ok(dir) = env::var(DIR) else {
        return;
    };
    let _lock = acquire(Path::new(&dir), Duration::from_secs(9)).unwrap();
    writeln!(std::io::stdout(), "\nheld").unwrap();
    // Nobody writes.
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn a_killed_process_gives_its_lock_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut holder = Command::new(env::current_exe().unwrap())
        .args(["lock::holds_the_lock_until_it_is_killed", "--exact"])
        .args(["--ignored", "--nocapture"])
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
