//! The virtual networks that the interfaces of this host use. The last interface to leave one that the
//! plugins made removes it, without asking the API who else uses it.
//!
//! A use is recorded in the interface's entry ([`super::uses`]) before anything of the interface is made, when
//! only the name of its network is known. It is removed when the network is known to be gone or to belong
//! to others: so neither a crash nor a lost answer loses a network.
//!
//! [`members`] says which interfaces use a network, without a lock: each is a file of its own, and an interface
//! that leaves removes its own before it looks for others, so that two cannot miss each other.

use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use super::uses::{self, NetworkUse};
use crate::error::{Result, report};
use crate::state::{Index, Pair};
use crate::values::FqName;

/// Records that an interface is about to use a network; `false` if that was known. Uses of an earlier
/// life of the interface stay.
pub(crate) fn expect(state_dir: &Path, interface: Uuid, network: &FqName) -> Result<bool> {
    uses::change(state_dir, interface, |uses| {
        if !uses.networks.iter().any(|known| known.is_of_name(network)) {
            uses.networks.push(NetworkUse::Asked(network.clone()));
        }
    })
}

/// Records that the network is about to be created, and when: see [`age`].
pub(crate) fn create(state_dir: &Path, interface: Uuid, name: &FqName) -> Result<()> {
    let mut uses = uses::of(state_dir, interface)?;
    uses.networks.retain(|known| !known.is_of_name(name));
    uses.networks.push(NetworkUse::Creating(name.clone()));
    uses::entries(state_dir).put(&interface, &uses)
}

/// Records which network it was, one that the plugins made.
pub(crate) fn join(state_dir: &Path, interface: Uuid, name: &FqName, network: Uuid) -> Result<()> {
    members(state_dir).insert(&member(network, interface))?;
    let joined = NetworkUse::Joined(network);
    uses::change(state_dir, interface, |uses| {
        let networks = &mut uses.networks;
        networks.retain(|known| !known.is_of_name(name) && *known != joined);
        networks.push(joined);
    })
    .map(drop)
}

/// Records that the network of that name is not one that the plugins made.
pub(crate) fn decline(state_dir: &Path, interface: Uuid, name: &FqName) -> Result<()> {
    uses::change(state_dir, interface, |uses| {
        uses.networks.retain(|known| !known.is_of_name(name));
    })
    .map(drop)
}

/// How long ago the uses of an interface were recorded. A clock that was set back must not stop anything.
pub(crate) fn age(state_dir: &Path, interface: Uuid) -> Result<Duration> {
    let written = uses::entries(state_dir).written(&interface)?;
    let age = written.and_then(|written| written.elapsed().ok());
    Ok(age.unwrap_or(Duration::MAX))
}

/// Takes an interface off a network; returns whether no other of this host uses it.
pub(crate) fn step_out(state_dir: &Path, interface: Uuid, network: Uuid) -> Result<bool> {
    let members = members(state_dir);
    let own = member(network, interface);
    // If two leave while neither can remove its own, each finds the other, and the network stays.
    if let Err(error) = members.remove(&own) {
        log::warn!("{}", report(&error));
    }
    let mut others = members.keys()?.into_iter();
    Ok(others.all(|member| member.first != network || member == own))
}

/// The interfaces that use networks of the plugins: each the id of the network, then of the interface.
fn members(state_dir: &Path) -> Index<Pair> {
    Index::new(state_dir.join("members")).best_effort()
}

fn member(network: Uuid, interface: Uuid) -> Pair {
    Pair {
        first: network,
        second: interface,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NETWORK: Uuid = Uuid::from_u128(1);
    const A: Uuid = Uuid::from_u128(2);
    const B: Uuid = Uuid::from_u128(3);

    fn name() -> FqName {
        FqName::new(["d", "p", "n"])
    }

    fn networks(dir: &Path, interface: Uuid) -> Vec<NetworkUse> {
        uses::of(dir, interface).unwrap().networks
    }

    fn files_in(dir: &Path) -> usize {
        let count = |name: &str| fs::read_dir(dir.join(name)).map_or(0, Iterator::count);
        count("uses") + count("members")
    }

    #[test]
    fn only_the_last_interface_to_leave_is_the_last() {
        let dir = tempfile::tempdir().unwrap();
        for interface in [A, B] {
            expect(dir.path(), interface, &name()).unwrap();
            join(dir.path(), interface, &name(), NETWORK).unwrap();
            let joined = [NetworkUse::Joined(NETWORK)];
            assert_eq!(networks(dir.path(), interface), joined);
        }
        assert!(!step_out(dir.path(), A, NETWORK).unwrap());
        assert!(step_out(dir.path(), B, NETWORK).unwrap());
        assert!(step_out(dir.path(), B, NETWORK).unwrap());
        for interface in [A, B] {
            let joined = [NetworkUse::Joined(NETWORK)];
            assert_eq!(networks(dir.path(), interface), joined);
            uses::forget(dir.path(), interface).unwrap();
        }
        assert_eq!(files_in(dir.path()), 0);
    }

    #[test]
    fn a_network_of_others_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        expect(dir.path(), A, &name()).unwrap();
        assert_eq!(networks(dir.path(), A), [NetworkUse::Asked(name())]);
        create(dir.path(), A, &name()).unwrap();
        assert_eq!(networks(dir.path(), A), [NetworkUse::Creating(name())]);
        assert!(!expect(dir.path(), A, &name()).unwrap());
        decline(dir.path(), A, &name()).unwrap();
        assert_eq!(files_in(dir.path()), 0);
    }

    #[test]
    fn a_use_of_an_earlier_life_stays_beside_the_new_one() {
        let dir = tempfile::tempdir().unwrap();
        expect(dir.path(), A, &name()).unwrap();
        join(dir.path(), A, &name(), NETWORK).unwrap();
        let other = FqName::new(["d", "p", "other"]);
        assert!(expect(dir.path(), A, &other).unwrap());
        assert!(!expect(dir.path(), A, &other).unwrap());
        assert_eq!(
            networks(dir.path(), A),
            [
                NetworkUse::Joined(NETWORK),
                NetworkUse::Asked(other.clone())
            ]
        );
        decline(dir.path(), A, &other).unwrap();
        assert_eq!(networks(dir.path(), A), [NetworkUse::Joined(NETWORK)]);
    }

    #[test]
    fn a_damaged_entry_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        expect(dir.path(), A, &name()).unwrap();
        fs::write(uses::entries(dir.path()).path(&A).unwrap(), "").unwrap();
        assert_eq!(networks(dir.path(), A), []);
        expect(dir.path(), A, &name()).unwrap();
        assert_eq!(networks(dir.path(), A), [NetworkUse::Asked(name())]);
    }
}
