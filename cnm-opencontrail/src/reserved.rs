//! Why this program reserves addresses, in words, and whose a reserved address is.
//!
//! Other hosts show the words as the holder of the address. The mark [`ReservedFor`] beside them decides;
//! release 0.1.0 wrote only the words, so they must never change.

use std::fmt;

use contrail_core::attach::Reservation;
use contrail_core::ownership::ReservedFor;

/// What the texts of auxiliary addresses begin with, for those that release 0.1.0 has reserved.
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

/// Whether the IPAM driver owns a reservation: those of auxiliary addresses are the network driver's.
pub(crate) fn is_of_ipam(reservation: &Reservation) -> bool {
    match reservation.reserved_for {
        Some(reserved_for) => reserved_for == ReservedFor::Interface,
        // Release 0.1.0 wrote only the text.
        None => !reservation.purpose.starts_with(AUXILIARY),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn reservation(reserved_for: Option<ReservedFor>, purpose: &str) -> Reservation {
        Reservation {
            id: Uuid::from_u128(1),
            address: "10.1.1.9".parse().unwrap(),
            reserved_for,
            purpose: purpose.to_owned(),
        }
    }

    const OF_AUXILIARY: &str = "auxiliary address printer of Docker network 0123456789ab";

    #[test]
    fn the_texts_are_those_of_earlier_releases() {
        let auxiliary = Purpose::Auxiliary {
            label: "printer",
            network: "0123456789ab",
        };
        assert_eq!(Purpose::Ipam.to_string(), "reserved by Docker");
        assert_eq!(auxiliary.to_string(), OF_AUXILIARY);
    }

    #[test]
    fn the_mark_decides_and_the_text_only_where_release_0_1_0_wrote_no_mark() {
        let (interface, nothing) = (Some(ReservedFor::Interface), Some(ReservedFor::Nothing));
        for (mark, text, expected) in [
            (interface, "reserved by Docker", true),
            (interface, OF_AUXILIARY, true),
            (nothing, OF_AUXILIARY, false),
            (nothing, "reserved by Docker", false),
            (nothing, "docker-0123456789ab", false),
            (None, "reserved by Docker", true),
            (None, "docker-0123456789ab", true),
            (None, OF_AUXILIARY, false),
        ] {
            let outcome = is_of_ipam(&reservation(mark, text));
            assert_eq!(outcome, expected, "{mark:?} {text}");
        }
    }
}
