//! What the tests of this crate share: the plugin as a process, and the world around it as a value
//! that can be compared before and after.
//!
//! All of it is meant for the inside of [`contrail_lab::sandbox`], where the default addresses and
//! directories are free.

pub mod daemon;
pub mod faults;
pub mod loss;
pub mod pages;
pub mod plugin;
pub mod random;
pub mod upgrade;
pub mod world;

use std::thread;
use std::time::{Duration, Instant};

/// Waits until something is so.
///
/// # Panics
/// When it is not within 20 seconds.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
