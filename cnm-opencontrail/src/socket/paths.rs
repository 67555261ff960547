//! The paths of the plugin's sockets.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use contrail_core::Error as CoreError;

use crate::error::Result;

/// Where Docker looks for sockets.
pub const DIRECTORY: &str = "/run/docker/plugins";

/// The default name of the driver: `docker network create -d opencontrail`.
pub const NAME: &str = "opencontrail";

/// The sockets for a `--socketpath` and the `--name`s. The path is a directory, or the socket
/// itself: what exists decides, then whether it ends in `.sock`.
///
/// # Errors
/// If a name cannot be a file name, several names share one socket path, or the path is not absolute.
pub fn paths(socketpath: &Path, names: &[String]) -> Result<Vec<PathBuf>> {
    for name in names {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(allowed) {
            return Err(CoreError::invalid(
                "--name",
                name,
                "the name of a driver consists of letters, digits, '-', '_' and '.'",
            )
            .into());
        }
    }
    if !socketpath.is_absolute() {
        return Err(CoreError::invalid(
            "--socketpath",
            socketpath.display().to_string(),
            "an absolute path is expected",
        )
        .into());
    }
    if !is_socket_path(socketpath) {
        return Ok(names
            .iter()
            .map(|name| socketpath.join(format!("{name}.sock")))
            .collect());
    }
    match names {
        [] | [_] => Ok(vec![socketpath.to_path_buf()]),
        _ => Err(CoreError::invalid(
            "--socketpath",
            socketpath.display().to_string(),
            "several --name need a directory, not the path of one socket",
        )
        .into()),
    }
}

fn is_socket_path(path: &Path) -> bool {
    match path.metadata() {
        Ok(found) if found.is_dir() => false,
        Ok(found) if found.file_type().is_socket() => true,
        _ => path
            .extension()
            .is_some_and(|extension| extension == "sock"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn a_directory_gets_one_socket_for_each_name() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(
            paths(directory.path(), &names(&["opencontrail", "sdn2"])).unwrap(),
            [
                directory.path().join("opencontrail.sock"),
                directory.path().join("sdn2.sock")
            ]
        );
        // One that does not exist yet is a directory, too: it will be created.
        let absent = directory.path().join("plugins");
        assert_eq!(
            paths(&absent, &names(&["a"])).unwrap(),
            [absent.join("a.sock")]
        );
    }

    #[test]
    fn a_socket_path_is_used_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.sock");
        assert_eq!(
            paths(&path, &names(&["opencontrail"])).unwrap(),
            std::slice::from_ref(&path)
        );
        assert!(paths(&path, &names(&["a", "b"])).is_err());
        assert!(paths(Path::new("x.sock"), &names(&["a"])).is_err());
        std::fs::create_dir(&path).unwrap();
        assert_eq!(paths(&path, &names(&["a"])).unwrap(), [path.join("a.sock")]);
    }

    #[test]
    fn names_that_leave_the_directory_are_refused() {
        for name in ["", "../x", "a/b", ".hidden"] {
            assert!(
                paths(Path::new("/run"), &names(&[name])).is_err(),
                "{name:?}"
            );
        }
    }
}
