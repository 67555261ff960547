//! Attaches a network namespace to two virtual networks. Needs root, and the namespace:
//! `ip netns add example-fw`.

#![allow(clippy::print_stdout)] // a program for a terminal

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use contrail_core::attach::{Attachment, NetworkSpec, SubnetSpec};
use contrail_core::settings::Settings;
use library_examples::{LEFT, NAMESPACE, PROGRAM, RIGHT, exit_code};

fn main() -> ExitCode {
    exit_code(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let settings = Settings::from_env()?;
    let attacher = settings.attacher(PROGRAM)?;
    let project = settings.project_name();
    let netns = Path::new("/run/netns").join(NAMESPACE);

    // The left network must exist. The right one is created now, and deleted with its last interface.
    let left = NetworkSpec::existing(project.child(LEFT));
    let right = NetworkSpec {
        fq_name: project.child(RIGHT),
        subnets: vec![SubnetSpec::new("10.1.2.0/24".parse()?)],
    };
    let interface = |ifname: &str, network| Attachment::new(NAMESPACE, ifname, &netns, network);
    let wanted = [interface("eth0", left), interface("eth1", right)];

    // Both or none: if one interface fails, the other is removed before this returns.
    for attached in attacher.attach(&wanted)? {
        let addresses = attached.addresses.iter();
        let addresses: Vec<String> = addresses.map(|a| a.address.to_string()).collect();
        println!(
            "{} {} mac {} mtu {}",
            attached.ifname,
            addresses.join(" "),
            attached.mac,
            attached.mtu
        );
    }
    Ok(())
}
