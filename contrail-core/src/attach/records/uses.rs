//! What the interfaces of this host use besides their own objects: virtual networks that the plugins made,
//! and service instances. The last one to leave such a network removes it, and nobody asks the API who
//! else is there; whoever leaves a service must finish that before the interface goes.
//!
//! `uses/<interface>.json` is written before anything of an interface is made, when only the name of
//! its network is known, and goes when the network is known to be gone or to be somebody else's: so
//! neither a crash nor a lost answer loses a network. `members/<network>_<interface>` says who is
//! there. Losing these files loses the tidying: the network stays, with its owner mark. Losing them
//! between two steps of leaving a service may also lose its chains, which `service-chain apply` brings
//! back.
//!
//! Whoever works on an interface holds its lock. Members have none: each is a file of its own, and who
//! leaves takes their own away before they look for others, so that two cannot miss each other.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::files;
use crate::service_chain::ServiceRole;
use crate::values::FqName;

/// What an interface uses besides its own objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Use {
    /// It was asked for by this name; whether it exists and whose it is was not known yet.
    Asked(FqName),
    /// The API was asked to create the one of this name, and may do so even after the interface is gone.
    Creating(FqName),
    /// It is this one, which the plugins made.
    Joined(Uuid),
    /// Not of a network: the interface is a member of a service instance, or about to be.
    Serves {
        /// Of which, and as what.
        role: ServiceRole,
        /// The virtual machine whose ports form the port tuple.
        machine: Uuid,
    },
    /// Not of a network: the interface is leaving this port tuple. Once it has left, nothing else
    /// tells that the tuple has to go before the interface.
    Leaves(Uuid),
    /// Not of a network: the interface was a member of a service, and is to be deleted.
    Left,
}

impl Use {
    /// Whether it is the use of a network of which no more than this name was known.
    fn is_of_name(&self, network: &FqName) -> bool {
        matches!(self, Self::Asked(name) | Self::Creating(name) if name == network)
    }
}

/// Notes that an interface is about to use a network; `false` when that was known. Uses of an earlier
/// life of the interface stay.
pub(crate) fn expect(state_dir: &Path, interface: Uuid, network: &FqName) -> Result<bool> {
    let mut uses = of(state_dir, interface)?;
    if uses.iter().any(|known| known.is_of_name(network)) {
        return Ok(false);
    }
    uses.push(Use::Asked(network.clone()));
    write(state_dir, interface, &uses).map(|()| true)
}

/// Notes that the network is about to be created.
pub(crate) fn create(state_dir: &Path, interface: Uuid, name: &FqName) -> Result<()> {
    let mut uses = of(state_dir, interface)?;
    uses.retain(|known| !known.is_of_name(name));
    uses.push(Use::Creating(name.clone()));
    write(state_dir, interface, &uses)
}

/// Notes which network it was, one that the plugins made.
pub(crate) fn join(state_dir: &Path, interface: Uuid, name: &FqName, network: Uuid) -> Result<()> {
    files::write_private_unsynced(&member(state_dir, network, interface), b"")?;
    let joined = Use::Joined(network);
    let mut uses = of(state_dir, interface)?;
    uses.retain(|known| !known.is_of_name(name) && *known != joined);
    uses.push(joined);
    write(state_dir, interface, &uses)
}

/// Notes that the network of that name is not one that the plugins made.
pub(crate) fn decline(state_dir: &Path, interface: Uuid, name: &FqName) -> Result<()> {
    let mut uses = of(state_dir, interface)?;
    uses.retain(|known| !known.is_of_name(name));
    write(state_dir, interface, &uses)
}

/// Notes that an interface is about to become a member of a service instance.
pub(crate) fn serve(
    state_dir: &Path,
    interface: Uuid,
    role: &ServiceRole,
    machine: Uuid,
) -> Result<()> {
    let mut uses = of(state_dir, interface)?;
    let role = role.clone();
    let serves = Use::Serves { role, machine };
    if uses.contains(&serves) {
        return Ok(());
    }
    uses.push(serves);
    write(state_dir, interface, &uses)
}

/// The roles that an interface may have, each with the virtual machine.
pub(crate) fn served(state_dir: &Path, interface: Uuid) -> Result<Vec<(ServiceRole, Uuid)>> {
    let served = of(state_dir, interface)?.into_iter();
    let served = served.filter_map(|known| match known {
        Use::Serves { role, machine } => Some((role, machine)),
        _ => None,
    });
    Ok(served.collect())
}

/// Notes that an interface is leaving port tuples, before it does.
pub(crate) fn leave(state_dir: &Path, interface: Uuid, tuples: &[Uuid]) -> Result<()> {
    let mut uses = of(state_dir, interface)?;
    let known = uses.len();
    for leaves in tuples.iter().map(|tuple| Use::Leaves(*tuple)) {
        if !uses.contains(&leaves) {
            uses.push(leaves);
        }
    }
    match uses.len() > known {
        true => write(state_dir, interface, &uses),
        false => Ok(()),
    }
}

/// The port tuples that an interface was leaving when the last call ended.
pub(crate) fn left(state_dir: &Path, interface: Uuid) -> Result<Vec<Uuid>> {
    let left = of(state_dir, interface)?.into_iter();
    let left = left.filter_map(|known| match known {
        Use::Leaves(tuple) => Some(tuple),
        _ => None,
    });
    Ok(left.collect())
}

/// Notes that an interface is a member of no service instance any more.
pub(crate) fn retire(state_dir: &Path, interface: Uuid) -> Result<()> {
    let mut uses = of(state_dir, interface)?;
    uses.retain(|known| !matches!(known, Use::Serves { .. } | Use::Leaves(_) | Use::Left));
    uses.push(Use::Left);
    write(state_dir, interface, &uses)
}

/// Whether an interface was a member of a service, and is to be deleted.
pub(crate) fn has_left(state_dir: &Path, interface: Uuid) -> Result<bool> {
    of(state_dir, interface).map(|uses| uses.contains(&Use::Left))
}

/// Notes that an interface that was a member of a service is deleted.
pub(crate) fn end(state_dir: &Path, interface: Uuid) -> Result<()> {
    let mut uses = of(state_dir, interface)?;
    uses.retain(|known| *known != Use::Left);
    write(state_dir, interface, &uses)
}

/// The uses that an interface may have.
pub(crate) fn of(state_dir: &Path, interface: Uuid) -> Result<Vec<Use>> {
    let path = entry(state_dir, interface);
    let text = match files::read_private(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::file("read", path, e)),
    };
    // A power failure may leave it empty; nothing else but somebody's editor damages it.
    Ok(serde_json::from_slice(&text).unwrap_or_else(|e| {
        log::warn!("{} is damaged and not used: {e}", path.display());
        Vec::new()
    }))
}

/// How long ago the uses of an interface were noted. A clock that was set back must not stop anything.
pub(crate) fn age(state_dir: &Path, interface: Uuid) -> Result<Duration> {
    let path = entry(state_dir, interface);
    let written = fs::metadata(&path).and_then(|file| file.modified());
    let written = written.map_err(|e| Error::file("read", path, e))?;
    Ok(written.elapsed().unwrap_or(Duration::MAX))
}

/// Takes an interface off a network; returns whether no other of this host is there.
pub(crate) fn step_out(state_dir: &Path, interface: Uuid, network: Uuid) -> Result<bool> {
    let own = member(state_dir, network, interface);
    files::remove(&own)?;
    let directory = state_dir.join(MEMBERS);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(true),
        Err(e) => return Err(Error::file("read", directory, e)),
    };
    let prefix = format!("{network}_");
    for entry in entries {
        let entry = entry.map_err(|e| Error::file("read", &directory, e))?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Forgets the uses of an interface: its networks are known to be gone, or in use by others.
pub(crate) fn forget(state_dir: &Path, interface: Uuid) -> Result<()> {
    files::remove(&entry(state_dir, interface)).map(drop)
}

fn write(state_dir: &Path, interface: Uuid, uses: &[Use]) -> Result<()> {
    if uses.is_empty() {
        return forget(state_dir, interface);
    }
    let text = serde_json::to_vec(uses).map_err(|source| Error::Decode {
        what: format!("the uses of interface {interface}"),
        source,
    })?;
    files::write_private_unsynced(&entry(state_dir, interface), &text)
}

const MEMBERS: &str = "members";

fn member(state_dir: &Path, network: Uuid, interface: Uuid) -> PathBuf {
    state_dir
        .join(MEMBERS)
        .join(format!("{network}_{interface}"))
}

fn entry(state_dir: &Path, interface: Uuid) -> PathBuf {
    state_dir.join("uses").join(format!("{interface}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service_chain::{Leg, Mode};

    const NETWORK: Uuid = Uuid::from_u128(1);
    const A: Uuid = Uuid::from_u128(2);
    const B: Uuid = Uuid::from_u128(3);

    fn name() -> FqName {
        FqName::new(["d", "p", "n"])
    }

    fn files_in(dir: &Path) -> usize {
        let count = |name: &str| fs::read_dir(dir.join(name)).map_or(0, Iterator::count);
        count("uses") + count(MEMBERS)
    }

    #[test]
    fn only_the_last_interface_to_leave_is_the_last() {
        let dir = tempfile::tempdir().unwrap();
        for interface in [A, B] {
            expect(dir.path(), interface, &name()).unwrap();
            join(dir.path(), interface, &name(), NETWORK).unwrap();
            assert_eq!(of(dir.path(), interface).unwrap(), [Use::Joined(NETWORK)]);
        }
        assert!(!step_out(dir.path(), A, NETWORK).unwrap());
        assert!(step_out(dir.path(), B, NETWORK).unwrap());
        assert!(step_out(dir.path(), B, NETWORK).unwrap());
        for interface in [A, B] {
            assert_eq!(of(dir.path(), interface).unwrap(), [Use::Joined(NETWORK)]);
            forget(dir.path(), interface).unwrap();
        }
        assert_eq!(files_in(dir.path()), 0);
    }

    #[test]
    fn a_network_of_somebody_else_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        expect(dir.path(), A, &name()).unwrap();
        assert_eq!(of(dir.path(), A).unwrap(), [Use::Asked(name())]);
        create(dir.path(), A, &name()).unwrap();
        assert_eq!(of(dir.path(), A).unwrap(), [Use::Creating(name())]);
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
            of(dir.path(), A).unwrap(),
            [Use::Joined(NETWORK), Use::Asked(other.clone())]
        );
        decline(dir.path(), A, &other).unwrap();
        assert_eq!(of(dir.path(), A).unwrap(), [Use::Joined(NETWORK)]);
    }

    #[test]
    fn a_service_is_left_without_the_network() {
        let dir = tempfile::tempdir().unwrap();
        expect(dir.path(), A, &name()).unwrap();
        join(dir.path(), A, &name(), NETWORK).unwrap();
        assert_eq!(served(dir.path(), A).unwrap(), []);
        let role = ServiceRole {
            instance: name(),
            interface: Leg::Left,
            mode: Mode::InNetwork,
        };
        for _ in 0..2 {
            serve(dir.path(), A, &role, B).unwrap();
            leave(dir.path(), A, &[NETWORK]).unwrap();
        }
        assert_eq!(served(dir.path(), A).unwrap(), [(role, B)]);
        assert_eq!(left(dir.path(), A).unwrap(), [NETWORK]);
        assert!(!has_left(dir.path(), A).unwrap());
        retire(dir.path(), A).unwrap();
        assert_eq!(served(dir.path(), A).unwrap(), []);
        assert!(has_left(dir.path(), A).unwrap());
        end(dir.path(), A).unwrap();
        assert_eq!(of(dir.path(), A).unwrap(), [Use::Joined(NETWORK)]);
    }

    #[test]
    fn a_damaged_entry_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        expect(dir.path(), A, &name()).unwrap();
        fs::write(entry(dir.path(), A), "").unwrap();
        assert_eq!(of(dir.path(), A).unwrap(), []);
        expect(dir.path(), A, &name()).unwrap();
        assert_eq!(of(dir.path(), A).unwrap(), [Use::Asked(name())]);
    }
}
