//! Valid names of interfaces.

/// The longest name of an interface, in bytes (`IFNAMSIZ` of the kernel, without the terminating zero).
const MAX_LEN: usize = 15;

/// The kernel takes this byte for a blank, as in Latin-1, also in the middle of a UTF-8 character.
const LATIN_1_BLANK: u8 = 0xa0;

/// Whether an interface can have this name: the rules of the kernel (`dev_valid_name`), and what would
/// make the name mean something else, to the kernel or in `/proc/sys`.
///
/// # Errors
/// Why not.
///
/// ```
/// use contrail_core::values::check_ifname;
///
/// assert!(check_ifname("eth0.100").is_ok());
/// assert!(check_ifname("eth%d").is_err());
/// ```
pub fn check_ifname(name: &str) -> Result<(), &'static str> {
    let is_blank = |c: char| c.is_whitespace() || c.is_control();
    if name.is_empty() || name.len() > MAX_LEN {
        Err("1 to 15 bytes are allowed")
    } else if matches!(name, "." | "..") {
        Err("it names a directory")
    } else if matches!(name, "all" | "default") {
        Err("in /proc/sys/net it means all interfaces, or the default of new ones")
    } else if name.contains('%') {
        Err("the kernel takes % for a pattern and chooses another name")
    } else if name.contains(['/', ':']) || name.contains(is_blank) {
        Err("/, :, blanks and control characters are not allowed")
    } else if name.contains(char::REPLACEMENT_CHARACTER) || name.bytes().any(|b| b == LATIN_1_BLANK)
    {
        Err("the kernel does not take one of its characters")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_refuses_or_understands_otherwise_is_refused() {
        for name in [
            "",
            "sixteen-bytes-xx",
            ".",
            "..",
            "all",
            "default",
            "%d",
            "eth%d",
            "eth%",
            "a/b",
            "a:b",
            "a b",
            "a\tb",
            "a\u{2003}b",
            "a\u{a0}b",
            "\u{e0}", // its second byte is a blank to the kernel
            "\u{fffd}",
        ] {
            assert!(check_ifname(name).is_err(), "{name:?}");
        }
        for name in [
            "eth0",
            "fifteen-bytes-x",
            "all0",
            "...",
            "eth0.100@",
            "\u{fc}",
        ] {
            assert_eq!(check_ifname(name), Ok(()), "{name:?}");
        }
    }
}
