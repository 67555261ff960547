//! What the controller's processes remember of port tuples and their interfaces: a pure state machine,
//! told what happened and when.
//!
//! The real processes hear of a change about a second later, and not of everything. Two things follow, each
//! of which breaks a service chain until something certain is done:
//!
//! - The schema transformer lists the interfaces of a port tuple **when it reads the new tuple**, together
//!   with those that join within [`SOON`]. Nothing removes one from that list. When the tuple is deleted, it
//!   asks each of them to leave its routing instances, and breaks the deletion off at the first that no
//!   longer exists: the tuple stays behind in its service instance as a *ghost*, without interfaces. No
//!   chain through that service instance is built any more until the service instance, or a tuple of the
//!   same id, is made again.
//! - The service monitor takes the shared address from an interface about [`SOON`] **after it left** its
//!   tuple. The address of an interface that was deleted as a member is never taken away. When an interface
//!   of that id joins again and still has the address, nothing changes for the service monitor, so the schema
//!   transformer, which forgot the old interface, never hears that the new one has an address: the
//!   interface is *unknown*, and counts for no chain until it leaves, [`SOON`] passes, and it joins again.
//!
//! Where the real processes are sometimes quick enough and sometimes not, they are not here.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Until then the processes may not have noticed.
pub const SOON: Duration = Duration::from_secs(1);

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The port tuples of service instances that exist.
    tuples: BTreeMap<Uuid, Tuple>,
    /// The tuples whose deletion was broken off, each with its service instance.
    ghosts: BTreeMap<Uuid, Uuid>,
    /// The interfaces that have a shared address, or had one less than [`SOON`] ago.
    holders: BTreeMap<Uuid, Holder>,
}

/// A port tuple.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tuple {
    instance: Uuid,
    /// When it was made.
    made: Duration,
    /// The interfaces that the schema transformer lists.
    listed: BTreeSet<Uuid>,
    /// The interfaces that refer to it, with their roles.
    members: BTreeMap<Uuid, String>,
}

/// An interface with a shared address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    instance: Uuid,
    tuple: Uuid,
    role: String,
    /// Since when it is no longer in its tuple.
    left: Option<Duration>,
    /// Whether another one left that tuple just before, which the service monitor looks at first.
    is_behind: bool,
    /// Whether it was deleted, and none of its id has joined since.
    is_deleted: bool,
    /// Whether the schema transformer knows that it has the address.
    is_known: bool,
    /// Whether the address shows it though it was deleted.
    is_shown: bool,
}

impl Memory {
    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The tuples, each with its service instance.
    pub fn tuples(&self) -> impl Iterator<Item = (Uuid, Uuid)> + '_ {
        let tuples = self.tuples.iter();
        tuples.map(|(id, tuple)| (*id, tuple.instance))
    }

    /// The members of a tuple.
    pub fn members(&self, tuple: Uuid) -> impl Iterator<Item = Uuid> + '_ {
        let members = self.tuples.get(&tuple).map(|tuple| tuple.members.keys());
        members.into_iter().flatten().copied()
    }

    /// Every interface that something is remembered of and that was not deleted.
    pub fn interfaces(&self) -> BTreeSet<Uuid> {
        let members = self.tuples.values().flat_map(|t| t.members.keys());
        let holders = self.holders.iter().filter(|(_, h)| !h.is_deleted);
        members.chain(holders.map(|(id, _)| id)).copied().collect()
    }

    /// Whether a tuple whose deletion was broken off stays behind in a service instance.
    pub fn has_ghost(&self, instance: Uuid) -> bool {
        self.ghosts.values().any(|of| *of == instance)
    }

    /// The service instances in which a tuple stays behind.
    pub fn ghost_instances(&self) -> BTreeSet<Uuid> {
        self.ghosts.values().copied().collect()
    }

    /// Whether the schema transformer knows the shared address of an interface.
    pub fn is_known(&self, interface: Uuid) -> bool {
        let holder = self.holders.get(&interface);
        holder.is_some_and(|holder| holder.is_known)
    }

    /// The interfaces that the shared address of a role shows though they were deleted.
    pub fn shown_after_deletion(&self, instance: Uuid, role: &str) -> BTreeSet<Uuid> {
        let holders = self.holders.iter();
        let shown = holders.filter(|(_, h)| h.is_shown && h.instance == instance && h.role == role);
        shown.map(|(id, _)| *id).collect()
    }

    /// A service instance was deleted, and its addresses with it.
    pub fn instance_deleted(&mut self, instance: Uuid) {
        self.tuples.retain(|_, tuple| tuple.instance != instance);
        self.ghosts.retain(|_, of| *of != instance);
        self.holders.retain(|_, holder| holder.instance != instance);
    }

    /// A tuple was made.
    pub fn tuple_made(&mut self, tuple: Uuid, instance: Uuid, now: Duration) {
        // The schema transformer takes one of the same id for the one that it could not delete.
        self.ghosts.remove(&tuple);
        let tuple_of = Tuple {
            instance,
            made: now,
            listed: BTreeSet::new(),
            members: BTreeMap::new(),
        };
        self.tuples.insert(tuple, tuple_of);
    }

    /// A tuple was deleted; `exists` tells which interfaces are there at that moment.
    pub fn tuple_deleted(&mut self, tuple: Uuid, exists: impl Fn(Uuid) -> bool) {
        let Some(gone) = self.tuples.remove(&tuple) else {
            return;
        };
        if !gone.listed.into_iter().all(exists) {
            self.ghosts.insert(tuple, gone.instance);
        }
        // The deletion has the service monitor look at the interfaces that left: it comes in time for the
        // first of them.
        self.holders.retain(|_, holder| {
            let left_it = holder.tuple == tuple && holder.left.is_some();
            !left_it || holder.is_behind
        });
    }

    /// An interface refers to a tuple from now on.
    pub fn joined(&mut self, interface: Uuid, role: &str, tuple: Uuid, now: Duration) {
        let Some(joined) = self.tuples.get_mut(&tuple) else {
            return;
        };
        joined.members.insert(interface, role.to_owned());
        if now.saturating_sub(joined.made) < SOON {
            joined.listed.insert(interface);
        }
        let instance = joined.instance;
        self.forget_taken(now);
        let before = self.holders.remove(&interface);
        let still_has = before.filter(|holder| holder.instance == instance && holder.role == role);
        if still_has.is_none() {
            // A reference that is added to an address removes those that lead nowhere.
            let same = |holder: &Holder| holder.instance == instance && holder.role == role;
            let mut holders = self.holders.values_mut();
            holders.by_ref().filter(|h| same(h)).for_each(|holder| {
                holder.is_shown = false;
            });
        }
        let holder = Holder {
            instance,
            tuple,
            role: role.to_owned(),
            left: None,
            is_behind: false,
            is_deleted: false,
            is_known: still_has.is_none_or(|holder| holder.is_known),
            is_shown: false,
        };
        self.holders.insert(interface, holder);
    }

    /// An interface that exists no longer refers to a tuple.
    pub fn left(&mut self, interface: Uuid, tuple: Uuid, now: Duration) {
        if let Some(tuple) = self.tuples.get_mut(&tuple) {
            tuple.members.remove(&interface);
        }
        self.forget_taken(now);
        let left_before = |(id, holder): (&Uuid, &Holder)| {
            *id != interface && holder.tuple == tuple && holder.left.is_some()
        };
        let is_behind = self.holders.iter().any(left_before);
        let holder = self.holders.get_mut(&interface);
        if let Some(holder) = holder.filter(|holder| holder.tuple == tuple) {
            holder.left = Some(now);
            holder.is_behind = is_behind;
        }
    }

    /// An interface was deleted.
    pub fn interface_deleted(&mut self, interface: Uuid, now: Duration) {
        for tuple in self.tuples.values_mut() {
            tuple.members.remove(&interface);
        }
        self.forget_taken(now);
        if let Some(holder) = self.holders.get_mut(&interface) {
            holder.is_deleted = true;
            holder.is_known = false;
            // Unless the deletion of the tuple hurries it, the service monitor comes in time for one only.
            let comes_in_time = !holder.is_behind || !self.tuples.contains_key(&holder.tuple);
            holder.is_shown = holder.left.is_none() || !comes_in_time;
        }
    }

    /// Forgets the interfaces whose address has been taken away.
    fn forget_taken(&mut self, now: Duration) {
        self.holders.retain(|_, holder| {
            let is_taken = |left: Duration| now.saturating_sub(left) >= SOON;
            holder.is_shown || !holder.left.is_some_and(is_taken)
        });
    }
}
