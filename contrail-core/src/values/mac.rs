//! Ethernet addresses, and the rule by which the configuration API derives one from an id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::Invalid;

/// An Ethernet address, printed as `02:00:5e:10:00:01`.
///
/// ```
/// let mac: contrail_core::MacAddr = "02-00-5E-10-00-01".parse()?;
/// assert_eq!(mac.to_string(), "02:00:5e:10:00:01");
/// assert_eq!(format!("{mac:?}"), "02:00:5e:10:00:01");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// The address that the API gives a VM interface if unset: `02:` and the first five bytes of
    /// its id. With a chosen id it is therefore known before any request.
    ///
    /// ```
    /// use contrail_core::MacAddr;
    ///
    /// let id = "5dd372be-4068-49dc-af5d-eb79f93a7bdf".parse()?;
    /// assert_eq!(MacAddr::of_interface(id).to_string(), "02:5d:d3:72:be:40");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_interface(id: Uuid) -> Self {
        let b = id.as_bytes();
        Self([0x02, b[0], b[1], b[2], b[3], b[4]])
    }

    /// Whether a container interface may have it: a unicast address that is not all zero.
    pub fn is_usable(self) -> bool {
        self.0[0] & 1 == 0 && self.0 != [0; 6]
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MacAddr {
    type Err = Invalid;

    /// Reads six pairs of hexadecimal digits joined by `:` or `-`.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(
                "MAC address",
                text,
                "six pairs of hexadecimal digits such as 02:00:5e:10:00:01 are expected",
            )
        };
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut bytes = [0; 6];
        let mut pairs = text.split(separator);
        for byte in &mut bytes {
            let pair = pairs.next().filter(|p| p.len() == 2).ok_or_else(invalid)?;
            if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(invalid());
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
        }
        match pairs.next() {
            None => Ok(Self(bytes)),
            Some(_) => Err(invalid()),
        }
    }
}

impl Serialize for MacAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MacAddr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_separators_and_prints_lower_case() {
        for text in ["02:AA:bb:0c:0d:0e", "02-aa-BB-0c-0d-0e"] {
            assert_eq!(
                text.parse::<MacAddr>().unwrap().to_string(),
                "02:aa:bb:0c:0d:0e"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "02",
            "2:0:0:0:0:1",
            "02:00:00:00:00",
            "02:00:00:00:00:00:00",
            "zz:00:00:00:00:00",
            "+2:00:00:00:00:00",
        ] {
            assert!(text.parse::<MacAddr>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn multicast_and_zero_are_not_usable() {
        assert!(!MacAddr([0; 6]).is_usable());
        assert!(!MacAddr([0x01, 0, 0x5e, 0, 0, 1]).is_usable());
        assert!(MacAddr([0x02, 0, 0, 0, 0, 1]).is_usable());
    }
}
