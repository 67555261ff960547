//! The networks of a call, each with its settings, options and the name of its interface.

use std::collections::HashSet;

use contrail_core::attach::{Attachment, Demand, Detachment, NetworkSpec};
use contrail_core::settings::Settings;

use crate::call::Call;
use crate::config::keys::options::Options;
use crate::config::network::Network;
use crate::config::requests::Requests;
use crate::config::unknown::UnknownKeys;
use crate::protocol::cni_args::CniArgs;
use crate::protocol::command::Command;
use crate::protocol::environment::{IFNAME, check_ifname, missing};
use crate::protocol::error::CniError;

/// One network of a call.
pub struct Planned<'a> {
    /// Its configuration.
    pub network: &'a Network,
    /// Its settings.
    pub settings: Settings,
    /// Its options: those that the command reads.
    pub options: Options,
    ifname: Option<String>,
}

impl Planned<'_> {
    /// The name of the container's interface.
    ///
    /// # Errors
    ///
    /// Code 4 in a command that is about no interface, and without `CNI_IFNAME`.
    pub fn ifname(&self) -> Result<&str, CniError> {
        self.ifname.as_deref().ok_or_else(|| missing(&[IFNAME]))
    }
}

/// Resolves settings, interface names and options of every network of a call, and starts the log as
/// the first network has it.
///
/// # Errors
///
/// Code 7 for settings or options that cannot be used, code 4 when counting up makes a name too long.
pub fn plan<'a>(call: &'a Call) -> Result<Vec<Planned<'a>>, CniError> {
    let mut places = Vec::new();
    for (index, network) in call.config.networks.iter().enumerate() {
        let ifname = ifname(call, index)?;
        places.push((network, call.settings(network)?, ifname));
    }
    // Before the options are read: their errors belong into this log.
    if let Some((_, settings, _)) = places.first() {
        (call.world.start_log)(&settings.log);
    }
    if call.command == Command::Add {
        let unknown = UnknownKeys::of(&call.config);
        if !unknown.is_empty() {
            log::warn!("{unknown}");
        }
    }
    let planned = places.into_iter().map(|(network, settings, ifname)| {
        Ok(Planned {
            network,
            options: network.options(call.command, &settings)?,
            settings,
            ifname,
        })
    });
    planned.collect()
}

/// The name of the container's interface; none for GC and STATUS, which are about no interface.
fn ifname(call: &Call, index: usize) -> Result<Option<String>, CniError> {
    let named = call.args.ifname().filter(|_| call.command.needs(IFNAME));
    let name = named.map(|first| nth_ifname(first, index));
    if let Some(name) = &name {
        check_ifname(name)?;
    }
    Ok(name)
}

/// The name of the interface that is `index` after `first`: eth0, eth1 …; net, net1 …
pub fn nth_ifname(first: &str, index: usize) -> String {
    if index == 0 {
        return first.to_string();
    }
    let base = first.trim_end_matches(|c: char| c.is_ascii_digit());
    // An interface name has 15 bytes at most: the number fits.
    let start: u64 = first[base.len()..].parse().unwrap_or(0);
    format!("{base}{}", start + index as u64)
}

/// Runs of networks that one connection serves, in their order.
pub fn by_place<'p, 'a>(planned: &'p [Planned<'a>]) -> impl Iterator<Item = &'p [Planned<'a>]> {
    planned.chunk_by(|one, next| one.settings.is_same_place(&next.settings))
}

/// What is to be detached for one network of a call.
///
/// # Errors
///
/// Code 4 without a container or an interface.
pub fn detachment(call: &Call, planned: &Planned) -> Result<Detachment, CniError> {
    Ok(Detachment {
        container: call.args.container()?.to_string(),
        ifname: planned.ifname()?.to_string(),
    })
}

/// What ADD would ask of the network of this configuration.
///
/// # Errors
///
/// Code 7 for requests that cannot be used.
pub fn demand(planned: &Planned) -> Result<Demand, CniError> {
    let objects = planned.network.request_objects(true);
    Ok(Demand {
        network: network(planned),
        addresses: Requests::collect(&objects, None)?.addresses,
        mtu: planned.options.mtu,
    })
}

fn network(planned: &Planned) -> NetworkSpec {
    NetworkSpec {
        fq_name: planned.options.network.clone(),
        subnets: planned.options.ipam.subnets.clone(),
    }
}

/// What is to be attached for the networks of a call.
///
/// A destination that an earlier network has a route to is left out of the later ones: the
/// container gets one default route, by its first interface, even if every network asks for one.
///
/// # Errors
///
/// Code 7 for what cannot be used in the configuration, code 4 for what cannot in `CNI_ARGS`.
pub fn attachments(call: &Call, planned: &[Planned]) -> Result<Vec<Attachment>, CniError> {
    let cni_args = CniArgs::parse(call.args.args().unwrap_or_default());
    let (container, netns) = (call.args.container()?, call.args.netns()?);
    let mut destinations = HashSet::new();
    let mut attachments = Vec::new();
    for (index, one) in planned.iter().enumerate() {
        let is_first = index == 0;
        let ifname = one.ifname()?;
        let objects = one.network.request_objects(is_first);
        let requests = Requests::collect(&objects, is_first.then_some(&cni_args))?;
        let mut routes = one.options.ipam.routes.clone();
        let earlier = destinations.clone();
        routes.retain(|route| {
            let is_new = !earlier.contains(&(route.destination, route.table));
            if !is_new {
                log::info!(
                    "{ifname} gets no route to {}: an earlier interface has it",
                    route.destination
                );
            }
            destinations.insert((route.destination, route.table));
            is_new
        });
        attachments.push(Attachment {
            container: container.to_string(),
            ifname: ifname.to_string(),
            netns: netns.into(),
            network: network(one),
            addresses: requests.addresses,
            mac: requests.mac,
            mtu: one.options.mtu,
            configuration: Some(one.network.name.clone()),
            display_name: cni_args.container_name(container).to_string(),
            routes,
            service: one.options.service.clone(),
            options: one.options.interface.clone(),
        });
    }
    Ok(attachments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_names_count_up_from_the_first() {
        let names = |first: &str| [0, 1, 10].map(|index| nth_ifname(first, index));
        assert_eq!(names("eth0"), ["eth0", "eth1", "eth10"]);
        assert_eq!(names("eth9"), ["eth9", "eth10", "eth19"]);
        assert_eq!(names("net"), ["net", "net1", "net10"]);
        assert_eq!(names("123456789012345")[1], "123456789012346");
    }
}
