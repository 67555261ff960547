//! GC: remove the attachments to a network that the runtime no longer has.

use std::collections::BTreeSet;

use contrail_core::error::{Error, counted};
use serde::Deserialize;
use serde_json::Value;

use super::plan;
use crate::call::Call;
use crate::protocol::error::CniError;
use crate::protocol::json::lookup;

/// The keys of the list of valid attachments; early runtimes use the second one.
const KEYS: [&str; 2] = ["cni.dev/valid-attachments", "cni.dev/attachments"];

/// A valid attachment.
#[derive(Deserialize)]
struct Valid {
    #[serde(rename = "containerID")]
    container: String,
    ifname: String,
}

/// Collects in every network of the configuration. If the runtime lists no valid attachments, nothing
/// is removed: such a runtime sends a DEL for each.
///
/// # Errors
///
/// Code 7 for a list that cannot be read; else the first failure, after everything else has been
/// tried.
pub fn run(call: &Call) -> Result<(), CniError> {
    let planned = plan::plan(call)?;
    let given = KEYS.iter().find_map(|key| lookup(&call.config.object, key));
    let Some(given) = given else {
        log::info!("nothing is collected: the runtime does not list valid attachments");
        return Ok(());
    };
    let valid = read(given)?;
    // Two networks of a document may be one virtual network.
    let names = |valid: &Valid| {
        let (container, ifname) = (valid.container.clone(), valid.ifname.clone());
        (0..planned.len()).map(move |index| (container.clone(), plan::nth_ifname(&ifname, index)))
    };
    let keep: BTreeSet<(String, String)> = valid.iter().flat_map(names).collect();
    let mut outcome = Ok(());
    for one in &planned {
        let network = &one.options.network;
        let collected = call
            .connect(&one.settings)
            .and_then(|operations| operations.collect(network, &one.network.name, &keep));
        match collected {
            Ok(count) => log::info!(
                "removed {} to {network}",
                counted(count, "stale attachment")
            ),
            Err(error) => outcome = outcome.and(Err(error.into())),
        }
    }
    outcome
}

fn read(given: &Value) -> Result<Vec<Valid>, CniError> {
    serde_json::from_value(given.clone())
        .map_err(|e| Error::invalid(KEYS[0], given.to_string(), e.to_string()).into())
}
