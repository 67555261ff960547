//! What a call is about: its networks, each with its settings and the name of its interface.

use std::collections::HashSet;

use contrail_core::attach::{Attachment, Detachment, NetworkSpec};
use contrail_core::settings::Settings;

use crate::Surroundings;
use crate::cni_args::CniArgs;
use crate::error::CniError;
use crate::netconf::{Config, NetConf};
use crate::skel::{Args, check_ifname};
use crate::wishes::Wishes;

/// One network of a call.
pub struct Planned<'a> {
    /// Its configuration.
    pub network: &'a NetConf,
    /// Its settings.
    pub settings: Settings,
    /// The name of the container's interface.
    pub ifname: String,
}

/// Resolves the settings and interface names of every network of a call.
///
/// # Errors
///
/// Code 7 for settings that cannot be used, code 4 when counting up makes a name too long.
pub fn plan<'a>(
    args: &Args,
    config: &'a Config,
    surroundings: &Surroundings,
) -> Result<Vec<Planned<'a>>, CniError> {
    let networks = config.networks.iter().enumerate();
    networks
        .map(|(index, network)| {
            // GC and STATUS are about no interface.
            let ifname = match args.ifname.as_str() {
                "" => String::new(),
                first => nth_ifname(first, index),
            };
            if !ifname.is_empty() {
                check_ifname(&ifname)?;
            }
            let settings = surroundings.settings(network.layers()?)?;
            Ok(Planned {
                network,
                settings,
                ifname,
            })
        })
        .collect()
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

/// What is to be taken away for one network of a call.
pub fn detachment(args: &Args, planned: &Planned) -> Detachment {
    Detachment {
        container: args.container.clone(),
        ifname: planned.ifname.clone(),
    }
}

/// What is to be made for the networks of a call.
///
/// A destination that an earlier network has a route to is left out of the later ones: the
/// container gets one default route, by its first interface, even if every network asks for one.
///
/// # Errors
///
/// Code 7 for what cannot be used in the configuration, code 4 for what cannot in `CNI_ARGS`.
pub fn attachments(args: &Args, planned: &[Planned]) -> Result<Vec<Attachment>, CniError> {
    let cni_args = CniArgs::parse(&args.args);
    let mut destinations = HashSet::new();
    let mut attachments = Vec::new();
    for (index, one) in planned.iter().enumerate() {
        let is_first = index == 0;
        let objects = one.network.wish_objects(is_first);
        let wishes = Wishes::collect(&objects, is_first.then_some(&cni_args))?;
        let mut ipam = one.network.ipam()?;
        let earlier = destinations.clone();
        ipam.routes.retain(|route| {
            let is_new = !earlier.contains(&(route.destination, route.table));
            if !is_new {
                log::info!(
                    "{} gets no route to {}: an earlier interface has it",
                    one.ifname,
                    route.destination
                );
            }
            destinations.insert((route.destination, route.table));
            is_new
        });
        attachments.push(Attachment {
            container: args.container.clone(),
            ifname: one.ifname.clone(),
            netns: args.netns.clone().into(),
            network: NetworkSpec {
                fq_name: one.network.fq_name(&one.settings)?,
                subnets: ipam.subnets,
            },
            addresses: wishes.addresses,
            mac: wishes.mac,
            mtu: one.network.mtu()?,
            configuration: Some(one.network.name.clone()),
            display_name: cni_args.display_name(&args.container),
            routes: ipam.routes,
            service: one.network.service(&one.settings)?,
            security_groups: Vec::new(),
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
