//! An engine that sends what Docker sends, without Docker.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cnm_opencontrail::Plugin;
use cnm_opencontrail::daemon::Daemon;
use cnm_opencontrail::proto::{Call, Scope};
use contrail_core::error::report;
use contrail_core::settings::{Key, Layer, Origin, Settings, Sources};
use contrail_lab::lab::Lab;
use opencontrail_tests::world::everything;
use serde_json::{Value, json};

/// The subnet of most networks.
pub const SUBNET: &str = "10.1.1.0/24";

/// What is there, without the files in which the driver remembers what exists.
pub fn objects(lab: &Lab) -> BTreeSet<String> {
    everything(lab, &[])
}

/// The settings of a host; timeouts for a whole call and for each request, in seconds.
pub fn settings(node: &str, state: &str, timeouts: [&str; 2]) -> Settings {
    let mut layer = Layer::default();
    for (key, value) in [
        (Key::NodeName, node),
        (Key::StateDir, state),
        (Key::RunDir, "/run/contrail"),
        (Key::AttachTimeout, timeouts[0]),
        (Key::RequestTimeout, timeouts[1]),
    ] {
        layer.set(key, value, Origin::Default);
    }
    let settings = Settings::load(&Sources {
        nearer: vec![layer],
        environment: &|_| None,
        files: Vec::new(),
        read: &|_| Err(std::io::ErrorKind::NotFound.into()),
        host_name: None,
    });
    settings.unwrap()
}

/// A plugin on a host of its own name and with its own state.
pub struct Engine {
    plugin: Daemon,
}

impl Engine {
    pub fn on(node: &str) -> Self {
        Self::with_state(node, &format!("/var/lib/contrail/{node}"), ["4", "2"])
    }

    /// A plugin with little patience: for a whole call and for each request, in seconds.
    pub fn impatient(attach_timeout: &str, request_timeout: &str) -> Self {
        let timeouts = [attach_timeout, request_timeout];
        Self::with_state("host1", "/var/lib/contrail/host1", timeouts)
    }

    /// The plugin after its state directory was lost.
    pub fn without_state(node: &str) -> Self {
        let dir = PathBuf::from(format!("/var/lib/contrail/{node}"));
        std::fs::remove_dir_all(&dir).unwrap();
        Self::on(node)
    }

    /// The plugin of the host `earlier` under another name of the host.
    pub fn renamed(node: &str, earlier: &str) -> Self {
        Self::with_state(node, &format!("/var/lib/contrail/{earlier}"), ["4", "2"])
    }

    fn with_state(node: &str, state: &str, timeouts: [&str; 2]) -> Self {
        let settings = settings(node, state, timeouts);
        let plugin = Daemon::new(&settings, Scope::Local).unwrap();
        Self { plugin }
    }

    /// Sends a request of the network driver's; the answer, or the text of the error.
    pub fn send(&self, method: &str, arguments: Value) -> Result<Value, String> {
        self.call(&format!("NetworkDriver.{method}"), arguments)
    }

    /// Sends a request, its method with the interface.
    pub fn call(&self, method: &str, arguments: Value) -> Result<Value, String> {
        let path = format!("/{method}");
        let call = Call::parse(&path, arguments.to_string().as_bytes());
        let reply = call.and_then(|call| self.plugin.answer(call));
        reply
            .map(|reply| serde_json::to_value(reply).unwrap())
            .map_err(|error| report(&error))
    }

    /// What the plugin does by itself now and then.
    pub fn tidy(&self) {
        self.plugin.tidy();
    }

    pub fn create_network(&self, id: &str, name: &str, subnet: &str) -> Result<Value, String> {
        let gateway = subnet.replace(".0/", ".1/");
        self.send(
            "CreateNetwork",
            json!({
                "NetworkID": id,
                "Options": {"com.docker.network.generic": {"name": name, "rt": "64512:1"}},
                "IPv4Data": [{"AddressSpace": "LocalDefault", "Pool": subnet, "Gateway": gateway}],
                "IPv6Data": [],
            }),
        )
    }

    /// Creates the network `n1` with options, and an auxiliary address.
    pub fn create_with(&self, options: Value) -> Result<Value, String> {
        self.send(
            "CreateNetwork",
            json!({
                "NetworkID": "n1",
                "Options": {"com.docker.network.generic": options},
                "IPv4Data": [{
                    "AddressSpace": "LocalDefault", "Pool": SUBNET, "Gateway": "10.1.1.1/24",
                    "AuxAddresses": {"printer": "10.1.1.9/24"},
                }],
            }),
        )
    }

    pub fn delete_network(&self, id: &str) {
        self.send("DeleteNetwork", json!({ "NetworkID": id }))
            .unwrap();
    }

    pub fn create_endpoint(
        &self,
        network: &str,
        endpoint: &str,
        address: &str,
    ) -> Result<Value, String> {
        self.send(
            "CreateEndpoint",
            json!({
                "NetworkID": network,
                "EndpointID": endpoint,
                "Interface": {"Address": address, "AddressIPv6": "", "MacAddress": ""},
                "Options": {"com.docker.network.endpoint.exposedports": []},
            }),
        )
    }

    pub fn join(&self, network: &str, endpoint: &str, sandbox: &str) -> Result<Value, String> {
        let sandbox = format!("/var/run/docker/netns/{sandbox}");
        self.send(
            "Join",
            json!({"NetworkID": network, "EndpointID": endpoint, "SandboxKey": sandbox}),
        )
    }

    pub fn leave(&self, network: &str, endpoint: &str) {
        let ids = json!({"NetworkID": network, "EndpointID": endpoint});
        assert_eq!(self.send("Leave", ids), Ok(json!({})));
    }

    pub fn delete_endpoint(&self, network: &str, endpoint: &str) {
        let ids = json!({"NetworkID": network, "EndpointID": endpoint});
        assert_eq!(self.send("DeleteEndpoint", ids), Ok(json!({})));
    }
}
