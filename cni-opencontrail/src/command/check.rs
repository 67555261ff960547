//! CHECK: is every attachment still as the result of the chain says?

use std::net::IpAddr;

use contrail_core::attach::Expected;
use contrail_core::error::Error;
use contrail_core::kernel::Route;
use ipnetwork::IpNetwork;

use super::plan::{self, Planned};
use crate::call::Call;
use crate::protocol::error::CniError;
use crate::protocol::json::lookup;
use crate::protocol::result::{AddResult, Interface};

/// Compares with the final result, which holds what later plugins of the chain changed, too.
///
/// # Errors
///
/// Code 7 without a previous result, code 107 with every difference.
pub fn run(call: &Call) -> Result<(), CniError> {
    let container = call.args.container()?;
    let planned = plan::plan(call)?;
    let Some(previous) = lookup(&call.config.object, "prevResult") else {
        let hint = "CHECK compares with the result of ADD, which the runtime must give";
        return Err(Error::missing("prevResult", hint).into());
    };
    let result = AddResult::of_previous(previous, call.config.version)?;
    let mut differences = Vec::new();
    for one in &planned {
        let operations = call.connect(&one.settings)?;
        let expected = expected(call, one, &result)?;
        differences.extend(operations.check(&expected)?);
    }
    // A route that is missing is missing for each interface.
    differences.sort();
    differences.dedup();
    match differences.is_empty() {
        true => Ok(()),
        false => {
            let msg = format!("container {container} is not attached as its result says");
            Err(CniError::new(CniError::DIFFERENT, msg).with(differences.join("; ")))
        }
    }
}

fn expected(call: &Call, planned: &Planned, result: &AddResult) -> Result<Expected, CniError> {
    let (container, netns) = (call.args.container()?, call.args.netns()?);
    let ifname = planned.ifname()?;
    let is_inside = |interface: &&Interface| interface.sandbox.as_deref() == Some(netns);
    let inside = result.interfaces.iter().filter(is_inside);
    let position = result
        .interfaces
        .iter()
        .position(|one| one.name == ifname && one.sandbox.is_some());
    // Versions before 0.3.0 have one interface, and do not name it.
    let (own, index) = match position {
        Some(index) => (result.interfaces.get(index), Some(index as u32)),
        None if result.interfaces.is_empty() => (None, None),
        None => {
            let reason = "the result has no such interface of the container";
            return Err(Error::invalid("interface", ifname, reason).into());
        }
    };
    let mac = own.and_then(|own| own.mac.as_deref());
    let ips = result
        .ips
        .iter()
        .filter(|ip| ip.interface == index || position.is_none());
    let routes = result.routes.iter();
    Ok(Expected {
        container: container.to_string(),
        ifname: ifname.to_string(),
        netns: netns.into(),
        network: planned.options.network.clone(),
        mac: mac.map(str::parse).transpose()?,
        addresses: ips.map(|ip| ip.address).collect(),
        routes: routes.map(|route| wanted(route.dst, route.gw)).collect(),
        interfaces: match position {
            Some(_) => inside.map(|one| one.name.clone()).collect(),
            None => vec![ifname.to_string()],
        },
        service: planned.options.service.clone().map(|service| service.role),
    })
}

fn wanted(destination: IpNetwork, gateway: Option<IpAddr>) -> Route {
    let network = IpNetwork::new(destination.network(), destination.prefix());
    Route::new(network.unwrap_or(destination), gateway)
}
