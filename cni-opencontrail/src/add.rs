//! ADD: attach the container to each network of the configuration.

use contrail_core::attach::Error;
use contrail_core::attach::{Attached, Attachment};
use contrail_core::kernel;
use serde_json::{Map, Value, json};

use crate::Surroundings;
use crate::error::CniError;
use crate::json::lookup;
use crate::netconf::Config;
use crate::plan::{self, Planned};
use crate::result::{AddResult, Dns, Interface, Ip, Route};
use crate::skel::Args;
use crate::wishes;

/// Attaches and answers with the result, which holds what earlier plugins of the chain did, too.
///
/// # Errors
///
/// The first failure; then nothing of this call is left.
pub fn run(args: &Args, config: &Config, surroundings: &Surroundings) -> Result<Value, CniError> {
    let planned = plan::plan(args, config, surroundings)?;
    surroundings.start_log(&planned);
    warn_of_unknown_keys(config);
    // Everything that can be wrong with the configuration is found before anything is done.
    let attachments = plan::attachments(args, &planned)?;
    let overrides = overrides(&planned)?;
    let mut result = match lookup(&config.object, "prevResult") {
        None => AddResult::default(),
        Some(previous) => AddResult::of_previous(previous, config.version)?,
    };
    surroundings.interrupts.defer();
    let attached = attach(args, &planned, &attachments, surroundings)?;
    if surroundings.interrupts.came() {
        leave(args, &planned, surroundings);
        return Err(interrupted());
    }
    for (attached, dns) in attached.iter().zip(overrides) {
        result.append(one_result(attached, &args.netns, dns));
    }
    log::info!("container {} attached: {}", args.container, names(&planned));
    Ok(result.to_json(config.version))
}

/// Attaches to one place after the other; usually all networks are at one. When a later place
/// fails, the earlier ones are left again.
fn attach(
    args: &Args,
    planned: &[Planned],
    attachments: &[Attachment],
    surroundings: &Surroundings,
) -> Result<Vec<Attached>, CniError> {
    let mut attached: Vec<Attached> = Vec::new();
    for group in plan::by_place(planned) {
        let start = attached.len();
        if surroundings.interrupts.came() {
            leave(args, &planned[..start], surroundings);
            return Err(interrupted());
        }
        let backend = surroundings.connect(&group[0]);
        let done =
            backend.and_then(|backend| backend.attach(&attachments[start..start + group.len()]));
        match done {
            Ok(done) => attached.extend(done),
            Err(error) => {
                leave(args, &planned[..start], surroundings);
                return Err(refusal(&error, group));
            }
        }
    }
    Ok(attached)
}

fn interrupted() -> CniError {
    CniError::new(CniError::TRY_AGAIN, "interrupted by a signal")
        .with("what was done has been taken back, or will be")
}

fn refusal(error: &Error, group: &[Planned]) -> CniError {
    match error.cause() {
        Error::Kernel(kernel::Error::InterfaceExists { ifname, .. })
            if group.iter().all(|one| one.ifname != *ifname) =>
        {
            CniError::host_name(error)
        }
        _ => error.into(),
    }
}

fn leave(args: &Args, planned: &[Planned], surroundings: &Surroundings) {
    if let Err(error) = crate::del::detach(args, planned, surroundings) {
        log::error!("undoing the attachment failed: {error}");
    }
}

/// The name resolution that replaces each network's own: `runtimeConfig.dns`, else `dns`.
fn overrides(planned: &[Planned]) -> Result<Vec<Option<Dns>>, CniError> {
    let overrides = planned.iter().map(|one| {
        let runtime = wishes::dns(&one.network.wish_objects(true));
        match runtime {
            Some(dns) => Ok(Some(dns)),
            None => one.network.dns(),
        }
    });
    overrides.collect()
}

/// The result of one attachment: the host's end first, then the container's.
fn one_result(attached: &Attached, netns: &str, dns: Option<Dns>) -> AddResult {
    let host = Interface {
        name: attached.host_ifname.clone(),
        mtu: Some(attached.mtu),
        ..Interface::default()
    };
    let container = Interface {
        name: attached.ifname.clone(),
        mac: Some(attached.mac.to_string()),
        mtu: Some(attached.mtu),
        sandbox: Some(netns.to_string()),
        ..Interface::default()
    };
    let ips = attached.addresses.iter();
    let servers = attached.dns.iter().map(ToString::to_string);
    AddResult {
        interfaces: vec![host, container],
        ips: ips
            .map(|assigned| Ip::new(assigned.address, assigned.gateway, 1))
            .collect(),
        routes: attached.routes.iter().map(route).collect(),
        dns: dns.unwrap_or_else(|| Dns {
            nameservers: servers.collect(),
            ..Dns::default()
        }),
        rest: Map::new(),
    }
}

fn route(route: &contrail_core::kernel::Route) -> Route {
    let numbers = [
        ("mtu", route.mtu),
        ("advmss", route.advmss),
        ("priority", route.priority),
        ("table", route.table),
        ("scope", route.scope.map(u32::from)),
    ];
    let given = numbers
        .into_iter()
        .filter_map(|(key, number)| Some((key.to_string(), json!(number?))));
    Route {
        dst: route.destination,
        gw: route.gateway,
        rest: given.collect(),
    }
}

fn warn_of_unknown_keys(config: &Config) {
    for (key, near) in config.unknown_keys() {
        match near {
            Some(near) => log::warn!("unknown configuration key {key}; did you mean {near}?"),
            None => log::info!("unknown configuration key {key}"),
        }
    }
}

fn names(planned: &[Planned]) -> String {
    let names = planned
        .iter()
        .map(|one| format!("{} to {}", one.ifname, one.network.name));
    names.collect::<Vec<_>>().join(", ")
}
