//! A lab without a data plane, and a plugin over it that can be started anew.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cnm_opencontrail::daemon::Daemon;
use cnm_opencontrail::proto::{Call, Scope};
use cnm_opencontrail::{Plugin, Result};
use contrail_core::Deadline;
use contrail_core::api::{Client, InstanceIp, ListQuery, VirtualNetwork};
use contrail_core::settings::{Key, Layer, Origin, Settings, Sources};
use contrail_lab::dataplane::Mode;
use contrail_lab::lab::{Lab, LabOptions};
use serde_json::{Value, json};
use uuid::Uuid;

pub struct World {
    pub lab: Lab,
    pub directory: tempfile::TempDir,
    node: &'static str,
    plugin: Daemon,
}

impl World {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut options = LabOptions::new(directory.path().join("ports"));
        options.data_plane = Mode::Off;
        let lab = Lab::start(options).unwrap();
        let plugin = plugin(&lab, &directory, "node1");
        let world = Self {
            lab,
            directory,
            node: "node1",
            plugin,
        };
        world.engine_starts();
        world
    }

    /// The plugin is killed and started again.
    pub fn restart(&mut self) {
        self.plugin = plugin(&self.lab, &self.directory, self.node);
    }

    /// The plugin starts again and its state directory is empty.
    pub fn lose_state(&mut self) {
        std::fs::remove_dir_all(self.directory.path().join("state")).unwrap();
        self.restart();
    }

    /// A second host's plugin.
    pub fn other_host(&self) -> Daemon {
        plugin(&self.lab, &tempfile::tempdir().unwrap(), "node2")
    }

    /// What the plugin does by itself now and then.
    pub fn tidy(&self) {
        self.plugin.tidy();
    }

    pub fn engine_starts(&self) {
        self.plugin.answer(Call::IpamCapabilities).unwrap();
    }

    pub fn call(&self, method: &str, arguments: Value) -> Result<Value> {
        call(&self.plugin, method, arguments)
    }

    pub fn pool(&self, pool: &str, options: Value) -> Result<Value> {
        let v6 = pool.contains("::");
        let arguments = json!({"AddressSpace": "opencontrail-local", "Pool": pool, "SubPool": "",
            "Options": options, "V6": v6});
        self.call("IpamDriver.RequestPool", arguments)
    }

    /// The pool `10.1.1.0/24` of `net1`, with its gateway: what creating a Docker network asks for.
    pub fn net1(&self) -> String {
        let pool = self.pool("10.1.1.0/24", json!({"name": "net1"})).unwrap();
        let id = pool["PoolID"].as_str().unwrap().to_owned();
        self.gateway(&id, "").unwrap();
        id
    }

    pub fn gateway(&self, pool: &str, address: &str) -> Result<String> {
        let options = json!({"RequestAddressType": "com.docker.network.gateway"});
        self.request(pool, address, options)
    }

    pub fn address(&self, pool: &str, address: &str) -> Result<String> {
        self.request(pool, address, Value::Null)
    }

    fn request(&self, pool: &str, address: &str, options: Value) -> Result<String> {
        let arguments = json!({"PoolID": pool, "Address": address, "Options": options});
        let answer = self.call("IpamDriver.RequestAddress", arguments)?;
        Ok(answer["Address"].as_str().unwrap().to_owned())
    }

    pub fn release(&self, pool: &str, address: &str) {
        let address = address.split('/').next().unwrap();
        let arguments = json!({"PoolID": pool, "Address": address});
        let answer = self.call("IpamDriver.ReleaseAddress", arguments).unwrap();
        assert_eq!(answer, json!({}));
    }

    pub fn release_pool(&self, pool: &str) {
        let arguments = json!({"PoolID": pool});
        let answer = self.call("IpamDriver.ReleasePool", arguments).unwrap();
        assert_eq!(answer, json!({}));
    }

    /// The instance IP that the network driver takes over.
    pub fn reservation(&self, network: Uuid, address: IpAddr) -> Option<Uuid> {
        self.plugin.ipam().reservation(network, address).unwrap()
    }

    pub fn client(&self) -> Client {
        let attacher = settings(&self.lab, &self.directory, "test").attacher("test");
        let end = Deadline::after(Duration::from_secs(20));
        attacher.unwrap().client(end)
    }

    /// The names of all virtual networks of the project.
    pub fn networks(&self) -> Vec<String> {
        let found: Vec<VirtualNetwork> = self.client().list(&ListQuery::all()).unwrap();
        let names = found.iter().map(|network| network.meta.fq_name.to_string());
        let mut names: Vec<String> = names.filter(|name| name.contains(":admin:")).collect();
        names.sort();
        names
    }

    /// All addresses.
    pub fn addresses(&self) -> Vec<String> {
        let query = ListQuery::all().detail();
        let found: Vec<InstanceIp> = self.client().list(&query).unwrap();
        let mut texts: Vec<String> = found
            .iter()
            .filter_map(|ip| ip.address.map(|address| address.to_string()))
            .collect();
        texts.sort();
        texts
    }

    /// The files that the driver keeps.
    pub fn files(&self) -> usize {
        let count = |name| {
            let dir = self.directory.path().join("state/ipam").join(name);
            std::fs::read_dir(dir).unwrap().count()
        };
        count("pools") + count("addresses")
    }
}

pub fn call(plugin: &Daemon, method: &str, arguments: Value) -> Result<Value> {
    let call = Call::parse(&format!("/{method}"), arguments.to_string().as_bytes())?;
    let reply = plugin.answer(call)?;
    Ok(serde_json::to_value(reply).unwrap())
}

fn plugin(lab: &Lab, directory: &tempfile::TempDir, node: &str) -> Daemon {
    Daemon::new(&settings(lab, directory, node), Scope::Local).unwrap()
}

fn settings(lab: &Lab, directory: &tempfile::TempDir, node: &str) -> Settings {
    let addresses = lab.addresses();
    let mut layer = Layer::default();
    let mut set = |key, value: String| layer.set(key, value, Origin::Flag("test".into()));
    set(Key::ApiServer, address(addresses.config_api));
    set(Key::VrouterAgent, address(addresses.agent));
    set(Key::NodeName, node.into());
    for (key, name) in [
        (Key::StateDir, "state"),
        (Key::RunDir, "run"),
        (Key::VrouterPortsDir, "ports"),
    ] {
        set(key, directory.path().join(name).display().to_string());
    }
    Settings::load(&Sources {
        nearer: vec![layer],
        environment: &|_| None,
        files: Vec::new(),
        read: &|_| Err(std::io::ErrorKind::NotFound.into()),
        host_name: None,
    })
    .unwrap()
}

fn address(address: SocketAddr) -> String {
    address.to_string()
}
