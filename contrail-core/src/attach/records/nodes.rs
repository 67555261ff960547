//! The names that this host has had. They are part of every computed id, so what was attached under an
//! earlier name, before a change of the host name or of `node_name`, is found under that one only.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::attach::attacher::Attacher;
use crate::error::{Result, report};
use crate::files;
use crate::state::{self, Durability, Entries, Entry, Key};
use crate::values::identity;

/// The names, the present one first.
#[derive(Debug, Serialize, Deserialize)]
struct Names(Vec<String>);

impl Entry for Names {
    const KIND: &str = "names of the host";
    const VERSION: u32 = 1;
}

/// The one entry of its kind.
struct Only;

impl Key for Only {
    fn name(&self) -> String {
        "nodes".into()
    }

    fn of_name(name: &str) -> Option<Self> {
        (name == "nodes").then_some(Self)
    }
}

impl Attacher {
    /// The names that this host is known to have had, the present one first. They are part of the ids and
    /// marks of what was made under them.
    pub fn names(&self) -> Vec<String> {
        known(&self.host.state_dir, self.host.node())
    }

    /// Records the present name of this host, before anything is made under it.
    ///
    /// # Errors
    /// When the state directory cannot be used.
    pub fn remember_name(&self) -> Result<()> {
        remember(&self.host.state_dir, self.host.node())
    }

    /// This attacher under a name that the host had: for what was made under it.
    pub fn named(&self, node: &str) -> Self {
        let mut attacher = self.clone();
        node.clone_into(&mut attacher.host.maker.node);
        attacher
    }
}

/// The names that this host is known to have had; the present one comes first. Where the others cannot be
/// read, there is a warning: what was attached under the present one can be removed all the same.
pub(crate) fn known(state_dir: &Path, node: &str) -> Vec<String> {
    let recorded = entries(state_dir).find(&Only).and_then(|found| {
        found
            .entry()
            .map_or_else(|| unversioned(state_dir), |Names(names)| Ok(names))
    });
    let recorded = recorded.unwrap_or_else(|error| {
        log::warn!("earlier names of this host are unknown: {}", report(&error));
        Vec::new()
    });
    with(node, recorded)
}

/// Records a name before anything is made under it, and refuses one that other hosts have, too. What was
/// made under such a name earlier can still be removed.
pub(crate) fn remember(state_dir: &Path, node: &str) -> Result<()> {
    identity::check_node(node)?;
    let entries = entries(state_dir);
    let recorded = match entries.get(&Only)? {
        Some(Names(names)) if names.first().is_some_and(|name| name == node) => return Ok(()),
        Some(Names(names)) => names,
        None => unversioned(state_dir)?,
    };
    if let Some(earlier) = recorded.first().filter(|earlier| *earlier != node) {
        log::warn!(
            "this host was renamed from {earlier} to {node}: containers that were attached before are \
             still found; remove {} when none of them is left",
            entries.path(&Only)?.display()
        );
    }
    entries.put(&Only, &Names(with(node, recorded)))?;
    files::remove(&unversioned_path(state_dir)).map(drop)
}

fn with(node: &str, recorded: Vec<String>) -> Vec<String> {
    let earlier = recorded.into_iter().filter(|name| name != node);
    std::iter::once(node.to_owned()).chain(earlier).collect()
}

/// The names as release 0.1.0 wrote them, a line each.
fn unversioned(state_dir: &Path) -> Result<Vec<String>> {
    let text = state::read_text(&unversioned_path(state_dir))?;
    let text = text.unwrap_or_default();
    let names = text.lines().filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

fn unversioned_path(state_dir: &Path) -> PathBuf {
    state_dir.join("nodes")
}

fn entries(state_dir: &Path) -> Entries<Only, Names> {
    Entries::new(state_dir, Durability::Synced)
        .in_state_dir()
        .best_effort()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_name_is_known_once_and_the_present_one_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(known(dir.path(), "a"), ["a"]);
        for name in ["a", "a", "b", "b", "a"] {
            remember(dir.path(), name).unwrap();
        }
        assert_eq!(known(dir.path(), "a"), ["a", "b"]);
        assert_eq!(known(dir.path(), "c"), ["c", "a", "b"]);
        let Names(names) = entries(dir.path()).get(&Only).unwrap().unwrap();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn a_name_that_other_hosts_have_is_refused_and_what_was_made_under_it_is_found() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(unversioned_path(dir.path()), "localhost\n").unwrap();
        for name in ["localhost", "localhost.localdomain"] {
            assert!(remember(dir.path(), name).is_err(), "{name}");
        }
        remember(dir.path(), "a").unwrap();
        assert_eq!(known(dir.path(), "a"), ["a", "localhost"]);
        assert_eq!(known(dir.path(), "localhost"), ["localhost", "a"]);
    }

    #[test]
    fn names_of_release_0_1_are_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(unversioned_path(dir.path()), "b\na\n").unwrap();
        assert_eq!(known(dir.path(), "c"), ["c", "b", "a"]);
        remember(dir.path(), "b").unwrap();
        assert!(!unversioned_path(dir.path()).exists());
        assert_eq!(known(dir.path(), "b"), ["b", "a"]);
    }
}
