//! The virtual networks that the plugin attaches to, and what it asks the lab for.

use std::error::Error;

use contrail_core::FqName;
use contrail_core::api::{IpamSubnet, NetworkIpam, VirtualNetwork};
use contrail_lab::faults::Action;
use contrail_lab::http::ServiceName;
use contrail_lab::lab::Lab;
use contrail_lab::request_log::serial_depth;
use opencontrail_tests::world;
use serde_json::{Value, json};

/// How many networks the project has.
pub const NETWORKS: [usize; 3] = [1, 100, 1000];

/// What is added to each request, in milliseconds.
pub const DELAYS: [u64; 3] = [0, 2, 10];

const SUBNET: &str = "10.1.0.0/16";
const SERVICES: [ServiceName; 3] = [
    ServiceName::ConfigApi,
    ServiceName::Keystone,
    ServiceName::Agent,
];

/// Makes the project have this many networks.
pub fn make(count: usize) -> Result<(), Box<dyn Error>> {
    let client = world::client();
    for i in 0..count {
        let name = FqName::new(["default-domain", "admin"]).child(name(i));
        if client.id_of::<VirtualNetwork>(&name)?.is_none() {
            let subnets = vec![IpamSubnet::new(SUBNET.parse()?)];
            client.create(&VirtualNetwork::new(
                name,
                NetworkIpam::default_name(),
                subnets,
            ))?;
        }
    }
    Ok(())
}

/// The configuration that attaches to the last of this many networks.
pub fn configuration(networks: usize) -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": name(networks - 1),
        "type": "opencontrail",
        "mtu": 1492,
        "ipam": {"subnet": SUBNET, "routes": [{"dst": "0.0.0.0/0"}]},
    })
}

fn name(number: usize) -> String {
    format!("n{number}")
}

/// Makes every request take this many milliseconds longer.
pub fn delay(lab: &Lab, milliseconds: u64) {
    lab.faults().clear();
    if milliseconds > 0 {
        for service in SERVICES {
            let delay = Action::Delay(milliseconds);
            lab.faults().add(world::fault(service, "", "", delay));
        }
    }
}

/// What one call asked the services for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Requests {
    pub api: usize,
    /// The longest chain of requests to the API that waited for each other.
    pub depth: usize,
    pub keystone: usize,
    pub agent: usize,
}

/// Counts the requests of a call.
pub fn requests(
    lab: &Lab,
    call: impl FnOnce() -> Result<(), Box<dyn Error>>,
) -> Result<Requests, Box<dyn Error>> {
    // What is sent side by side must be seen side by side.
    delay(lab, 30);
    lab.request_log().reset();
    call()?;
    let entries = lab.request_log().entries();
    delay(lab, 0);
    let of = |service| entries.iter().filter(move |entry| entry.service == service);
    let spans = of(ServiceName::ConfigApi).map(|entry| (entry.start, entry.end));
    Ok(Requests {
        api: of(ServiceName::ConfigApi).count(),
        depth: serial_depth(spans.collect()),
        keystone: of(ServiceName::Keystone).count(),
        agent: of(ServiceName::Agent).count(),
    })
}
