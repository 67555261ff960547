//! The directories that a lab makes for its files, to be removed again when they are empty.

use std::fs;
use std::path::{Path, PathBuf};

/// Directories that did not exist before the lab.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<PathBuf>);

impl Made {
    /// What will have to be made for `directory` to exist, innermost first. Asked before it is made.
    pub(super) fn for_directory(directory: &Path) -> Self {
        let missing = directory.ancestors().take_while(|dir| !dir.exists());
        Self(missing.map(Path::to_path_buf).collect())
    }

    /// Removes them. One that holds something is somebody's, as are those around it.
    pub(super) fn remove_empty(&self) {
        for directory in &self.0 {
            // The agent's second kind of ports has a directory of its own in it.
            let _ = fs::remove_dir(directory.join("vm"));
            if fs::remove_dir(directory).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_and_is_empty_goes_and_everything_else_stays() {
        let outer = tempfile::tempdir().unwrap();
        let ports = outer.path().join("var/contrail/ports");
        let made = Made::for_directory(&ports);
        fs::create_dir_all(ports.join("vm")).unwrap();
        fs::write(outer.path().join("var/foreign"), "").unwrap();
        made.remove_empty();
        assert!(!outer.path().join("var/contrail").exists());
        assert!(outer.path().join("var/foreign").exists());
    }

    #[test]
    fn a_directory_that_was_there_stays() {
        let outer = tempfile::tempdir().unwrap();
        Made::for_directory(outer.path()).remove_empty();
        assert!(outer.path().exists());
    }
}
