//! The names that this host has had. They are part of every computed id, so that what was attached
//! under an earlier name, before a change of the hostname or of `node_name`, is found under it alone.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::files;

/// The names that this host is known to have had; the present one comes first.
pub(crate) fn known(state_dir: &Path, node: &str) -> Result<Vec<String>> {
    let path = path(state_dir);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
        Err(e) => return Err(Error::file("read", path, e)),
    };
    let earlier = text
        .lines()
        .filter(|name| !name.is_empty() && *name != node);
    Ok([node]
        .into_iter()
        .chain(earlier)
        .map(str::to_owned)
        .collect())
}

/// Notes a name before anything is made under it.
pub(crate) fn remember(state_dir: &Path, node: &str) -> Result<()> {
    let path = path(state_dir);
    let known = known(state_dir, node)?;
    let first_line = || fs::read_to_string(&path).unwrap_or_default();
    if first_line().lines().next() == Some(node) {
        return Ok(());
    }
    if let Some(earlier) = known.get(1) {
        log::warn!(
            "this host was called {earlier} and is called {node} now: containers that were attached \
             before are still found; remove {} when none of them is left",
            path.display()
        );
    }
    files::write_private(&path, (known.join("\n") + "\n").as_bytes())
}

fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("nodes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_once_and_the_present_one_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(known(dir.path(), "a").unwrap(), ["a"]);
        for name in ["a", "a", "b", "b", "a"] {
            remember(dir.path(), name).unwrap();
        }
        assert_eq!(known(dir.path(), "a").unwrap(), ["a", "b"]);
        assert_eq!(known(dir.path(), "c").unwrap(), ["c", "a", "b"]);
        let text = fs::read_to_string(path(dir.path())).unwrap();
        assert_eq!(text, "a\nb\n");
    }
}
