//! The MTU of an interface.

use super::Invalid;

/// The MTU of an interface in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mtu(u32);

impl Mtu {
    /// The least that IPv4 allows (RFC 791).
    pub const LEAST: u32 = 68;

    /// The most that fits the length field of a packet.
    pub const MOST: u32 = 65_535;

    /// What is expected, for people.
    pub const EXPECTED: &str = "a number of bytes from 68 to 65535 is expected";

    /// The number of bytes.
    pub fn bytes(self) -> u32 {
        self.0
    }
}

impl TryFrom<u64> for Mtu {
    type Error = Invalid;

    fn try_from(bytes: u64) -> Result<Self, Invalid> {
        let known = u32::try_from(bytes).ok();
        let known = known.filter(|bytes| (Self::LEAST..=Self::MOST).contains(bytes));
        known.map(Self).ok_or_else(|| invalid(&bytes.to_string()))
    }
}

impl std::str::FromStr for Mtu {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes: u64 = text.parse().map_err(|_| invalid(text))?;
        Self::try_from(bytes)
    }
}

fn invalid(value: &str) -> Invalid {
    Invalid::new("mtu", value, Mtu::EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_what_is_checked() {
        let range = format!("from {} to {} ", Mtu::LEAST, Mtu::MOST);
        assert!(Mtu::EXPECTED.contains(&range));
    }

    #[test]
    fn only_what_an_interface_can_have_is_an_mtu() {
        for (text, bytes) in [
            ("68", Some(68)),
            ("1500", Some(1500)),
            ("65535", Some(65_535)),
            ("0", None),
            ("67", None),
            ("65536", None),
            ("4294967364", None),
            ("-1", None),
            ("", None),
            ("1500b", None),
        ] {
            let mtu = text.parse::<Mtu>();
            assert_eq!(mtu.as_ref().ok().map(|mtu| mtu.bytes()), bytes, "{text}");
            let refused = mtu.is_err_and(|error| error.reason.contains("from 68 to 65535"));
            assert_eq!(refused, bytes.is_none(), "{text}");
        }
    }
}
