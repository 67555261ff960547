//! Removes everything that the other programs have made. What does not exist is no error, so it may be
//! repeated, and called after any of them has failed.

#![allow(clippy::print_stdout)] // a program for a terminal

use std::process::ExitCode;
use std::time::Duration;

use contrail_core::Deadline;
use contrail_core::api::{InstanceIp, VirtualMachineInterface, VirtualNetwork};
use contrail_core::attach::{Detachment, Result};
use contrail_core::error::counted;
use contrail_core::service_chain::{Description, ServiceChains};
use contrail_core::settings::Settings;
use contrail_core::values::{Family, identity};
use library_examples::{CHAIN, LEFT, NAMESPACE, PORT, PROGRAM, exit_code};

fn main() -> ExitCode {
    exit_code(run)
}

fn run() -> Result<()> {
    let settings = Settings::from_env()?;
    let attacher = settings.attacher(PROGRAM)?;
    let client = settings.client(PROGRAM)?;
    let project = settings.project_name();

    let chains = ServiceChains::new(client.clone(), project.clone());
    let plan = chains.delete(&Description::read(CHAIN, "chain.json")?)?;
    println!("chain: {}", counted(plan.changes.len(), "change"));

    let interfaces = ["eth0", "eth1"].map(|ifname| Detachment {
        container: NAMESPACE.into(),
        ifname: ifname.into(),
    });
    // While the API or the agent is down, removals are recorded on disk, and later calls complete them.
    let detached = attacher.detach(&interfaces)?;
    println!(
        "namespace: {} deferred",
        counted(detached.deferred, "removal")
    );

    // An object goes after those that refer to it.
    let port = identity::interface(&settings.node, PROGRAM, PORT);
    client.delete::<InstanceIp>(identity::instance_ip(port, Family::V4))?;
    client.delete::<VirtualMachineInterface>(port)?;
    if let Some(network) = client.id_of::<VirtualNetwork>(&project.child(LEFT))? {
        client.delete::<VirtualNetwork>(network)?;
    }

    // These programs have attached nothing that could still be starting. Others give orphans the default time of
    // grace (`None`): an interface looks like an orphan while its container is being attached.
    let deadline = Deadline::after(Duration::from_secs(30));
    let cleaned = attacher.clean(&[project], Some(Duration::ZERO), deadline)?;
    print!("{cleaned}");
    cleaned.outcome()
}
