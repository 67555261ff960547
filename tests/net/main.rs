//! The kernel's part of attaching a container, against the kernel: every test in a sandbox.
#![allow(clippy::unwrap_used)] // a test program: its helpers are tests too

mod configure;
mod lock;
mod netns;
mod veth;

use std::process::Output;

use contrail_core::MacAddr;
use contrail_core::kernel::{Dataplane, Kernel, VethSpec};
use contrail_lab::sandbox::TestNetns;
use ipnetwork::IpNetwork;

const MAC: MacAddr = MacAddr([0x02, 0xd2, 0xad, 0xdb, 0x42, 0x43]);

const ALIAS: &str = "d2addb42-4371-5012-bee6-417003b71696";

fn spec(host: &str, container: &str) -> VethSpec {
    VethSpec {
        host: host.into(),
        container: container.into(),
        mac: MAC,
        mtu: Some(1400),
        alias: ALIAS.into(),
    }
}

/// A namespace with one end of a pair as `eth0`; the other end is `tap0` on the host.
fn attached(kernel: &Kernel) -> TestNetns {
    let netns = TestNetns::new("c1").unwrap();
    kernel
        .create_veth(&spec("tap0", "eth0"), Some(netns.netns()))
        .unwrap();
    netns
}

fn networks(texts: &[&str]) -> Vec<IpNetwork> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
