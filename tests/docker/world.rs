//! One test's lab, plugin and image, with an own name; all of it goes when the value is dropped.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use contrail_core::api::{
    Client, InstanceIp, ListQuery, Resource, VirtualMachine, VirtualMachineInterface,
    VirtualNetwork,
};
use contrail_core::settings::{Settings, Sources};
use contrail_core::{Deadline, FqName};
use contrail_lab::keystone::{PASSWORD, PROJECT, USER};
use contrail_lab::lab::{Lab, LabOptions};
use contrail_lab::sandbox::skip;
use opencontrail_tests::world::files;

use crate::engine::{self, docker, inspect, label};

/// A lab, a plugin and an image.
pub struct World {
    lab: Option<Lab>,
    directory: tempfile::TempDir,
    plugin: Option<Child>,
    second: Option<Child>,
    taps: BTreeSet<String>,
    /// One test at a time, whoever runs it: they share the engine.
    _turn: File,
}

/// A host's plugin, as the controller sees it: the tests' two hosts share the engine and the kernel.
struct Host {
    node: &'static str,
    suffix: &'static str,
    state: &'static str,
    log: &'static str,
}

const FIRST: Host = Host {
    node: "node1",
    suffix: "",
    state: "state",
    log: "log",
};

const SECOND: Host = Host {
    node: "node2",
    suffix: "b",
    state: "state2",
    log: "log2",
};

impl Host {
    fn driver(&self) -> String {
        format!("{}{}", name(), self.suffix)
    }
}

/// The name of the driver of [`World::second_host`].
pub fn second_name() -> String {
    SECOND.driver()
}

/// The name of the driver, of the lab and of the image.
pub fn name() -> String {
    format!("octest{}", std::process::id())
}

impl World {
    /// Starts everything; `None` when it cannot be here, which has been said then.
    pub fn start(test: &str) -> Option<Self> {
        if let Some(reason) = engine::unavailable() {
            skip(test, &reason);
            return None;
        }
        let turn = File::create(std::env::temp_dir().join("opencontrail-docker-tests.lock"));
        let turn = turn.unwrap();
        turn.lock().unwrap();
        engine::sweep();
        let directory = tempfile::tempdir().unwrap();
        let mut options = LabOptions::new(directory.path().join("ports"));
        options.name = name();
        let mut world = Self {
            lab: Some(Lab::start(options).unwrap()),
            directory,
            plugin: None,
            second: None,
            taps: taps(),
            _turn: turn,
        };
        world.start_plugin();
        engine::import_image(&name());
        Some(world)
    }

    /// The lab.
    pub fn lab(&self) -> &Lab {
        self.lab.as_ref().unwrap()
    }

    /// Starts the plugin; returns when it answers.
    pub fn start_plugin(&mut self) {
        self.plugin = Some(self.start_host(&FIRST));
    }

    /// Ends the plugin as nobody should.
    pub fn kill_plugin(&mut self) {
        if let Some(mut child) = self.plugin.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Kills the plugin and starts it again.
    pub fn restart_plugin(&mut self) {
        self.kill_plugin();
        self.start_plugin();
    }

    /// What the plugin has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Another host's plugin: another node name and state, the same controller. Its driver is called
    /// [`second_name`].
    pub fn second_host(&mut self) {
        self.second = Some(self.start_host(&SECOND));
    }

    fn start_host(&self, host: &Host) -> Child {
        let log = self.directory.path().join(host.log);
        let log = File::options().append(true).create(true).open(log);
        let child = self.command(host).stderr(log.unwrap()).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        let ping = || {
            self.command(host)
                .args(["ping", "--socket"])
                .output()
                .unwrap()
        };
        while !ping().status.success() {
            assert!(Instant::now() < end, "no answer of {}", host.driver());
        }
        child
    }

    fn command(&self, host: &Host) -> Command {
        let addresses = self.lab().addresses();
        let mut command = Command::new(program());
        command
            .env_clear()
            .env("CONFIG_API_SERVER", addresses.config_api.to_string())
            .env("OS_URL", format!("http://{}/v2.0", addresses.keystone))
            .env("ADMIN_USER", USER)
            .env("ADMIN_PASSWORD", PASSWORD)
            .env("ADMIN_TENANT", PROJECT)
            .env("VROUTER_AGENT_IP", addresses.agent.to_string())
            .env("VROUTER_PORTS_DIR", self.directory.path().join("ports"))
            .env("CONTRAIL_STATE_DIR", self.directory.path().join(host.state))
            .env("CONTRAIL_RUN_DIR", self.directory.path().join("run"))
            .env("CONTRAIL_NODE_NAME", host.node)
            .env("DEBUG", "true")
            .args(["--name", &host.driver()])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// The plugin's state directory.
    pub fn state_dir(&self) -> PathBuf {
        self.directory.path().join(FIRST.state)
    }

    /// A client of the lab's API.
    pub fn client(&self) -> Client {
        let server = self.lab().addresses().config_api.to_string();
        let settings = Settings::load(&Sources {
            nearer: Vec::new(),
            environment: &|name| (name == "API_SERVER_IP").then(|| server.clone()),
            files: Vec::new(),
            read: &|_| Err(std::io::ErrorKind::NotFound.into()),
            host_name: Some("test".into()),
        });
        let client = settings.unwrap().client("test").unwrap();
        client.until(Deadline::after(Duration::from_secs(60)))
    }

    /// Makes a network with this driver: the rest of the line of `docker network create`.
    #[track_caller]
    pub fn network(&self, line: &str) -> String {
        let driver = name();
        docker(&format!(
            "network create -d {driver} --label {} {line}",
            label()
        ))
        .ok()
    }

    /// Runs a container that stays: the options before the image.
    #[track_caller]
    pub fn run(&self, options: &str) -> String {
        self.try_run(options).ok()
    }

    /// Tries to run a container that stays: the options before the image.
    pub fn try_run(&self, options: &str) -> engine::Outcome {
        let image = name();
        docker(&format!(
            "run -d --label {} {options} {image} sleep 1d",
            label()
        ))
    }

    /// The virtual network of a name in the project.
    #[track_caller]
    pub fn virtual_network(&self, name: &str) -> VirtualNetwork {
        let name = FqName::new(["default-domain", "admin", name]);
        self.client().lookup(&name).unwrap().expect("it exists")
    }

    /// Holds when Docker, OpenContrail and the container agree on its addresses in a network.
    #[track_caller]
    pub fn assert_agreed(&self, container: &str, network: &str) {
        let docker = &inspect(container)["NetworkSettings"]["Networks"][network];
        let text = |key: &str| docker[key].as_str().unwrap_or_default().to_owned();
        self.lab().settle();
        let ports = self.lab().status().ports;
        let address = text("IPAddress");
        let port = ports
            .iter()
            .find(|port| port.addresses.iter().any(|a| a.to_string() == address));
        let port = port.unwrap_or_else(|| panic!("no port has {address}: {ports:#?}"));
        let v6 = text("GlobalIPv6Address");
        let has_v6 = port.addresses.iter().any(|a| a.to_string() == v6);
        assert!(v6.is_empty() || has_v6, "{v6}: {port:#?}");
        let interface: VirtualMachineInterface = self.client().get(port.id).unwrap();
        assert_eq!(interface.mac().unwrap().to_string(), text("MacAddress"));
        let inside = docker_in(container, "ip -o addr");
        assert!(inside.contains(&address), "{inside}");
        let links = docker_in(container, "ip -o link");
        assert!(links.contains(&text("MacAddress")), "{links}");
    }

    /// Everything that is left of containers and networks: objects, ports, links, files.
    pub fn left(&self) -> BTreeSet<String> {
        let client = self.client();
        let mut left = BTreeSet::new();
        objects::<VirtualMachine>(&client, &mut left);
        objects::<VirtualMachineInterface>(&client, &mut left);
        objects::<InstanceIp>(&client, &mut left);
        objects::<VirtualNetwork>(&client, &mut left);
        let ports = self.lab().status().ports;
        left.extend(ports.iter().map(|port| format!("agent port {}", port.id)));
        left.extend(
            taps()
                .difference(&self.taps)
                .map(|tap| format!("link {tap}")),
        );
        files(&self.state_dir(), &mut left);
        files(&self.directory.path().join(SECOND.state), &mut left);
        files(&self.directory.path().join("ports"), &mut left);
        left
    }

    /// Waits for what the plugin does by itself.
    #[track_caller]
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(40);
        while !is_so(self) {
            let left = self.left();
            assert!(
                Instant::now() < end,
                "not yet: {what}: {left:#?}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Holds when nothing is left.
    #[track_caller]
    pub fn assert_clean(&self) {
        let left = self.left();
        assert!(left.is_empty(), "{left:#?}\n{}", self.log());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the plugin's log\n{}", self.log());
        }
        // The plugin first does what the engine asks for when containers go.
        engine::sweep();
        for mut plugin in [self.plugin.take(), self.second.take()]
            .into_iter()
            .flatten()
        {
            let pid = nix::unistd::Pid::from_raw(plugin.id().try_into().unwrap());
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).ok();
            plugin.wait().ok();
        }
        for host in [&FIRST, &SECOND] {
            let socket = format!("/run/docker/plugins/{}.sock", host.driver());
            std::fs::remove_file(socket).ok();
        }
        drop(self.lab.take());
        for tap in taps().difference(&self.taps) {
            engine::run(Command::new("ip").args(["link", "del", tap]));
        }
    }
}

/// The plugin, which `cargo test --workspace` puts beside the test programs' own directory.
fn program() -> PathBuf {
    opencontrail_tests::plugin::program("cnm-opencontrail")
}

fn objects<R: Resource>(client: &Client, left: &mut BTreeSet<String>) {
    let found: Vec<R> = client.list(&ListQuery::all()).unwrap();
    let names = found.iter().map(|object| object.fq_name().to_string());
    // The networks of the controller itself.
    let names = names.filter(|name| !name.starts_with("default-domain:default-project:"));
    left.extend(names.map(|name| format!("{} {name}", R::TYPE)));
}

/// The host's ends of pairs.
pub fn taps() -> BTreeSet<String> {
    let names = opencontrail_tests::world::links().into_iter();
    names.filter(|name| name.starts_with("tap")).collect()
}

/// What a command in a container prints.
#[track_caller]
pub fn docker_in(container: &str, command: &str) -> String {
    docker(&format!("exec {container} {command}")).ok()
}

/// Whether one container reaches an address.
pub fn reaches(container: &str, address: &str) -> bool {
    docker(&format!("exec {container} ping -c 1 -W 2 {address}")).success
}

/// An address of a container, from inside it.
#[track_caller]
pub fn address_of(container: &str, ifname: &str) -> Ipv4Addr {
    let text = docker(&format!("exec {container} ip -4 -o addr show dev {ifname}")).ok();
    let address = text
        .split_whitespace()
        .skip_while(|word| *word != "inet")
        .nth(1);
    let address = address.and_then(|address| address.split('/').next());
    address.unwrap().parse().unwrap()
}
