//! Ports that leave a port tuple although another port of their container is the one that goes.
//!
//! Nothing but these files tells them of the tuple once they have left it: a port that goes before the
//! tuple does makes the controller lose the chains of the service. `leaving/<tuple>_<port>` is there from
//! before the port leaves until the tuple is gone, whoever dissolves it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::files;

/// Notes that ports are about to leave a port tuple.
pub(crate) fn note(state_dir: &Path, tuple: Uuid, ports: &[Uuid]) -> Result<()> {
    let mut ports = ports.iter();
    ports.try_for_each(|port| {
        let name = format!("{tuple}_{port}");
        files::write_private_unsynced(&directory(state_dir).join(name), b"")
    })
}

/// The port tuples that have to go before a port.
pub(crate) fn tuples_before(state_dir: &Path, port: Uuid) -> Result<Vec<Uuid>> {
    let notes = notes(state_dir)?.into_iter();
    let own = notes.filter(|(_, noted)| *noted == port);
    Ok(own.map(|(tuple, _)| tuple).collect())
}

/// A port tuple is gone.
pub(crate) fn forget(state_dir: &Path, tuple: Uuid) -> Result<()> {
    let notes = notes(state_dir)?.into_iter();
    let mut gone = notes.filter(|(noted, _)| *noted == tuple);
    gone.try_for_each(|(tuple, port)| {
        files::remove(&directory(state_dir).join(format!("{tuple}_{port}"))).map(drop)
    })
}

/// Each port tuple that is noted, with the port.
fn notes(state_dir: &Path) -> Result<Vec<(Uuid, Uuid)>> {
    let directory = directory(state_dir);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::file("read", directory, e)),
    };
    let mut notes = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::file("read", &directory, e))?;
        let name = entry.file_name();
        let ids = name.to_str().and_then(|name| name.split_once('_'));
        notes.extend(ids.and_then(|(tuple, port)| Some((tuple.parse().ok()?, port.parse().ok()?))));
    }
    Ok(notes)
}

fn directory(state_dir: &Path) -> PathBuf {
    state_dir.join("leaving")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_of_a_tuple_knows_of_it_until_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let [tuple, other, a, b] = [1, 2, 3, 4].map(Uuid::from_u128);
        assert!(tuples_before(dir.path(), a).unwrap().is_empty());
        note(dir.path(), tuple, &[a, b]).unwrap();
        note(dir.path(), other, &[b]).unwrap();
        assert_eq!(tuples_before(dir.path(), a).unwrap(), [tuple]);
        let mut before_b = tuples_before(dir.path(), b).unwrap();
        before_b.sort();
        assert_eq!(before_b, [tuple, other]);
        forget(dir.path(), tuple).unwrap();
        assert!(tuples_before(dir.path(), a).unwrap().is_empty());
        assert_eq!(tuples_before(dir.path(), b).unwrap(), [other]);
    }
}
