//! The part of an interface in service instances: what it has to leave before it is deleted. It is recorded
//! in the entry of what the interface uses, [`super::uses`].

use std::path::Path;

use uuid::Uuid;

use super::uses::{self, Membership};
use crate::error::Result;
use crate::service_chain::ServiceRole;

/// Records that an interface is about to become a member of a service instance.
pub(crate) fn serve(
    state_dir: &Path,
    interface: Uuid,
    role: &ServiceRole,
    machine: Uuid,
) -> Result<()> {
    change(state_dir, interface, |membership| {
        membership.serve(role.clone(), machine);
    })
}

/// The roles that an interface may have, each with the virtual machine.
pub(crate) fn served(state_dir: &Path, interface: Uuid) -> Result<Vec<(ServiceRole, Uuid)>> {
    let served = known(state_dir, interface)?.served.into_iter();
    Ok(served.map(|served| (served.role, served.machine)).collect())
}

/// Records that an interface is leaving port tuples, before it does.
pub(crate) fn note_tuples(state_dir: &Path, interface: Uuid, tuples: &[Uuid]) -> Result<()> {
    change(state_dir, interface, |membership| {
        tuples.iter().for_each(|tuple| membership.leave(*tuple));
    })
}

/// The port tuples that an interface was leaving when the last call ended.
pub(crate) fn noted_tuples(state_dir: &Path, interface: Uuid) -> Result<Vec<Uuid>> {
    Ok(known(state_dir, interface)?.leaving)
}

/// Records that an interface is no longer a member of any service instance.
pub(crate) fn retire(state_dir: &Path, interface: Uuid) -> Result<()> {
    change(state_dir, interface, |membership| {
        *membership = Membership {
            left: true,
            ..Membership::default()
        };
    })
}

/// Whether an interface was a member of a service, and is to be deleted.
pub(crate) fn has_left(state_dir: &Path, interface: Uuid) -> Result<bool> {
    Ok(known(state_dir, interface)?.left)
}

/// Records that an interface that was a member of a service is deleted.
pub(crate) fn end(state_dir: &Path, interface: Uuid) -> Result<()> {
    change(state_dir, interface, |membership| membership.left = false)
}

fn known(state_dir: &Path, interface: Uuid) -> Result<Membership> {
    let known = uses::known(state_dir, interface)?;
    Ok(known.unwrap_or_default().membership)
}

fn change(state_dir: &Path, interface: Uuid, change: impl FnOnce(&mut Membership)) -> Result<()> {
    uses::change(state_dir, interface, |uses| change(&mut uses.membership)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attach::records::networks;
    use crate::attach::records::uses::NetworkUse;
    use crate::service_chain::{Leg, Mode};
    use crate::values::FqName;

    #[test]
    fn a_service_is_left_without_the_network() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let [network, interface, machine] = [1, 2, 3].map(Uuid::from_u128);
        let name = FqName::new(["d", "p", "n"]);
        networks::expect(dir, interface, &name).unwrap();
        networks::join(dir, interface, &name, network).unwrap();
        assert_eq!(served(dir, interface).unwrap(), []);
        let role = ServiceRole {
            instance: name,
            interface: Leg::Left,
            mode: Mode::InNetwork,
        };
        for _ in 0..2 {
            serve(dir, interface, &role, machine).unwrap();
            note_tuples(dir, interface, &[network]).unwrap();
        }
        assert_eq!(served(dir, interface).unwrap(), [(role, machine)]);
        assert_eq!(noted_tuples(dir, interface).unwrap(), [network]);
        assert!(!has_left(dir, interface).unwrap());
        retire(dir, interface).unwrap();
        assert_eq!(served(dir, interface).unwrap(), []);
        assert!(has_left(dir, interface).unwrap());
        end(dir, interface).unwrap();
        let uses = uses::of(dir, interface).unwrap();
        assert_eq!(uses.networks, [NetworkUse::Joined(network)]);
        assert_eq!(uses.membership, Membership::default());
    }
}
