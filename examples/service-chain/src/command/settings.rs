//! The settings, from the same sources as those of the plugins.

use std::path::Path;

use contrail_core::settings::{Settings, Sources};
use contrail_core::{Result, files};

/// Loads the settings from the environment and the system's files.
pub fn load() -> Result<Settings> {
    let variable = |name: &str| std::env::var(name).ok();
    let read = files::read_text;
    let host_name = read(Path::new("/proc/sys/kernel/hostname"));
    Settings::load(&Sources {
        nearer: Vec::new(),
        environment: &variable,
        files: Vec::new(),
        read: &read,
        host_name: host_name.ok().map(|name| name.trim().to_string()),
    })
}
