//! CHECK: is every attachment still as the result of the chain says?

use std::net::IpAddr;

use contrail_core::attach::Expected;
use contrail_core::error::Error;
use contrail_core::kernel::Route;
use ipnetwork::IpNetwork;

use crate::Surroundings;
use crate::error::CniError;
use crate::json::lookup;
use crate::netconf::Config;
use crate::plan::{self, Planned};
use crate::result::{AddResult, Interface};
use crate::skel::Args;

/// Compares with the final result, which holds what later plugins of the chain changed, too.
///
/// # Errors
///
/// Code 7 without a previous result, code 107 with every difference.
pub fn run(args: &Args, config: &Config, surroundings: &Surroundings) -> Result<(), CniError> {
    let planned = plan::plan(args, config, surroundings)?;
    surroundings.start_log(&planned);
    let Some(previous) = lookup(&config.object, "prevResult") else {
        let hint = "CHECK compares with the result of ADD, which the runtime must give";
        return Err(Error::missing("prevResult", hint).into());
    };
    let result = AddResult::of_previous(previous, config.version)?;
    let mut differences = Vec::new();
    for one in &planned {
        let backend = surroundings.connect(one)?;
        let expected = expected(args, one, &result)?;
        differences.extend(backend.check(&expected)?);
    }
    // A route that is missing is missing for each interface.
    differences.sort();
    differences.dedup();
    match differences.is_empty() {
        true => Ok(()),
        false => {
            let msg = format!(
                "container {} is not attached as its result says",
                args.container
            );
            Err(CniError::new(CniError::DIFFERENT, msg).with(differences.join("; ")))
        }
    }
}

fn expected(args: &Args, planned: &Planned, result: &AddResult) -> Result<Expected, CniError> {
    let is_inside = |interface: &&Interface| interface.sandbox.as_deref() == Some(&args.netns);
    let inside = result.interfaces.iter().filter(is_inside);
    let position = result
        .interfaces
        .iter()
        .position(|one| one.name == planned.ifname && one.sandbox.is_some());
    // Versions before 0.3.0 have one interface, and do not name it.
    let (own, index) = match position {
        Some(index) => (result.interfaces.get(index), Some(index as u32)),
        None if result.interfaces.is_empty() => (None, None),
        None => {
            let name = &planned.ifname;
            let reason = "the result has no such interface of the container";
            return Err(Error::invalid("interface", name, reason).into());
        }
    };
    let mac = own.and_then(|own| own.mac.as_deref());
    let ips = result
        .ips
        .iter()
        .filter(|ip| ip.interface == index || position.is_none());
    let routes = result.routes.iter();
    Ok(Expected {
        container: args.container.clone(),
        ifname: planned.ifname.clone(),
        netns: args.netns.clone().into(),
        network: planned.network.fq_name(&planned.settings)?,
        mac: mac.map(str::parse).transpose()?,
        mtu: own.and_then(|own| own.mtu),
        addresses: ips.map(|ip| ip.address).collect(),
        routes: routes.map(|route| wanted(route.dst, route.gw)).collect(),
        interfaces: match position {
            Some(_) => inside.map(|one| one.name.clone()).collect(),
            None => vec![planned.ifname.clone()],
        },
        service: planned
            .network
            .service(&planned.settings)?
            .map(|service| service.role),
    })
}

fn wanted(destination: IpNetwork, gateway: Option<IpAddr>) -> Route {
    let network = IpNetwork::new(destination.network(), destination.prefix());
    Route::new(network.unwrap_or(destination), gateway)
}
