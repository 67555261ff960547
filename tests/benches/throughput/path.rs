//! The paths that are compared: two ends each.

use std::net::IpAddr;
use std::sync::Arc;

use contrail_core::service_chain::{Description, ServiceChains};
use contrail_lab::lab::Lab;
use contrail_lab::ping::ping;
use contrail_lab::sandbox::TestNetns;
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world;
use serde_json::{Value, json};

use crate::Result;

const DOCUMENT: &str = include_str!("../../../examples/service-chain/10-opencontrail-multi.conf");
const CHAIN: &str = include_str!("../../../examples/service-chain/chain.json");

/// A way from one namespace to another.
pub struct Path {
    /// What it is called in the table.
    pub name: &'static str,
    /// Who sends.
    pub from: Arc<TestNetns>,
    /// Who gets it.
    pub to: Arc<TestNetns>,
    /// The address of who gets it.
    pub address: IpAddr,
}

/// The kernel alone.
pub struct Plain {
    veth: Path,
    bridge: Path,
    _switch: TestNetns,
}

impl Plain {
    /// Two namespaces with a pair between them, and two on a bridge in a third one.
    pub fn new() -> Result<Self> {
        let (a, b) = (namespace("a")?, namespace("b")?);
        ip(&a, "link add eth0 type veth peer name eth0 netns b")?;
        let (c, d) = (namespace("c")?, namespace("d")?);
        let switch = TestNetns::new("switch")?;
        ip(&switch, "link add br0 type bridge")?;
        ip(&switch, "link set br0 up")?;
        for end in ["c", "d"] {
            ip(
                &switch,
                &format!("link add name {end} type veth peer name eth0 netns {end}"),
            )?;
            ip(&switch, &format!("link set dev {end} master br0 up"))?;
        }
        for (netns, address) in [(&a, "1.1"), (&b, "1.2"), (&c, "2.1"), (&d, "2.2")] {
            ip(netns, &format!("addr add 192.168.{address}/24 dev eth0"))?;
            ip(netns, "link set eth0 up")?;
        }
        Ok(Self {
            veth: Path {
                name: "a veth pair",
                from: a,
                to: b,
                address: "192.168.1.2".parse()?,
            },
            bridge: Path {
                name: "a bridge",
                from: c,
                to: d,
                address: "192.168.2.2".parse()?,
            },
            _switch: switch,
        })
    }

    /// Both.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        [&self.veth, &self.bridge].into_iter()
    }
}

/// The lab, with what the walk-through makes.
pub struct Chained {
    lab: Lab,
    inside: Path,
    through: Path,
    _services: [TestNetns; 2],
}

impl Chained {
    /// Two networks with an end each, and a chain of two service instances between them.
    pub fn new() -> Result<Self> {
        let lab = world::lab();
        let document: Value = serde_json::from_str(DOCUMENT)?;
        let services = ["cnmSI", "cniSI"].map(|name| -> Result<_> {
            let netns = TestNetns::new(name)?;
            attach(&netns, name, &document);
            let switch = || std::fs::write("/proc/sys/net/ipv4/ip_forward", "1");
            netns.netns().run(switch)??;
            Ok(netns)
        });
        let [first, second] = services;
        let end = |name: &str, network: &str, subnet: &str| -> Result<_> {
            let netns = namespace(name)?;
            let mut network = world::network(network, subnet);
            network["mtu"] = json!(1492);
            let address = attach(&netns, name, &network);
            Ok((netns, address))
        };
        let (alp1, _) = end("alp1", "net1", "10.1.1.0/24")?;
        let (neighbour, inside) = end("neighbour", "net1", "10.1.1.0/24")?;
        let (alp2, behind) = end("alp2", "net2", "10.1.2.0/24")?;
        let chains = ServiceChains::new(world::client(), "default-domain:admin".parse()?);
        chains.apply(&Description::read(CHAIN, "chain.json")?)?;
        lab.settle();
        let replies = ping(alp1.netns(), behind, 1, std::time::Duration::from_secs(1))?;
        let ttl = replies[0].map(|reply| reply.ttl);
        if ttl != Some(61) {
            return Err(format!("the chain does not work: {replies:?}").into());
        }
        Ok(Self {
            lab,
            inside: Path {
                name: "a network of the lab",
                from: Arc::clone(&alp1),
                to: neighbour,
                address: inside,
            },
            through: Path {
                name: "a chain of two service instances",
                from: alp1,
                to: alp2,
                address: behind,
            },
            _services: [first?, second?],
        })
    }

    /// Both.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        [&self.inside, &self.through].into_iter()
    }

    /// Stops the lab.
    pub fn end(self) -> Result<()> {
        Ok(self.lab.stop()?)
    }
}

fn namespace(name: &str) -> Result<Arc<TestNetns>> {
    Ok(Arc::new(TestNetns::new(name)?))
}

/// Attaches a namespace by the CNI plugin; its first address.
fn attach(netns: &TestNetns, name: &str, configuration: &Value) -> IpAddr {
    let path = netns.path().display().to_string();
    let added = Call::new("ADD", name, &path, configuration).run().ok();
    let addresses = added.addresses();
    let address = addresses[0].split('/').next().unwrap_or_default();
    address.parse().expect("the plugin tells an address")
}

/// Runs an `ip` command in a namespace.
fn ip(netns: &TestNetns, arguments: &str) -> Result<()> {
    let words: Vec<&str> = arguments.split(' ').collect();
    let output = netns.output("ip", &words)?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("ip {arguments}: {output:?}").into()),
    }
}
