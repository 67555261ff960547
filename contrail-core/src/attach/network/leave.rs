//! The end of a virtual network: its last user removes it, if the plugins created it.
//!
//! Who makes an interface on another host at the same moment must not be left with one whose network is
//! gone. The API takes a while to delete a network that has subnets, and lets interfaces be made on it all
//! the while; of one without subnets it either deletes the network or makes the interface. So the subnets
//! go first. A network of the plugins that has none is therefore being deleted: a call that finds it so
//! waits until it is gone or has them again.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::objects::VirtualNetwork;
use crate::api::{Client, Resource};
use crate::attach::records::networks;
use crate::attach::records::uses::{self, NetworkUse};
use crate::error::{Error, Result, report};
use crate::ownership::{is_by_plugin, users};
use crate::values::FqName;

/// How long after an attach that was cut off its creation of a network may still be carried out: a server
/// or a proxy in front of it completes what it has accepted, also for clients that are gone. Proxies
/// usually give up after a minute.
const LATEST: Duration = Duration::from_secs(120);

/// How long the last user of a network may take to remove it, between two requests. After that it
/// counts as interrupted.
pub(crate) const LEAVING: Duration = Duration::from_secs(2);

/// Whether the last user of a network is leaving it. That user removes the links to IPAMs along with the
/// subnets; a link without subnets is one to a flat IPAM.
pub(crate) fn is_going(network: &VirtualNetwork) -> bool {
    is_by_plugin(&network.meta) && network.network_ipam_refs.is_empty()
}

/// Ends the use of virtual networks by an interface that is gone; those that the plugins made and
/// that have no other user are removed with it. What is not known to be settled is recorded, so this may be
/// repeated.
///
/// Returns whether a network was deleted.
pub(crate) fn leave(client: &Client, state_dir: &Path, interface: Uuid) -> Result<bool> {
    let mut deleted = false;
    let mut awaited = None;
    let Some(known) = uses::known(state_dir, interface)? else {
        return Ok(false);
    };
    for used in known.networks {
        let network = match used {
            NetworkUse::Joined(id) => Some(id),
            // The attach ended before it knew: killed, or by an answer that got lost.
            NetworkUse::Asked(name) => id_of(client, &name)?,
            NetworkUse::Creating(name) => {
                let found = id_of(client, &name)?;
                if found.is_none() {
                    awaited = Some(name);
                }
                found
            }
        };
        if let Some(id) = network
            && networks::step_out(state_dir, interface, id)?
        {
            deleted |= delete_unless_used(client, id)?;
        }
    }
    if let Some(name) = awaited
        && networks::age(state_dir, interface)? < LATEST
    {
        return Err(may_come(&name));
    }
    // A note that remains is found by the next call for this interface, and means nothing by then.
    if let Err(error) = uses::forget(state_dir, interface) {
        log::warn!("{}", report(&error));
    }
    Ok(deleted)
}

fn id_of(client: &Client, name: &FqName) -> Result<Option<Uuid>> {
    let found = client.lookup::<VirtualNetwork>(name)?;
    Ok(found.and_then(|network| network.uuid()))
}

/// The network is not there, and may still be made for the attach that asked for it.
fn may_come(name: &FqName) -> Error {
    let absent = Error::NotFound {
        kind: VirtualNetwork::TYPE,
        name: name.to_string(),
        hint: Some("it is looked for again".into()),
    };
    absent.unsure()
}

/// Deletes a network that this project made, unless it is in use or a policy is attached to it.
///
/// Returns whether it was deleted. Another user is either a plugin, which deletes it when it is the last one, or
/// has a reason to keep it.
pub(crate) fn delete_unless_used(client: &Client, uuid: Uuid) -> Result<bool> {
    let Some(network) = client.get_opt::<VirtualNetwork>(uuid)? else {
        return Ok(false);
    };
    if let Some(reason) = why_it_stays(&network) {
        log::info!("kept virtual network {}: {reason}", network.meta.fq_name);
        return Ok(false);
    }
    let name = &network.meta.fq_name;
    // Without subnets another user is removing it at the same time: that one knows them, and gives them back
    // if the network stays. Written from here, the empty list could come after that.
    let taken = (!is_going(&network)).then_some(&network.network_ipam_refs);
    if taken.is_some() && !set_subnets(client, uuid, json!([]))? {
        log::info!("kept virtual network {name}: some of its addresses are in use");
        return Ok(false);
    }
    match client.delete::<VirtualNetwork>(uuid) {
        Err(Error::InUse { by, .. }) => {
            log::info!("kept virtual network {name}: in use by {}", by.join(", "));
            if let Some(refs) = taken {
                set_subnets(client, uuid, json!(refs))?;
            }
            Ok(false)
        }
        other => other,
    }
}

/// Gives a network these subnets; `false` when an address is in use that would lie outside of them.
fn set_subnets(client: &Client, uuid: Uuid, refs: Value) -> Result<bool> {
    let changes = json!({"network_ipam_refs": refs});
    match client.update::<VirtualNetwork>(uuid, &changes) {
        Ok(()) => Ok(true),
        Err(Error::InUse { .. }) => Ok(false),
        // Another client was faster.
        Err(error) if error.is_not_found() => Ok(true),
        Err(error) => Err(error),
    }
}

fn why_it_stays(network: &VirtualNetwork) -> Option<String> {
    if !is_by_plugin(&network.meta) {
        return Some("it was not made by a plugin".into());
    }
    if !network.network_policy_refs.is_empty() {
        return Some("it has network policies".into());
    }
    // The API would delete it all the same: only references to an object keep the object.
    if let Some(field) = references(network).next() {
        return Some(format!("it has {field}"));
    }
    let user = users(&network.meta).next()?;
    Some(format!("{} {} uses it", user.kind, user.name))
}

/// The fields with references to objects that no plugin links a network to: route tables, QoS, BGP VPNs, other
/// networks. An operator added these references, so the network must stay.
fn references(network: &VirtualNetwork) -> impl Iterator<Item = &str> {
    let fields = network.rest.iter();
    let linked = fields.filter(|(name, value)| {
        let is_reference = name.ends_with("_refs") && !name.ends_with("_back_refs");
        is_reference && value.as_array().is_some_and(|refs| !refs.is_empty())
    });
    linked.map(|(name, _)| name.as_str())
}

#[cfg(test)]
#[path = "leave_test.rs"]
mod tests;
