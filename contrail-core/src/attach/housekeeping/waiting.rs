//! One list of everything on this host that waits for a later call.

use std::fmt;
use std::path::Path;
use std::time::SystemTime;

use uuid::Uuid;

use crate::attach::attacher::Attacher;
use crate::attach::records::uses::NetworkUse;
use crate::attach::records::{orphans, uses};
use crate::attach::removal::PendingRemoval;
use crate::error::Result;
use crate::values::FqName;

/// Work on this host that waits for a later call. Its text is one line for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A removal that failed. Later calls try it again.
    Removal(PendingRemoval),
    /// A VM interface that had not left these port tuples when the last call on it ended. Its removal
    /// completes that.
    Membership {
        /// The VM interface.
        interface: Uuid,
        /// The port tuples.
        tuples: Vec<Uuid>,
    },
    /// A virtual network that may have been made for an attach that was interrupted. The removal of the VM
    /// interface settles that.
    Network {
        /// The VM interface.
        interface: Uuid,
        /// The name of the virtual network.
        network: FqName,
    },
    /// A VM interface whose link was gone when it was last checked. A clean-up with removal deletes it.
    Orphan {
        /// The VM interface.
        interface: Uuid,
        /// The project that it was found in.
        project: FqName,
        /// When it was first seen.
        since: SystemTime,
    },
    /// Work that the front end has recorded itself, in its words.
    FrontEnd(String),
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removal(removal) => {
                let PendingRemoval {
                    interface,
                    tried,
                    error,
                    retries,
                } = removal;
                let tried = age(*tried);
                write!(
                    f,
                    "VM interface {interface}, retries: {retries}, last tried {tried} s ago: {error}"
                )
            }
            Self::Membership { interface, tuples } => {
                let tuples: Vec<String> = tuples.iter().map(Uuid::to_string).collect();
                let tuples = tuples.join(", ");
                write!(
                    f,
                    "VM interface {interface}, interrupted while leaving port tuple {tuples}: the interface is \
                     still to be removed"
                )
            }
            Self::Network { interface, network } => write!(
                f,
                "virtual network {network}, may have been created for VM interface {interface}: the network \
                 is still to be removed"
            ),
            Self::Orphan {
                interface,
                project,
                since,
            } => {
                let since = age(*since);
                write!(
                    f,
                    "VM interface {interface} of project {project}, noted as an orphan {since} s ago"
                )
            }
            Self::FrontEnd(text) => f.write_str(text),
        }
    }
}

impl Attacher {
    /// Everything that waits on this host, removals first. What a call is working on is left out.
    ///
    /// Makes no request.
    ///
    /// # Errors
    /// When the state directory cannot be used, or has an entry of a later version.
    ///
    /// ```no_run
    /// # fn example(attacher: &contrail_core::attach::Attacher) -> contrail_core::Result<()> {
    /// for waiting in attacher.waiting()? {
    ///     println!("{waiting}");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn waiting(&self) -> Result<Vec<Waiting>> {
        let removals = self.pending_removals()?;
        list(&self.host.state_dir, removals, |id| self.is_free(id))
    }
}

fn list(
    state_dir: &Path,
    removals: Vec<PendingRemoval>,
    is_free: impl Fn(Uuid) -> Result<bool>,
) -> Result<Vec<Waiting>> {
    let has_removal = |id| removals.iter().any(|removal| removal.interface == id);
    let mut others = Vec::new();
    let entries = uses::entries(state_dir);
    for interface in entries.keys()? {
        if has_removal(interface) {
            continue;
        }
        let uses = entries.peek(&interface)?.entry();
        let found: Vec<Waiting> = uses.map_or(Vec::new(), |uses| unsettled(interface, uses));
        if !found.is_empty() && is_free(interface)? {
            others.extend(found);
        }
    }
    let entries = orphans::entries(state_dir);
    for interface in entries.keys()? {
        if has_removal(interface) {
            continue;
        }
        let seen = entries.peek(&interface)?.entry();
        others.extend(seen.map(|seen| Waiting::Orphan {
            interface,
            project: seen.project,
            since: seen.since,
        }));
    }
    let removals = removals.into_iter().map(Waiting::Removal);
    Ok(removals.chain(others).collect())
}

/// What the last call on an interface did not settle.
fn unsettled(interface: Uuid, uses: uses::Uses) -> Vec<Waiting> {
    let networks = uses.networks.into_iter();
    let networks = networks.filter_map(|known| match known {
        NetworkUse::Asked(network) | NetworkUse::Creating(network) => {
            Some(Waiting::Network { interface, network })
        }
        NetworkUse::Joined(_) => None,
    });
    let tuples = uses.membership.leaving;
    let membership = (!tuples.is_empty()).then_some(Waiting::Membership { interface, tuples });
    membership.into_iter().chain(networks).collect()
}

fn age(time: SystemTime) -> u64 {
    time.elapsed().unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attach::records::{networks, services};

    #[test]
    fn what_calls_have_left_unsettled_is_listed_unless_one_is_at_work() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        assert_eq!(list(dir, Vec::new(), |_| Ok(true)).unwrap(), []);
        let [settled, asked, leaves, orphan, tuple] = [1, 2, 3, 4, 5].map(Uuid::from_u128);
        let network = FqName::new(["d", "p", "n"]);
        networks::expect(dir, settled, &network).unwrap();
        networks::join(dir, settled, &network, tuple).unwrap();
        networks::expect(dir, asked, &network).unwrap();
        services::note_tuples(dir, leaves, &[tuple]).unwrap();
        let project = FqName::new(["d", "p"]);
        let since = orphans::note(dir, orphan, &project).unwrap();

        let asked_for = Waiting::Network {
            interface: asked,
            network,
        };
        let member = Waiting::Membership {
            interface: leaves,
            tuples: vec![tuple],
        };
        let orphaned = Waiting::Orphan {
            interface: orphan,
            project,
            since,
        };
        let found = list(dir, Vec::new(), |_| Ok(true)).unwrap();
        assert_eq!(found.len(), 3);
        for one in [&asked_for, &member, &orphaned] {
            assert!(found.contains(one), "{one}");
        }

        let found = list(dir, Vec::new(), |id| Ok(id != asked)).unwrap();
        assert!(!found.contains(&asked_for));
        // A removal that waits does the rest, too.
        let removal = PendingRemoval {
            interface: orphan,
            tried: since,
            error: "down".into(),
            retries: 3,
        };
        let found = list(dir, vec![removal.clone()], |_| Ok(true)).unwrap();
        assert_eq!(found[0], Waiting::Removal(removal));
        assert!(!found.contains(&orphaned));
    }

    #[test]
    fn each_line_names_the_object_and_what_it_waits_for() {
        let interface = Uuid::nil();
        let network = FqName::new(["d", "p", "n"]);
        let text = Waiting::Network { interface, network }.to_string();
        assert_eq!(
            text,
            format!(
                "virtual network d:p:n, may have been created for VM interface {interface}: the network \
                 is still to be removed"
            )
        );
        assert_eq!(
            Waiting::FrontEnd("network n1".into()).to_string(),
            "network n1"
        );
    }
}
