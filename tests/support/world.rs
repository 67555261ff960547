//! A lab in the sandbox, and everything that an attachment could leave behind as one set of lines.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, SystemTime};

use contrail_core::api::{
    Client, InstanceIp, IpamSubnet, ListQuery, NetworkIpam, PortTuple, Resource, ServiceInstance,
    ServiceTemplate, VirtualMachine, VirtualMachineInterface, VirtualNetwork,
};
use contrail_core::kernel::Netns;
use contrail_core::settings::{Settings, Sources};
use contrail_core::{FqName, Result};
use contrail_lab::faults::{Action, Rule};
use contrail_lab::http::ServiceName;
use contrail_lab::lab::{Lab, LabOptions};
use serde_json::{Value, json};

/// The directories in which the plugin and the agent keep files.
const DIRECTORIES: [&str; 2] = ["/run/contrail", "/var/lib/contrail"];

/// Where the CNI plugin notes which networks its interfaces use.
const USES: &str = "/var/lib/contrail/cni-opencontrail/uses";

/// A lab on the addresses that the plugins use by default.
///
/// # Panics
/// When it cannot be started.
pub fn lab() -> Lab {
    lab_with(|_| {})
}

/// A lab on the addresses that the plugins use by default, with other options.
///
/// # Panics
/// When it cannot be started.
pub fn lab_with(change: impl FnOnce(&mut LabOptions)) -> Lab {
    let on = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut options = LabOptions::new("/var/lib/contrail/ports");
    options.config_api = on(8082);
    options.keystone = on(35357);
    options.agent = on(9091);
    change(&mut options);
    Lab::start(options).expect("a lab starts in the sandbox")
}

/// A network configuration with one subnet.
pub fn network(name: &str, subnet: &str) -> Value {
    json!({
        "cniVersion": "1.1.0",
        "name": name,
        "type": "opencontrail",
        "ipam": {"subnet": subnet, "routes": [{"dst": "0.0.0.0/0"}]},
    })
}

/// Makes a flat network-ipam with these subnets and the network `pods` on it, which also has a subnet of
/// its own if one is given.
///
/// # Panics
/// When the API refuses.
pub fn make_flat_network(client: &Client, subnets: &[&str], own: Option<&str>) {
    let name = |name: &str| FqName::new(["default-domain", "admin", name]);
    let subnet = |prefix: &str| IpamSubnet::new(prefix.parse().expect("a prefix"));
    let mut ipam = NetworkIpam::new(name("pod-ipam"));
    ipam.ipam_subnets.subnets = subnets.iter().copied().map(subnet).collect();
    let method = ("ipam_subnet_method".to_owned(), json!("flat-subnet"));
    ipam.rest.extend([method]);
    client.create(&ipam).expect("the flat IPAM");
    let mut network = VirtualNetwork::new(name("pods"), ipam.meta.fq_name, vec![]);
    if let Some(own) = own {
        let own = vec![subnet(own)];
        let own = VirtualNetwork::new(name("own"), NetworkIpam::default_name(), own);
        network.network_ipam_refs.extend(own.network_ipam_refs);
    }
    let properties = json!({"forwarding_mode": "l3"});
    let properties = ("virtual_network_properties".to_owned(), properties);
    network.rest.extend([properties]);
    client.create(&network).expect("the network");
}

/// A client of the lab's configuration API.
///
/// # Panics
/// When the default settings make none.
pub fn client() -> Client {
    let settings = Settings::load(&Sources {
        nearer: Vec::new(),
        environment: &|_| None,
        files: Vec::new(),
        read: &|_| Err(std::io::ErrorKind::NotFound.into()),
        host_name: Some("node1".into()),
    });
    let settings = settings.expect("the defaults are valid");
    settings
        .client("test")
        .expect("the defaults need no certificate")
}

/// A fault of every request that matches, until the faults are cleared.
pub fn fault(service: ServiceName, method: &str, path: &str, action: Action) -> Rule {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Rule {
        service,
        method: given(method),
        path: given(path),
        skip: 0,
        count: None,
        action,
    }
}

/// Everything that an attachment could leave behind: objects, agent ports, links, files.
///
/// # Panics
/// When the lab does not answer or a directory cannot be read.
pub fn everything(lab: &Lab, namespaces: &[&Netns]) -> BTreeSet<String> {
    let client = client();
    let mut all = BTreeSet::new();
    objects::<VirtualMachine>(&client, &mut all);
    objects::<VirtualMachineInterface>(&client, &mut all);
    objects::<InstanceIp>(&client, &mut all);
    objects::<VirtualNetwork>(&client, &mut all);
    objects::<PortTuple>(&client, &mut all);
    objects::<ServiceInstance>(&client, &mut all);
    objects::<ServiceTemplate>(&client, &mut all);
    all.extend(
        lab.status()
            .ports
            .iter()
            .map(|port| format!("agent port {}", port.id)),
    );
    all.extend(links().into_iter().map(|link| format!("host link {link}")));
    for netns in namespaces {
        let inside = netns.run(links).expect("the namespace can be entered");
        all.extend(
            inside
                .into_iter()
                .map(|link| format!("link {link} in {netns}")),
        );
    }
    for directory in DIRECTORIES {
        files(Path::new(directory), &mut all);
    }
    all
}

fn objects<R: Resource>(client: &Client, all: &mut BTreeSet<String>) {
    let found: Result<Vec<R>> = client.list(&ListQuery::all());
    let found = found.expect("the lab lists its objects");
    all.extend(
        found
            .iter()
            .map(|object| format!("{} {}", R::TYPE, object.fq_name())),
    );
}

/// The links of the calling thread's network namespace.
///
/// # Panics
/// When `/proc` is not there.
pub fn links() -> Vec<String> {
    let table = fs::read_to_string("/proc/thread-self/net/dev").expect("/proc is mounted");
    let names = table
        .lines()
        .skip(2)
        .filter_map(|line| line.split(':').next());
    names.map(|name| name.trim().to_owned()).collect()
}

/// Lets what an attach was cut off from be long ago: nothing will be made for it any more.
///
/// # Panics
/// When the files of the state cannot be changed.
pub fn let_time_pass() {
    let Ok(entries) = fs::read_dir(USES) else {
        return;
    };
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    for entry in entries {
        let path = entry.expect("a directory can be read").path();
        let file = File::options().write(true).open(path);
        let aged = file.and_then(|file| file.set_modified(long_ago));
        aged.expect("a file's time can be set");
    }
}

/// The files in a directory that an attachment could leave behind; the directories of the state stay.
///
/// # Panics
/// When the directory cannot be read.
pub fn files(directory: &Path, all: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a directory can be read").path();
        let name = path.display().to_string();
        if path.is_dir() {
            files(&path, all);
        } else if !is_kept(&name) {
            all.insert(format!("file {name}"));
        }
    }
}

/// What is meant to stay: a token that was fetched, the file whose bytes are the locks, the names that this
/// host has had, what Docker remembers of its plugin, and a note that a killed program was just writing, which
/// `clean` removes when it is old.
fn is_kept(file: &str) -> bool {
    file.starts_with("/run/contrail/tokens/")
        || file.ends_with(".lock")
        || file.ends_with("/nodes")
        || file.ends_with("/nodes.json")
        || file.ends_with("/remembered/plugin.json")
        || file.contains("/uses/.")
}
