//! The kernel's settings in `/proc/sys/net`, of the namespace of the calling thread.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::values::Family;

/// Sets the setting `name` of the interface `ifname` for one family to `value`, unless it already has
/// that value: where `/proc/sys` is read-only, as in a container, it may have been set from outside.
pub(super) fn set(family: Family, ifname: &str, name: &str, value: &str) -> io::Result<()> {
    let path = path(family, ifname, name);
    if fs::read_to_string(&path)?.trim_end() == value {
        return Ok(());
    }
    fs::write(path, value)
}

/// The file of the setting. Interface names may contain dots, so the form `a.b.c` is never used.
fn path(family: Family, ifname: &str, name: &str) -> PathBuf {
    let family = match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    };
    ["/proc/sys/net", family, "conf", ifname, name]
        .iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_in_an_interface_name_is_part_of_the_name() {
        assert_eq!(
            path(Family::V6, "eth0.100", "disable_ipv6"),
            PathBuf::from("/proc/sys/net/ipv6/conf/eth0.100/disable_ipv6")
        );
    }

    #[test]
    fn an_absent_switch_is_an_error_with_its_number() {
        let error = set(Family::V4, "no-such-link", "arp_notify", "1").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::ENOENT));
    }
}
