//! ADD: attach the container to each network of the configuration.

use contrail_core::attach::Error;
use contrail_core::attach::{Attached, Attachment};
use contrail_core::error::Layered;
use contrail_core::kernel;
use serde_json::{Map, Value};

use super::del;
use super::plan::{self, Planned};
use crate::call::Call;
use crate::config::requests;
use crate::protocol::error::CniError;
use crate::protocol::json::lookup;
use crate::protocol::result::{AddResult, Dns, Interface, Ip, Route};

/// Attaches and answers with the result, which holds what earlier plugins of the chain did, too.
///
/// # Errors
///
/// The first failure; then nothing of this call is left.
pub fn run(call: &Call) -> Result<String, CniError> {
    let planned = plan::plan(call)?;
    let (container, netns) = (call.args.container()?, call.args.netns()?);
    // Everything that can be wrong with the configuration is found before anything is done.
    let attachments = plan::attachments(call, &planned)?;
    let overrides = overrides(&planned);
    let mut result = match lookup(&call.config.object, "prevResult") {
        None => AddResult::default(),
        Some(previous) => AddResult::of_previous(previous, call.config.version)?,
    };
    call.world.interrupts.defer();
    let attached = attach(call, &planned, &attachments)?;
    if call.world.interrupts.came() {
        leave(call, &planned);
        return Err(interrupted());
    }
    for (attached, dns) in attached.iter().zip(overrides) {
        result.append(one_result(attached, netns, dns));
    }
    log::info!("container {container} attached: {}", names(&attachments));
    Ok(result.to_json(call.config.version))
}

/// Attaches to one place after the other; usually all networks are at one. When a later place
/// fails, the container is detached from the earlier ones.
fn attach(
    call: &Call,
    planned: &[Planned],
    attachments: &[Attachment],
) -> Result<Vec<Attached>, CniError> {
    let mut attached: Vec<Attached> = Vec::new();
    for group in plan::by_place(planned) {
        let start = attached.len();
        if call.world.interrupts.came() {
            leave(call, &planned[..start]);
            return Err(interrupted());
        }
        let operations = call.connect(&group[0].settings);
        let done = operations
            .and_then(|operations| operations.attach(&attachments[start..start + group.len()]));
        match done {
            Ok(done) => attached.extend(done),
            Err(error) => {
                leave(call, &planned[..start]);
                return Err(refusal(&error, group));
            }
        }
    }
    Ok(attached)
}

fn interrupted() -> CniError {
    CniError::new(CniError::TRY_AGAIN, "interrupted by a signal")
        .with("the attachment is rolled back, or will be")
}

fn refusal(error: &Error, group: &[Planned]) -> CniError {
    match error.cause() {
        Error::Kernel(kernel::Error::InterfaceExists { ifname, .. })
            if group.iter().all(|one| one.ifname().ok() != Some(ifname)) =>
        {
            CniError::host_name(error)
        }
        _ => error.into(),
    }
}

fn leave(call: &Call, planned: &[Planned]) {
    if let Err(error) = del::detach(call, planned) {
        log::error!("undoing the attachment failed: {error}");
    }
}

/// The name resolution that replaces each network's own: `runtimeConfig.dns`, else `dns`.
fn overrides(planned: &[Planned]) -> Vec<Option<Dns>> {
    let overrides = planned.iter().map(|one| {
        let runtime = requests::dns(&one.network.request_objects(true));
        runtime.or_else(|| one.options.dns.clone())
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
    let number = |number: Option<u32>| number.map(Value::from);
    Route {
        mtu: number(route.mtu),
        advmss: number(route.advmss),
        priority: number(route.priority),
        table: number(route.table),
        scope: number(route.scope.map(u32::from)),
        ..Route::new(route.destination, route.gateway)
    }
}

fn names(attachments: &[Attachment]) -> String {
    let names = attachments
        .iter()
        .map(|one| format!("{} to {}", one.ifname, one.network.fq_name.name()));
    names.collect::<Vec<_>>().join(", ")
}
