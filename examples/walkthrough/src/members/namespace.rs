//! A network namespace that the CNI plugin attaches.

use std::fs;

use contrail_lab::sandbox::TestNetns;
use serde_json::Value;

use super::member::Member;
use crate::failure::{Failure, expect};
use crate::programs::Programs;
use crate::report::step;

/// The configuration of the steps by hand, unchanged.
const DOCUMENT: &str = include_str!("../../../service-chain/10-opencontrail-multi.conf");

/// Its file name, for the titles of the steps.
const FILE: &str = "10-opencontrail-multi.conf";

/// A namespace that is a member.
pub struct Namespace {
    name: &'static str,
    netns: TestNetns,
}

impl Namespace {
    /// Creates a namespace, attaches it to the networks of the configuration and enables forwarding.
    pub fn join(programs: &Programs, name: &'static str) -> Result<(Self, Member), Failure> {
        let netns = step(&format!("ip netns add {name}"), || {
            Ok((TestNetns::new(name)?, Vec::new()))
        })?;
        let namespace = Self { name, netns };
        let member = namespace.attach(programs)?;
        step(
            &format!("ip netns exec {name} sysctl -qw net.ipv4.ip_forward=1"),
            || {
                let switch = || fs::write("/proc/sys/net/ipv4/ip_forward", "1");
                namespace.netns.netns().run(switch)??;
                Ok(((), Vec::new()))
            },
        )?;
        Ok((namespace, member))
    }

    /// ADD; returns the namespace as a member with its new interfaces.
    pub fn attach(&self, programs: &Programs) -> Result<Member, Failure> {
        let name = self.name;
        step(
            &format!("CNI_COMMAND=ADD CNI_NETNS=/var/run/netns/{name} cni-opencontrail < {FILE}"),
            || {
                let result = programs.plugin("ADD", name, DOCUMENT)?;
                let member = Member::look(name, "namespace", self.netns.path())?;
                let reported = reported(&result.unwrap_or_default());
                expect("addresses in the result", reported, member.addresses())?;
                let lines = member.lines();
                Ok((member, lines))
            },
        )
    }

    /// DEL; the namespace remains.
    pub fn detach(&self, programs: &Programs) -> Result<(), Failure> {
        let name = self.name;
        step(
            &format!("CNI_COMMAND=DEL CNI_NETNS=/var/run/netns/{name} cni-opencontrail < {FILE}"),
            || Ok((self.delete(programs)?, Vec::new())),
        )
    }

    fn delete(&self, programs: &Programs) -> Result<(), Failure> {
        let answer = programs.plugin("DEL", self.name, DOCUMENT)?;
        expect("output of DEL", answer, None)
    }

    /// DEL twice, as runtimes call it: the second call must not fail. Then removes the namespace.
    pub fn leave(self, programs: &Programs) -> Result<(), Failure> {
        let name = self.name;
        step(
            &format!("CNI_COMMAND=DEL CNI_NETNS=/var/run/netns/{name} cni-opencontrail, twice"),
            || {
                for _ in 0..2 {
                    self.delete(programs)?;
                }
                let links = self.netns.netns().run(super::links::links)??;
                expect(format!("links in {name}"), links, vec!["lo".to_owned()])?;
                Ok(((), Vec::new()))
            },
        )
    }
}

/// The addresses in a result of the plugin.
fn reported(result: &Value) -> Vec<String> {
    let ips = result["ips"].as_array().into_iter().flatten();
    let texts = ips.filter_map(|ip| ip["address"].as_str());
    let addresses = texts.filter_map(|text| text.split('/').next());
    addresses.map(str::to_owned).collect()
}
