//! The story: namespaces join two networks and talk inside each and not between them; with a service
//! chain they do, through two of them; then all of them leave.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use contrail_lab::ping::ping;
use contrail_lab::sandbox::TestNetns;
use ipnetwork::IpNetwork;
use serde_json::Value;

use crate::failure::{Failure, expect};
use crate::programs::Programs;
use crate::report::{say, step};

/// The walk-through's own document, unchanged.
const DOCUMENT: &str = include_str!("../../10-opencontrail-multi.conf");

/// The walk-through's chain, unchanged.
const CHAIN: &str = include_str!("../../chain.json");

/// Tells the whole story, and fails where it is not as promised.
pub fn tell(programs: &Programs) -> Result<(), Failure> {
    let before = host_links()?;
    say("A service chain of containers: namespaces, CNI plugin, one-host lab\n");
    step("contrail-lab up", || {
        let output = programs.lab(&["up", "--background"])?;
        Ok(((), output.lines().take(1).map(str::to_owned).collect()))
    })?;

    let empty = objects(programs)?;
    let cni_si = Member::join(programs, "cniSI", "both, by the document", DOCUMENT)?;
    let cnm_si = Member::join(programs, "cnmSI", "both, as Docker's would", DOCUMENT)?;
    let alp1 = Member::join(programs, "alp1", "net1, by its first entry", &entry(0)?)?;
    let alp2 = Member::join(programs, "alp2", "net2, by its second entry", &entry(1)?)?;

    alp1.reaches("inside net1", cni_si.address(0)?)?;
    alp2.reaches("inside net2", cni_si.address(1)?)?;
    alp1.reaches("the gateway of net1", alp1.gateway()?)?;
    alp1.does_not_reach("from net1 to net2", alp2.address(0)?)?;
    alp2.does_not_reach("from net2 to net1", alp1.address(0)?)?;

    through_services(programs, [&cnm_si, &cni_si], [&alp1, &alp2])?;

    let members = [&cni_si, &cnm_si, &alp1, &alp2];
    for member in members {
        member.leave(programs)?;
    }
    step("nothing is left", || {
        expect("what the lab holds", objects(programs)?, empty)?;
        for member in members {
            expect(
                format!("links in {}", member.name),
                member.links()?,
                vec!["lo".to_owned()],
            )?;
        }
        programs.lab(&["down"])?;
        expect("links of the host", host_links()?, before)?;
        Ok((
            (),
            vec!["no port, address, object, link or rule".to_owned()],
        ))
    })?;
    say("\neverything was as promised");
    Ok(())
}

/// The chain is applied and packets go through both services; it is deleted and they stop.
fn through_services(
    programs: &Programs,
    services: [&Member; 2],
    [alp1, alp2]: [&Member; 2],
) -> Result<(), Failure> {
    let chain = |command| {
        step(&format!("service-chain {command} chain.json"), || {
            let said = programs.service_chain(command, CHAIN)?;
            // The lab answers when the kernel has followed.
            let status = programs.status()?;
            let is_up = status["chains"].as_array().is_some_and(|chains| {
                !chains.is_empty() && chains.iter().all(|chain| chain["up"] == true)
            });
            expect("that the lab has the chain up", is_up, command == "apply")?;
            Ok(((), said.lines().map(str::to_owned).collect()))
        })
    };
    services.iter().try_for_each(|service| service.forward())?;
    chain("apply")?;
    alp1.reaches_through("cnmSI and cniSI", alp2.address(0)?)?;
    alp2.reaches_through("cniSI and cnmSI", alp1.address(0)?)?;
    chain("delete")?;
    alp1.does_not_reach("from net1 to net2", alp2.address(0)?)
}

/// A namespace that is a member of networks.
struct Member {
    name: &'static str,
    netns: TestNetns,
    configuration: String,
    result: Value,
}

impl Member {
    fn join(
        programs: &Programs,
        name: &'static str,
        how: &str,
        configuration: &str,
    ) -> Result<Self, Failure> {
        let netns = TestNetns::new(name)?;
        let result = step(&format!("{name} joins {how}"), || {
            let result = programs
                .plugin("ADD", name, configuration)?
                .unwrap_or_default();
            let lines = interfaces(&result);
            Ok((result, lines))
        })?;
        let configuration = configuration.to_owned();
        Ok(Self {
            name,
            netns,
            configuration,
            result,
        })
    }

    /// DEL, twice: runtimes do so, and the second one must not fail.
    fn leave(&self, programs: &Programs) -> Result<(), Failure> {
        step(&format!("{} leaves, and leaves again", self.name), || {
            for _ in 0..2 {
                let answer = programs.plugin("DEL", self.name, &self.configuration)?;
                expect("what DEL says", answer, None)?;
            }
            Ok(((), Vec::new()))
        })
    }

    fn address(&self, index: usize) -> Result<IpAddr, Failure> {
        let text = self.result["ips"][index]["address"]
            .as_str()
            .unwrap_or_default();
        text.parse::<IpNetwork>()
            .map(|address| address.ip())
            .map_err(|_| missing("address", text))
    }

    fn gateway(&self) -> Result<IpAddr, Failure> {
        let text = self.result["ips"][0]["gateway"]
            .as_str()
            .unwrap_or_default();
        text.parse().map_err(|_| missing("gateway", text))
    }

    fn reaches(&self, what: &str, address: IpAddr) -> Result<(), Failure> {
        self.ping(what, address, [Some(64); 3], "3 of 3 replies, ttl=64")
    }

    /// Each of two services and the gateway take one off the TTL.
    fn reaches_through(&self, what: &str, address: IpAddr) -> Result<(), Failure> {
        let what = format!("through {what}");
        self.ping(&what, address, [Some(61); 3], "3 of 3 replies, ttl=61")
    }

    /// Lets the namespace pass packets on, as a service does.
    fn forward(&self) -> Result<(), Failure> {
        let switch = || fs::write("/proc/sys/net/ipv4/ip_forward", "1");
        Ok(self.netns.netns().run(switch)??)
    }

    fn does_not_reach(&self, what: &str, address: IpAddr) -> Result<(), Failure> {
        self.ping(what, address, [None; 3], "0 of 3 replies")
    }

    fn ping(
        &self,
        what: &str,
        address: IpAddr,
        expected: [Option<u8>; 3],
        outcome: &str,
    ) -> Result<(), Failure> {
        step(&format!("{} pings {address} {what}", self.name), || {
            let replies = ping(self.netns.netns(), address, 3, Duration::from_millis(300))?;
            let ttls: Vec<Option<u8>> = replies.iter().map(|r| r.map(|r| r.ttl)).collect();
            expect(
                format!("TTLs of {address} as {} sees them", self.name),
                ttls,
                expected.into(),
            )?;
            Ok(((), vec![outcome.to_owned()]))
        })
    }

    fn links(&self) -> Result<Vec<String>, Failure> {
        Ok(self.netns.netns().run(links)??)
    }
}

/// The networks and ports that the lab knows, by name. Some networks it has from the start, as every
/// OpenContrail.
fn objects(programs: &Programs) -> Result<Vec<String>, Failure> {
    let status = programs.status()?;
    let objects = ["networks", "ports"].map(|kind| status[kind].as_array().cloned());
    Ok(objects
        .into_iter()
        .flatten()
        .flatten()
        .map(|object| object["name"].to_string())
        .collect())
}

/// The interfaces of a result, a line each.
fn interfaces(result: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let ips = result["ips"].as_array().into_iter().flatten();
    ips.map(|ip| {
        let interface = &result["interfaces"][ip["interface"].as_u64().unwrap_or(0) as usize];
        format!(
            "{}  {}  mac {}  mtu {}  gateway {}",
            text(&interface["name"]),
            text(&ip["address"]),
            text(&interface["mac"]),
            interface["mtu"],
            text(&ip["gateway"]),
        )
    })
    .collect()
}

/// One network of the document as a configuration of its own, in the newest version.
fn entry(index: usize) -> Result<String, Failure> {
    let document: Value = serde_json::from_str(DOCUMENT)?;
    let mut entry = document["networks"][index].clone();
    entry["cniVersion"] = "1.1.0".into();
    Ok(entry.to_string())
}

fn host_links() -> Result<Vec<String>, Failure> {
    Ok(links()?)
}

/// The names of the links in the caller's network namespace. Not /sys, which shows those of the
/// namespace in which it was mounted.
fn links() -> std::io::Result<Vec<String>> {
    let table = fs::read_to_string("/proc/thread-self/net/dev")?;
    let names = table
        .lines()
        .skip(2)
        .filter_map(|line| line.split(':').next());
    let mut names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
    names.sort();
    Ok(names)
}

fn missing(what: &str, found: &str) -> Failure {
    Failure::Broken {
        what: format!("the {what} in the result"),
        expected: "an IP address".to_owned(),
        found: format!("{found:?}"),
    }
}
