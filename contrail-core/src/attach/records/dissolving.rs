//! Ports that leave a port tuple although another port of their container is the one that is deleted.
//!
//! Only these files record the tuple once the ports have left it: a port that is deleted before the
//! tuple makes the controller lose the chains of the service. A record is there from before the port
//! leaves until the tuple is gone, whichever port dissolves it.

use std::path::Path;

use uuid::Uuid;

use crate::error::Result;
use crate::state::{Index, Pair};

/// Records that ports are about to leave a port tuple.
pub(crate) fn note(state_dir: &Path, tuple: Uuid, ports: &[Uuid]) -> Result<()> {
    let records = records(state_dir);
    let record = |port: &Uuid| Pair {
        first: tuple,
        second: *port,
    };
    ports
        .iter()
        .try_for_each(|port| records.insert(&record(port)))
}

/// The port tuples that must be deleted before a port.
pub(crate) fn tuples_before(state_dir: &Path, port: Uuid) -> Result<Vec<Uuid>> {
    let records = records(state_dir).keys()?.into_iter();
    let own = records.filter(|record| record.second == port);
    Ok(own.map(|record| record.first).collect())
}

/// The ports that are leaving a port tuple, or have left it.
pub(crate) fn ports_of(state_dir: &Path, tuple: Uuid) -> Result<Vec<Uuid>> {
    let records = records(state_dir).keys()?.into_iter();
    let own = records.filter(|record| record.first == tuple);
    Ok(own.map(|record| record.second).collect())
}

/// Forgets a port tuple that is gone.
pub(crate) fn forget(state_dir: &Path, tuple: Uuid) -> Result<()> {
    let records = records(state_dir);
    let mut gone = records.keys()?.into_iter();
    gone.try_for_each(|record| match record.first == tuple {
        true => records.remove(&record).map(drop),
        false => Ok(()),
    })
}

/// The records: each the id of the tuple, then of the port.
fn records(state_dir: &Path) -> Index<Pair> {
    Index::new(state_dir.join("leaving")).best_effort()
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
        let mut leaving = ports_of(dir.path(), tuple).unwrap();
        leaving.sort();
        assert_eq!(leaving, [a, b]);
        forget(dir.path(), tuple).unwrap();
        assert!(tuples_before(dir.path(), a).unwrap().is_empty());
        assert_eq!(tuples_before(dir.path(), b).unwrap(), [other]);
    }
}
