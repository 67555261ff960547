//! The search path for programs in the sandbox.

use std::env;
use std::ffi::{OsStr, OsString};

/// Where administration programs such as `ip`, `tc` and `nft` are; the path of an ordinary user lacks
/// both on Debian, and inside that user is root.
const ADMINISTRATION: [&str; 2] = ["/usr/sbin", "/sbin"];

/// The search path with the directories of administration programs behind it; what it finds without
/// them it finds in the same place as before.
pub(super) fn with_administration(path: Option<OsString>) -> OsString {
    let mut path = path.unwrap_or_default();
    for dir in ADMINISTRATION.map(OsStr::new) {
        if env::split_paths(&path).any(|known| known == dir) {
            continue;
        }
        if !path.is_empty() {
            path.push(":");
        }
        path.push(dir);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administration_programs_are_found_behind_everything_else() {
        let path = |text: &str| with_administration(Some(text.into()));
        assert_eq!(path("/usr/bin:/bin"), "/usr/bin:/bin:/usr/sbin:/sbin");
        assert_eq!(path("/sbin:/bin"), "/sbin:/bin:/usr/sbin");
        assert_eq!(path(""), "/usr/sbin:/sbin");
        assert_eq!(with_administration(None), "/usr/sbin:/sbin");
    }
}
