//! What Docker asked for, held against the virtual network that it gets.

use std::net::IpAddr;

use contrail_core::Error as CoreError;
use contrail_core::api::VirtualNetwork;
use contrail_core::attach::SubnetSpec;

use super::options::NetworkOptions;
use crate::error::Result;

/// The vRouter answers DNS at an address of the network.
pub(super) fn check_dns(dns: &[IpAddr], subnets: &[SubnetSpec]) -> Result<()> {
    let is_outside = |dns: &&IpAddr| !subnets.iter().any(|s| s.prefix.contains(**dns));
    match dns.iter().find(is_outside) {
        None => Ok(()),
        Some(dns) => {
            let reason = "an address of one of the network's subnets is expected";
            Err(CoreError::invalid("option dns", dns.to_string(), reason).into())
        }
    }
}

/// A virtual network that exists already keeps its route targets: they must be those that are asked
/// for.
pub(super) fn check_targets(options: &NetworkOptions, network: &VirtualNetwork) -> Result<()> {
    let other = |key: &str| -> Vec<String> {
        let list = network
            .rest
            .get(key)
            .and_then(|list| list.get("route_target"));
        let targets = list.and_then(|targets| targets.as_array());
        let texts = targets
            .into_iter()
            .flatten()
            .filter_map(|text| text.as_str());
        texts.map(str::to_owned).collect()
    };
    for (key, asked, known) in [
        (
            "rt",
            &options.route_targets,
            network.route_target_list.route_target.clone(),
        ),
        (
            "import-rt",
            &options.imports,
            other("import_route_target_list"),
        ),
        (
            "export-rt",
            &options.exports,
            other("export_route_target_list"),
        ),
    ] {
        if asked.iter().any(|target| !known.contains(target)) {
            let name = &network.meta.fq_name;
            let known = match known.is_empty() {
                true => "none".to_owned(),
                false => known.join(", "),
            };
            let reason = format!(
                "virtual network {name} exists already and has {known}: leave the option out, or change the network"
            );
            let key = format!("option {key}");
            return Err(CoreError::invalid(key, asked.join(", "), reason).into());
        }
    }
    Ok(())
}
