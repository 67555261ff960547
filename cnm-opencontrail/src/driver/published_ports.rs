//! Published ports: the vRouter does not know them, so they are refused, or the log warns of them.

use contrail_core::Error as CoreError;

use super::store::{EndpointEntry, Network};
use crate::error::Result;
use crate::proto::{CreateEndpoint, PortBinding};

/// The option with the published ports. Docker sends it when it creates the endpoint, before the
/// container starts.
const PORTMAP: &str = "com.docker.network.portmap";

/// Refuses an endpoint with published ports, or warns of them, as the network's options say.
///
/// # Errors
/// [`CoreError::Invalid`] with the ports.
pub(super) fn check(
    request: &CreateEndpoint,
    network: &Network,
    entry: &EndpointEntry,
) -> Result<()> {
    let ports = request.options.get(PORTMAP);
    let ports: Vec<PortBinding> = ports
        .and_then(|ports| serde_json::from_value(ports.clone()).ok())
        .unwrap_or_default();
    if ports.is_empty() {
        return Ok(());
    }
    let ports = ports.iter().map(|p| format!("{}:{}", p.host_port, p.port));
    let ports = ports.collect::<Vec<_>>().join(" ");
    let addresses = entry.addresses.iter().map(|(a, _)| a.to_string());
    let addresses = addresses.collect::<Vec<_>>().join(", ");
    let reason = format!(
        "virtual network {} publishes no ports on this host: reach the container at {addresses}, \
         or give it a floating IP",
        network.name,
    );
    if network.wanted.options.properties.refuse_ports {
        return Err(CoreError::invalid("published ports", ports, reason).into());
    }
    log::warn!(
        "endpoint {} with address {addresses}: ignored published ports {ports}: {reason}",
        request.endpoint_id.short()
    );
    Ok(())
}
