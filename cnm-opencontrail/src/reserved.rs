//! What an address without an interface is reserved for, as the mark of its instance IP says.
//!
//! The text of the mark is also what other hosts show as the holder of the address. This is the one place
//! that writes and reads it; the texts are stored on controllers and must never change.

use std::fmt;

use contrail_core::attach::Reservation;

/// What the texts of auxiliary addresses begin with.
const AUXILIARY: &str = "auxiliary address";

/// Why this program reserves an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose<'a> {
    /// Docker has requested it from the IPAM driver.
    Ipam,
    /// The network driver keeps it from other hosts: an `--aux-address` of a pool of another IPAM driver.
    Auxiliary {
        /// Its name.
        label: &'a str,
        /// The Docker network's id, as its command line shows it.
        network: &'a str,
    },
}

impl fmt::Display for Purpose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipam => f.write_str("reserved by Docker"),
            Self::Auxiliary { label, network } => {
                write!(f, "{AUXILIARY} {label} of Docker network {network}")
            }
        }
    }
}

/// Whether the IPAM driver owns a reservation. An address that was reserved again under the name of its
/// endpoint is the IPAM driver's, too.
pub(crate) fn is_of_ipam(reservation: &Reservation) -> bool {
    !reservation.purpose.starts_with(AUXILIARY)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn marks_keep_their_texts_and_tell_whose_an_address_is() {
        let auxiliary = Purpose::Auxiliary {
            label: "printer",
            network: "0123456789ab",
        };
        for (text, purpose, expected) in [
            ("reserved by Docker", Some(Purpose::Ipam), true),
            (
                "auxiliary address printer of Docker network 0123456789ab",
                Some(auxiliary),
                false,
            ),
            ("docker-0123456789ab", None, true),
        ] {
            assert!(purpose.is_none_or(|purpose| purpose.to_string() == text));
            let reservation = Reservation {
                id: Uuid::from_u128(1),
                address: "10.1.1.9".parse().unwrap(),
                purpose: text.to_owned(),
            };
            assert_eq!(is_of_ipam(&reservation), expected, "{text}");
        }
    }
}
