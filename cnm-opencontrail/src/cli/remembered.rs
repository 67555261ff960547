//! What an engine remembers of the plugin until the engine itself restarts: its scope and its sockets. The
//! plugin records them, so that it can warn of a change.

use std::path::{Path, PathBuf};

use contrail_core::state::{Durability, Entries, Entry, Key};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::proto::Scope;

/// What engines remember, for people.
pub(super) const NOTE: &str = "Docker reads the scope, and finds the socket, when it first uses the plugin: \
    restart Docker after a change of scope, socketpath or --name, and after a change between a program, a \
    container and a managed plugin.";

/// What an engine has seen of the plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) scope: Scope,
    pub(super) sockets: Vec<PathBuf>,
}

impl Entry for Seen {
    const KIND: &str = "what Docker remembers of the plugin";
    const VERSION: u32 = 1;
}

/// The only entry of its directory.
struct Plugin;

impl Key for Plugin {
    fn name(&self) -> String {
        "plugin".to_owned()
    }

    fn of_name(name: &str) -> Option<Self> {
        (name == "plugin").then_some(Self)
    }
}

/// Records what engines see from now on. Returns what has changed since the last start.
///
/// # Errors
/// If the state directory cannot be used.
pub(super) fn record(state_dir: &Path, now: &Seen) -> Result<Vec<String>> {
    let entries = Entries::<Plugin, Seen>::new(state_dir.join("remembered"), Durability::Synced);
    let before = entries.get(&Plugin)?;
    if before.as_ref() == Some(now) {
        return Ok(Vec::new());
    }
    entries.put(&Plugin, now)?;
    Ok(before.map_or_else(Vec::new, |before| before.changes(now)))
}

impl Seen {
    fn changes(&self, now: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        if self.scope != now.scope {
            changes.push(format!("the scope was {} and is {}", self.scope, now.scope));
        }
        if self.sockets != now.sockets {
            let paths = |sockets: &[PathBuf]| {
                let paths = sockets.iter().map(|path| path.display().to_string());
                paths.collect::<Vec<_>>().join(", ")
            };
            let (before, now) = (paths(&self.sockets), paths(&now.sockets));
            changes.push(format!("the socket was {before} and is {now}"));
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_reported_once_with_both_values() {
        let dir = tempfile::tempdir().unwrap();
        let seen = |scope, sockets: &[&str]| Seen {
            scope,
            sockets: sockets.iter().map(PathBuf::from).collect(),
        };
        for (now, expected) in [
            (seen(Scope::Local, &["/p/a.sock"]), &[][..]),
            (seen(Scope::Local, &["/p/a.sock"]), &[]),
            (
                seen(Scope::Global, &["/p/a.sock"]),
                &["the scope was local and is global"],
            ),
            (seen(Scope::Global, &["/p/a.sock"]), &[]),
            (
                seen(Scope::Local, &["/p/a.sock", "/p/b.sock"]),
                &[
                    "the scope was global and is local",
                    "the socket was /p/a.sock and is /p/a.sock, /p/b.sock",
                ],
            ),
        ] {
            assert_eq!(record(dir.path(), &now).unwrap(), expected);
        }
    }
}
