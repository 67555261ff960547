//! The life of a container on a network, as the calls of an engine that belong together.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use opencontrail_tests::daemon::Program;

use crate::engine::Engine;

/// Who answers the calls.
pub trait Plugin {
    /// Sends a call; the error's text when it fails.
    fn call(&self, step: &Step) -> Result<Value, String>;
}

impl Plugin for Engine {
    fn call(&self, step: &Step) -> Result<Value, String> {
        self.call(step.method, step.arguments.clone())
    }
}

impl Plugin for Program {
    fn call(&self, step: &Step) -> Result<Value, String> {
        match self.post(&format!("/{}", step.method), &step.arguments) {
            (200, answer) => Ok(answer),
            (_, answer) => Err(answer.to_string()),
        }
    }
}

/// A call.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its method with the interface.
    pub method: &'static str,
    pub arguments: Value,
    /// What takes back what it has made: the method of a later call, with the same arguments in part.
    pub ended_by: Option<usize>,
}

/// The calls from the network to its end.
pub struct Life(pub Vec<Step>);

impl Life {
    /// With Docker's own IPAM driver.
    pub fn of_docker() -> Self {
        Self::with_endpoint(json!({}))
    }

    /// With Docker's own IPAM driver, and a container that takes a role in a service.
    pub fn of_member() -> Self {
        Self::with_endpoint(json!({"service": "fw", "service-interface": "left"}))
    }

    fn with_endpoint(options: Value) -> Self {
        let ids = json!({"NetworkID": "n1", "EndpointID": "e1"});
        Self(vec![
            step(
                "NetworkDriver.CreateNetwork",
                network("LocalDefault"),
                Some(5),
            ),
            step(
                "NetworkDriver.CreateEndpoint",
                endpoint("10.1.1.2/24", options),
                Some(4),
            ),
            step("NetworkDriver.Join", join(), Some(3)),
            step("NetworkDriver.Leave", ids.clone(), None),
            step("NetworkDriver.DeleteEndpoint", ids, None),
            step(
                "NetworkDriver.DeleteNetwork",
                json!({"NetworkID": "n1"}),
                None,
            ),
        ])
    }

    /// With the IPAM driver of the plugin.
    pub fn of_both() -> Self {
        const POOL: &str = "default-domain:admin:net1@10.1.1.0/24@";
        let ids = json!({"NetworkID": "n1", "EndpointID": "e1"});
        let address = |address: &str, kind: &str| {
            let options = match kind {
                "" => json!({}),
                kind => json!({"RequestAddressType": kind}),
            };
            json!({"PoolID": POOL, "Address": address, "Options": options})
        };
        let gateway = address("10.1.1.1", "com.docker.network.gateway");
        Self(vec![
            step("IpamDriver.RequestPool", pool(), Some(11)),
            step("IpamDriver.RequestAddress", gateway, Some(10)),
            step(
                "NetworkDriver.CreateNetwork",
                network("opencontrail-local"),
                Some(9),
            ),
            step(
                "IpamDriver.RequestAddress",
                address("10.1.1.7", ""),
                Some(8),
            ),
            step(
                "NetworkDriver.CreateEndpoint",
                endpoint("10.1.1.7/24", json!({})),
                Some(7),
            ),
            step("NetworkDriver.Join", join(), Some(6)),
            step("NetworkDriver.Leave", ids.clone(), None),
            step("NetworkDriver.DeleteEndpoint", ids, None),
            step("IpamDriver.ReleaseAddress", address("10.1.1.7", ""), None),
            step(
                "NetworkDriver.DeleteNetwork",
                json!({"NetworkID": "n1"}),
                None,
            ),
            step("IpamDriver.ReleaseAddress", address("10.1.1.1", ""), None),
            step("IpamDriver.ReleasePool", json!({"PoolID": POOL}), None),
        ])
    }

    /// Sends the calls before this one, all of which work.
    pub fn until(&self, plugin: &impl Plugin, last: usize) {
        self.until_from(plugin, 0, last);
    }

    /// Sends some of the calls, all of which work.
    pub fn until_from(&self, plugin: &impl Plugin, first: usize, last: usize) {
        for step in &self.0[first..last] {
            plugin.call(step).unwrap();
        }
    }

    /// Sends what an engine sends after this call: it takes everything away that was made before, and
    /// what this call has made.
    pub fn after(&self, plugin: &impl Plugin, last: usize, worked: bool) {
        let made = self.0.iter().enumerate().take(last + usize::from(worked));
        let ends: BTreeSet<usize> = made.filter_map(|(_, step)| step.ended_by).collect();
        for end in ends.into_iter().filter(|end| *end > last) {
            // Errors of clean-ups an engine only logs.
            let _ = plugin.call(&self.0[end]);
        }
    }
}

fn step(method: &'static str, arguments: Value, ended_by: Option<usize>) -> Step {
    Step {
        method,
        arguments,
        ended_by,
    }
}

fn network(space: &str) -> Value {
    json!({
        "NetworkID": "n1",
        "Options": {"com.docker.network.generic": {"name": "net1", "rt": "64512:1"}},
        "IPv4Data": [{"AddressSpace": space, "Pool": "10.1.1.0/24", "Gateway": "10.1.1.1/24"}],
        "IPv6Data": [],
    })
}

fn pool() -> Value {
    json!({
        "AddressSpace": "opencontrail-local", "Pool": "10.1.1.0/24", "SubPool": "",
        "Options": {"name": "net1"}, "V6": false,
    })
}

fn endpoint(address: &str, options: Value) -> Value {
    json!({
        "NetworkID": "n1", "EndpointID": "e1", "Options": options,
        "Interface": {"Address": address, "AddressIPv6": "", "MacAddress": ""},
    })
}

fn join() -> Value {
    json!({"NetworkID": "n1", "EndpointID": "e1", "SandboxKey": "/var/run/docker/netns/s1"})
}
