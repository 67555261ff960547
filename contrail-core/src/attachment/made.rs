//! Which virtual networks this host created, and which of its interfaces use them: so that the last
//! one to leave knows to remove what the first one made, without asking the API each time.
//!
//! `networks/<network id>/` holds an empty file for each interface; `interfaces/<interface id>` names
//! the network. A directory that is removed only when it is empty makes "I am the last" atomic. Losing
//! these files loses nothing but the tidying: the network stays, with its owner mark.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::files;

/// Notes that this host created the network.
pub(super) fn record(state_dir: &Path, network: Uuid) -> Result<()> {
    files::create_private_dir(&members(state_dir, network))
}

/// Notes that an interface uses the network, if this host created it.
pub(super) fn join(state_dir: &Path, network: Uuid, interface: Uuid) -> Result<()> {
    let members = members(state_dir, network);
    if !members.is_dir() {
        return Ok(());
    }
    let name = network.to_string();
    files::write_private_unsynced(&entry(state_dir, interface), name.as_bytes())?;
    files::write_private_unsynced(&members.join(interface.to_string()), b"")
}

/// Notes that an interface is gone. Returns the network that it was the last to use.
pub(super) fn leave(state_dir: &Path, interface: Uuid) -> Result<Option<Uuid>> {
    let entry = entry(state_dir, interface);
    let network = match fs::read_to_string(&entry) {
        Ok(text) => text.trim().parse::<Uuid>().ok(),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::file("read", entry, e)),
    };
    let Some(network) = network else {
        return files::remove(&entry).map(|_| None);
    };
    files::remove(&members(state_dir, network).join(interface.to_string()))?;
    files::remove(&entry)?;
    Ok(remove_if_empty(state_dir, network)?.then_some(network))
}

/// Forgets a network that no interface uses; `false` when one does or it was not known.
pub(super) fn remove_if_empty(state_dir: &Path, network: Uuid) -> Result<bool> {
    let members = members(state_dir, network);
    match fs::remove_dir(&members) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => {
            Ok(false)
        }
        Err(e) => Err(Error::file("remove", members, e)),
    }
}

fn members(state_dir: &Path, network: Uuid) -> PathBuf {
    state_dir.join("networks").join(network.to_string())
}

fn entry(state_dir: &Path, interface: Uuid) -> PathBuf {
    state_dir.join("interfaces").join(interface.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_interface_to_leave_is_told_the_network() {
        let dir = tempfile::tempdir().unwrap();
        let (network, a, b) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        record(dir.path(), network).unwrap();
        join(dir.path(), network, a).unwrap();
        join(dir.path(), network, b).unwrap();
        assert_eq!(leave(dir.path(), a).unwrap(), None);
        assert_eq!(leave(dir.path(), a).unwrap(), None);
        assert_eq!(leave(dir.path(), b).unwrap(), Some(network));
        assert_eq!(leave(dir.path(), b).unwrap(), None);
        assert_eq!(
            fs::read_dir(dir.path().join("networks")).unwrap().count(),
            0
        );
        assert_eq!(
            fs::read_dir(dir.path().join("interfaces")).unwrap().count(),
            0
        );
    }

    #[test]
    fn a_network_of_somebody_else_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        join(dir.path(), Uuid::from_u128(1), Uuid::from_u128(2)).unwrap();
        assert_eq!(leave(dir.path(), Uuid::from_u128(2)).unwrap(), None);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
