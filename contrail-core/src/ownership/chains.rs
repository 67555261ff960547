//! The mark on what a service chain made: only objects with it are ever changed or removed.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::mark::OWNER;
use crate::api::{KeyValuePairs, Meta};

/// Who made it, as the owner mark says.
const PROGRAM: &str = "service-chain";
/// The annotation with the name of the chain that made it.
pub const CHAIN: &str = "container-plugin.chain";
/// The annotation on what was made because a port took its role when it was attached.
const ATTACHED: &str = "container-plugin.service-role";
/// The annotation of a port tuple with the VM interfaces that had their role before they joined it:
/// they keep it when they leave.
const KEEPS_ROLE: &str = "container-plugin.keeps-role";

/// The mark of what a chain makes.
pub fn of_chain(chain: &str) -> KeyValuePairs {
    [(OWNER, PROGRAM), (CHAIN, chain)].into_iter().collect()
}

/// Whether some chain made the object.
pub fn is_by_chain(meta: &Meta) -> bool {
    meta.annotations.get(OWNER) == Some(PROGRAM)
}

/// Whether this chain made the object.
pub fn is_of(meta: &Meta, chain: &str) -> bool {
    self::chain(meta) == Some(chain)
}

/// The chain that made the object.
///
/// ```
/// use contrail_core::api::Meta;
/// use contrail_core::ownership::chains;
///
/// let mut policy = Meta::new("default-domain:admin:c1".parse()?);
/// assert_eq!(chains::chain(&policy), None);
/// policy.annotations = chains::of_chain("c1");
/// assert_eq!(chains::chain(&policy), Some("c1"));
/// # Ok::<(), contrail_core::Error>(())
/// ```
pub fn chain(meta: &Meta) -> Option<&str> {
    meta.annotations.get(CHAIN).filter(|_| is_by_chain(meta))
}

/// The mark of what a program makes when a port takes its role as it is attached.
pub fn of_attachment(owner: &str) -> KeyValuePairs {
    [(OWNER, owner), (ATTACHED, "true")].into_iter().collect()
}

/// Whether the object was made because a port took its role as it was attached.
pub fn is_of_attachment(meta: &Meta) -> bool {
    meta.annotations.get(ATTACHED).is_some()
}

/// Whether a chain or an attachment made the object: templates are shared by both.
pub fn is_by_chain_or_attachment(meta: &Meta) -> bool {
    is_by_chain(meta) || is_of_attachment(meta)
}

/// Records on a new port tuple which VM interfaces already have their role.
pub fn keep_roles(meta: &mut Meta, interfaces: &[Uuid]) {
    if !interfaces.is_empty() {
        let ids: Vec<String> = interfaces.iter().map(Uuid::to_string).collect();
        meta.annotations
            .0
            .insert(KEEPS_ROLE.to_owned(), ids.join(","));
    }
}

/// The VM interfaces that keep their role when they leave a port tuple.
pub fn kept_roles(meta: &Meta) -> BTreeSet<Uuid> {
    let ids = meta.annotations.get(KEEPS_ROLE).unwrap_or_default();
    ids.split(',').filter_map(|id| id.parse().ok()).collect()
}
