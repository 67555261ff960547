//! Calls of cargo by a program that cargo started.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variables that cargo sets for a program that it runs begin so.
const OF_THE_CALLER: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// A cargo subcommand for all packages of this workspace, with the cargo and the profile of this process.
/// `None` if this process was not started by cargo.
///
/// Nothing is compiled twice: cargo unifies the features of the packages that it selects, so these are the
/// ones that `cargo build` selects, wherever it is called. And build scripts, such as the one of `ring`,
/// run again if a variable changes that cargo sets for the programs that it starts: these are removed.
pub fn cargo(subcommand: &str) -> Option<Command> {
    let mut command = Command::new(env::var_os("CARGO")?);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if OF_THE_CALLER.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command.args([subcommand, "--profile", &profile()]);
    command.arg("--manifest-path").arg(manifest());
    Some(command)
}

/// The manifest of the workspace.
fn manifest() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(3).unwrap_or(package);
    root.join("Cargo.toml")
}

/// The profile with which this program was built: cargo puts it into a directory of that name.
fn profile() -> String {
    let program = env::current_exe().unwrap_or_default();
    let directory = program.parent().and_then(Path::file_name);
    match directory.and_then(|name| name.to_str()) {
        Some("debug") | None => "dev".to_owned(),
        Some(name) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_the_one_of_the_workspace() {
        let text = std::fs::read_to_string(manifest()).unwrap_or_default();
        assert!(text.starts_with("[workspace]"), "{}", manifest().display());
    }
}
