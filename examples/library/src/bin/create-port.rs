//! Creates a virtual network, a port in it and an address of the port. It may be repeated.

#![allow(clippy::print_stdout)] // a program for a terminal

use std::error::Error;
use std::process::ExitCode;

use contrail_core::api::{
    InstanceIp, IpamSubnet, NetworkIpam, Ref, Resource, VirtualMachineInterface, VirtualNetwork,
};
use contrail_core::settings::Settings;
use contrail_core::values::{Family, identity};
use library_examples::{LEFT, PORT, PROGRAM, exit_code};

fn main() -> ExitCode {
    exit_code(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let settings = Settings::from_env()?;
    let client = settings.client(PROGRAM)?;
    let project = settings.project_name();

    // A network has no id of ours: its name decides which of several programs creates it.
    let subnet = IpamSubnet::new("10.1.1.0/24".parse()?);
    let name = project.child(LEFT);
    let network = VirtualNetwork::new(name.clone(), NetworkIpam::default_name(), vec![subnet]);
    let operation = || format!("creating network {name}");
    let network = client.create_or_find(&network, operation, || client.lookup(&name))?;
    println!("network {} {}", network.fq_name(), network.id()?);

    // Port and address have ids that can be computed again, so that `ensure` repeats nothing.
    let mut port = VirtualMachineInterface::new(project.child(PORT), Ref::object(&network));
    let id = identity::interface(&settings.node, PROGRAM, PORT);
    port.meta.uuid = Some(id);
    client.ensure(&port)?;
    println!("port {} {id}", port.fq_name());

    let id = identity::instance_ip(id, Family::V4);
    let address = InstanceIp::new(id, Family::V4, Ref::object(&network), Ref::object(&port));
    client.ensure_address(&address)?;
    // The API chose the address; its answer to the creation does not hold it.
    if let Some(address) = client.get::<InstanceIp>(id)?.address {
        println!("address {address}");
    }
    Ok(())
}
