//! What an interface of this host uses besides its own objects, one entry each: virtual networks that the
//! plugins made ([`super::networks`]) and service instances ([`super::services`]).
//!
//! Callers hold the lock of the interface. Losing an entry loses the clean-up: the network stays, with its
//! owner mark. Losing it between two steps of leaving a service may also lose its chains, which
//! `service-chain apply` repairs.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Result;
use crate::service_chain::ServiceRole;
use crate::state::{Durability, Entries, Entry, Lookup};
use crate::values::FqName;

/// What one interface uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Uses {
    /// The virtual networks, also those of an earlier life of the interface.
    #[serde(default)]
    pub(crate) networks: Vec<NetworkUse>,
    /// Its part in service instances.
    #[serde(default)]
    pub(crate) membership: Membership,
}

/// The use of a virtual network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NetworkUse {
    /// It was asked for by this name; whether it exists and who made it was not known yet.
    Asked(FqName),
    /// The API was asked to create the one of this name, and may do so even after the interface is gone.
    Creating(FqName),
    /// It is this one, which the plugins made.
    Joined(Uuid),
}

impl NetworkUse {
    /// Whether no more than this name is known of the network.
    pub(super) fn is_of_name(&self, network: &FqName) -> bool {
        matches!(self, Self::Asked(name) | Self::Creating(name) if name == network)
    }
}

/// The part of an interface in service instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Membership {
    /// The roles that the interface has, or is about to take.
    #[serde(default)]
    pub(crate) served: Vec<Served>,
    /// The port tuples that the interface is leaving. Once it has left, only this field records that the
    /// tuple must be deleted before the interface.
    #[serde(default)]
    pub(crate) leaving: Vec<Uuid>,
    /// It was a member of a service, and is to be deleted.
    #[serde(default)]
    pub(crate) left: bool,
}

/// A role in a service instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Served {
    /// In which, and as what.
    pub(crate) role: ServiceRole,
    /// The virtual machine whose ports form the port tuple.
    pub(crate) machine: Uuid,
}

impl Membership {
    /// Adds a role, once.
    pub(super) fn serve(&mut self, role: ServiceRole, machine: Uuid) {
        let served = Served { role, machine };
        if !self.served.contains(&served) {
            self.served.push(served);
        }
    }

    /// Adds a port tuple that the interface is leaving, once.
    pub(super) fn leave(&mut self, tuple: Uuid) {
        if !self.leaving.contains(&tuple) {
            self.leaving.push(tuple);
        }
    }
}

impl Entry for Uses {
    const KIND: &str = "uses of a VM interface";
    const VERSION: u32 = 1;

    /// Before version 1 an entry was one list of everything.
    fn upgrade(_version: u32, value: Value) -> serde_json::Result<Self> {
        let mut uses = Self::default();
        for known in serde_json::from_value::<Vec<UnversionedUse>>(value)? {
            match known {
                UnversionedUse::Network(network) => uses.networks.push(network),
                UnversionedUse::Service(service) => service.add_to(&mut uses.membership),
            }
        }
        Ok(uses)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum UnversionedUse {
    Network(NetworkUse),
    Service(UnversionedService),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnversionedService {
    Serves { role: ServiceRole, machine: Uuid },
    Leaves(Uuid),
    Left,
}

impl UnversionedService {
    fn add_to(self, membership: &mut Membership) {
        match self {
            Self::Serves { role, machine } => membership.serve(role, machine),
            Self::Leaves(tuple) => membership.leave(tuple),
            Self::Left => membership.left = true,
        }
    }
}

/// What an interface may use, for its removal; `None` if only a later release knows that, which will end it.
pub(crate) fn known(state_dir: &Path, interface: Uuid) -> Result<Option<Uses>> {
    Ok(match entries(state_dir).find(&interface)? {
        Lookup::Newer => None,
        found => Some(found.entry().unwrap_or_default()),
    })
}

/// What an interface may use, for a change of it.
pub(crate) fn of(state_dir: &Path, interface: Uuid) -> Result<Uses> {
    Ok(entries(state_dir).get(&interface)?.unwrap_or_default())
}

/// Forgets the uses of an interface: its networks are known to be gone, or used by others.
pub(crate) fn forget(state_dir: &Path, interface: Uuid) -> Result<()> {
    entries(state_dir).remove(&interface).map(drop)
}

/// Changes the entry of an interface; returns whether that made a difference.
pub(super) fn change(
    state_dir: &Path,
    interface: Uuid,
    change: impl FnOnce(&mut Uses),
) -> Result<bool> {
    let before = of(state_dir, interface)?;
    let mut uses = before.clone();
    change(&mut uses);
    if uses == before {
        return Ok(false);
    }
    match uses == Uses::default() {
        true => forget(state_dir, interface)?,
        false => entries(state_dir).put(&interface, &uses)?,
    }
    Ok(true)
}

/// The entries, each with the id of a VM interface as key.
pub(crate) fn entries(state_dir: &Path) -> Entries<Uuid, Uses> {
    Entries::new(state_dir.join("uses"), Durability::Unsynced).best_effort()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_without_version_is_read() {
        let [network, machine] = [1, 3].map(Uuid::from_u128);
        let name = || FqName::new(["d", "p", "n"]);
        let role = json!({"instance": ["d", "p", "fw"], "interface": "left", "mode": "in-network"});
        let list = json!([
            {"joined": network},
            {"asked": ["d", "p", "n"]},
            {"creating": ["d", "p", "n"]},
            {"serves": {"role": role, "machine": machine}},
            {"leaves": network},
            "left",
        ]);
        let uses = Uses::upgrade(0, list).unwrap();
        let networks = [
            NetworkUse::Joined(network),
            NetworkUse::Asked(name()),
            NetworkUse::Creating(name()),
        ];
        assert_eq!(uses.networks, networks);
        assert_eq!(uses.membership.served[0].machine, machine);
        assert_eq!(uses.membership.leaving, [network]);
        assert!(uses.membership.left);
    }
}
