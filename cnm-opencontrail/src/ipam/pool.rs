//! A pool and its id, which contains all of it: even if the state is lost, Docker sends the id again.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use contrail_core::attach::Pool as Range;
use contrail_core::values::Family;
use contrail_core::values::prefix::check_subnet;
use contrail_core::{Error, FqName, Result};
use ipnetwork::IpNetwork;

/// A subnet of a virtual network, or a part of one, as a source of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Pool {
    /// The virtual network.
    pub(crate) network: FqName,
    /// The subnet.
    pub(crate) prefix: IpNetwork,
    /// The part of it from which addresses are chosen.
    pub(crate) range: Option<IpNetwork>,
}

impl Pool {
    /// The family of its addresses.
    pub(crate) fn family(&self) -> Family {
        Family::of(self.prefix.ip())
    }

    /// The range as first and last address.
    pub(crate) fn bounds(&self) -> Option<Range> {
        self.range.map(|range| Range {
            first: range.network(),
            last: range.broadcast(),
        })
    }

    /// An address of the pool, with the length of its prefix.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the pool does not contain it.
    pub(crate) fn with_prefix(&self, address: IpAddr) -> Result<IpNetwork> {
        let held = self.prefix.contains(address).then_some(());
        held.and_then(|()| IpNetwork::new(address, self.prefix.prefix()).ok())
            .ok_or_else(|| {
                let reason = format!("it lies outside of the pool {}", self.prefix);
                Error::invalid("address", address.to_string(), reason)
            })
    }
}

/// `default-domain:admin:net1@10.1.1.0/24@`, with the range behind the last `@`.
impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}@", self.network, self.prefix)?;
        self.range.iter().try_for_each(|range| write!(f, "{range}"))
    }
}

impl FromStr for Pool {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::invalid("PoolID", text, "this driver has not given it out");
        let mut parts = text.rsplitn(3, '@');
        let (Some(range), Some(prefix), Some(network)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(unknown());
        };
        let range = match range {
            "" => None,
            range => Some(range.parse().map_err(|_| unknown())?),
        };
        Ok(Self {
            network: network.parse().map_err(|_| unknown())?,
            prefix: prefix.parse().map_err(|_| unknown())?,
            range,
        })
    }
}

/// A prefix as Docker sends it, without host bits.
///
/// # Errors
/// [`Error::Invalid`] if it is no prefix, or of the other family.
pub(crate) fn prefix(what: &str, text: &str, v6: bool) -> Result<IpNetwork> {
    let refused = |reason: String| Error::invalid(what, text, reason);
    let prefix: IpNetwork = text
        .parse()
        .map_err(|error: ipnetwork::IpNetworkError| refused(error.to_string()))?;
    if prefix.is_ipv6() != v6 {
        let wanted = if v6 { "v6" } else { "v4" };
        return Err(refused(format!("an IP{wanted} prefix is expected")));
    }
    check_subnet(prefix).map_err(refused)?;
    IpNetwork::new(prefix.network(), prefix.prefix()).map_err(|error| refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_what_its_id_says() {
        for id in [
            "default-domain:admin:net1@10.1.1.0/24@",
            "default-domain:admin:a@b@10.1.1.0/24@10.1.1.128/25",
            "default-domain:admin:net6@fd00:1::/64@",
        ] {
            let pool: Pool = id.parse().unwrap();
            assert_eq!(pool.to_string(), id);
        }
        for id in [
            "",
            "x",
            "a:b:c@10.1.1.0/24",
            "a:b:c@10.1.1.0/33@",
            "a:b:c@x@y",
        ] {
            assert!(id.parse::<Pool>().is_err(), "{id:?}");
        }
    }

    #[test]
    fn addresses_outside_are_refused() {
        let pool: Pool = "d:p:n@10.1.1.0/24@".parse().unwrap();
        let inside = pool.with_prefix("10.1.1.9".parse().unwrap()).unwrap();
        assert_eq!(inside.to_string(), "10.1.1.9/24");
        for address in ["10.1.2.1", "fd00::1"] {
            let error = pool.with_prefix(address.parse().unwrap()).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("outside of the pool 10.1.1.0/24"),
                "{error}"
            );
        }
    }

    #[test]
    fn prefixes_lose_their_host_bits_and_keep_their_family() {
        assert_eq!(
            prefix("Pool", "10.1.1.5/24", false).unwrap().to_string(),
            "10.1.1.0/24"
        );
        assert!(prefix("Pool", "10.1.1.0/24", true).is_err());
        assert!(prefix("Pool", "10.1.1.0/99", false).is_err());
        assert!(prefix("Pool", "224.0.0.0/8", false).is_err());
    }
}
