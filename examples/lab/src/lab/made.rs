//! The directories that a lab makes for its files, to be removed again when they are empty.

use std::fs;
use std::path::{Path, PathBuf};

/// Directories that did not exist before the lab.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<PathBuf>);

impl Made {
    /// What will have to be made for these directories to exist. Asked before they are made.
    pub(super) fn for_directories<'a>(directories: impl IntoIterator<Item = &'a Path>) -> Self {
        let missing = directories
            .into_iter()
            .flat_map(|directory| directory.ancestors().take_while(|dir| !dir.exists()))
            .filter(|dir| !dir.as_os_str().is_empty());
        let mut missing: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
        missing.sort_by(|a, b| b.cmp(a)); // what is inside comes first
        missing.dedup();
        Self(missing)
    }

    /// Removes them, once. One that is not empty belongs to someone else.
    pub(super) fn remove_empty(&mut self) {
        for directory in std::mem::take(&mut self.0) {
            if let Err(e) = fs::remove_dir(&directory) {
                log::debug!("{} stays: {e}", directory.display());
            }
        }
    }
}

/// A lab that could not start leaves nothing either.
impl Drop for Made {
    fn drop(&mut self) {
        self.remove_empty();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_and_is_empty_goes_and_everything_else_stays() {
        let outer = tempfile::tempdir().unwrap();
        let ports = outer.path().join("var/contrail/ports");
        let mut made = Made::for_directories([&*ports]);
        fs::create_dir_all(&ports).unwrap();
        fs::write(outer.path().join("var/foreign"), "").unwrap();
        made.remove_empty();
        assert!(!outer.path().join("var/contrail").exists());
        assert!(outer.path().join("var/foreign").exists());
    }

    #[test]
    fn a_directory_that_was_there_stays() {
        let outer = tempfile::tempdir().unwrap();
        drop(Made::for_directories([outer.path()]));
        assert!(outer.path().exists());
    }
}
