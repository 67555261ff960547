//! Where the state directory is: one in a container's own file system ends with the container.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// The mounts of this process, see proc_pid_mountinfo(5).
const MOUNTS: &str = "/proc/self/mountinfo";

/// Why the state directory may not survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// It is in the file system of a container.
    WithContainer,
    /// It is in memory.
    WithHost,
}

/// Warns of a state directory that does not survive. If the mounts cannot be read, nothing is known.
pub(super) fn warn_of_place(dir: &Path) {
    let (Ok(mounts), Ok(place)) = (std::fs::read_to_string(MOUNTS), dir.canonicalize()) else {
        return;
    };
    let until = match ends(&mounts, &place) {
        None => return,
        Some(Ends::WithContainer) => {
            "is in the container's own file system and ends with the container: mount a directory of the \
             host there, such as -v /var/lib/contrail:/var/lib/contrail"
        }
        Some(Ends::WithHost) => "is in memory and ends with the host's next restart: set state_dir",
    };
    log::warn!(
        "state_dir {} {until}. Deferred removals are lost with it",
        dir.display()
    );
}

/// What the mount on which a directory is says about it.
fn ends(mounts: &str, dir: &Path) -> Option<Ends> {
    let holders = mounts
        .lines()
        .filter_map(mount)
        .filter(|(point, _)| dir.starts_with(point));
    // Of two at the same point, the later one covers the other.
    let (point, kind) = holders.max_by_key(|(point, _)| point.components().count())?;
    match kind {
        // A host whose root is an overlay is rare, and loses what it writes as well.
        "overlay" | "aufs" | "fuse.fuse-overlayfs" if point == Path::new("/") => {
            Some(Ends::WithContainer)
        }
        "tmpfs" | "ramfs" => Some(Ends::WithHost),
        _ => None,
    }
}

/// The point and the kind of a mount.
fn mount(line: &str) -> Option<(PathBuf, &str)> {
    let (mount, file_system) = line.split_once(" - ")?;
    let point = mount.split(' ').nth(4)?;
    Some((unescaped(point), file_system.split(' ').next()?))
}

/// A path in which white space and backslashes are octal numbers.
fn unescaped(text: &str) -> PathBuf {
    let mut parts = text.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..3).unwrap_or_default();
        match u8::from_str_radix(digits, 8) {
            Ok(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[3..]);
            }
            Err(_) => {
                bytes.push(b'\\');
                bytes.extend(part.as_bytes());
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTAINER: &str = "\
        100 90 0:50 / / rw,relatime master:3 - overlay overlay rw,lowerdir=/a,upperdir=/b\n\
        101 100 0:55 / /proc rw - proc proc rw\n\
        102 100 0:56 / /run/contrail rw - tmpfs tmpfs rw\n\
        103 100 8:1 /var/lib/contrail /var/lib/contrail rw shared:1 - ext4 /dev/sda1 rw\n\
        104 100 8:1 /x /srv/a\\040b rw - xfs /dev/sda1 rw\n";

    #[test]
    fn a_directory_ends_with_the_file_system_that_holds_it() {
        let host = "25 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
            26 25 0:6 / /run rw shared:2 - tmpfs tmpfs rw\n\
            27 25 0:7 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n";
        let covered = format!("{CONTAINER}105 100 0:60 / /var/lib/contrail rw - tmpfs tmpfs rw\n");
        for (mounts, dir, expected) in [
            (CONTAINER, "/state", Some(Ends::WithContainer)),
            (CONTAINER, "/var/lib/cnm", Some(Ends::WithContainer)),
            (CONTAINER, "/var/lib/contrail2", Some(Ends::WithContainer)),
            (CONTAINER, "/var/lib/contrail/cnm-opencontrail", None),
            (CONTAINER, "/srv/a b/state", None),
            (CONTAINER, "/run/contrail/state", Some(Ends::WithHost)),
            (&covered, "/var/lib/contrail/cnm", Some(Ends::WithHost)),
            (host, "/var/lib/contrail", None),
            (host, "/run/state", Some(Ends::WithHost)),
            ("", "/var/lib/contrail", None),
            ("odd line\n1 2 - x\n", "/var/lib/contrail", None),
        ] {
            assert_eq!(ends(mounts, Path::new(dir)), expected, "{dir}");
        }
    }

    #[test]
    fn paths_are_read_as_the_kernel_writes_them() {
        for (text, expected) in [
            ("/a", "/a"),
            ("/a\\040b", "/a b"),
            ("/a\\134b\\012", "/a\\b\n"),
            ("/a\\9", "/a\\9"),
            ("\\é", "\\é"),
        ] {
            assert_eq!(unescaped(text), Path::new(expected), "{text}");
        }
    }
}
