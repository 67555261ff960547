//! Lists the virtual networks of a project with their subnets.

#![allow(clippy::print_stdout)] // a program for a terminal

use std::process::ExitCode;

use contrail_core::Result;
use contrail_core::api::{IpamSubnet, ListQuery, Resource, VirtualNetwork};
use contrail_core::error::counted;
use contrail_core::settings::Settings;
use library_examples::{PROGRAM, exit_code};

fn main() -> ExitCode {
    exit_code(run)
}

fn run() -> Result<()> {
    let settings = Settings::from_env()?;
    let client = settings.client(PROGRAM)?;
    let project = settings.project_name();

    // `detail` asks for whole objects; otherwise a list holds names and ids.
    let query = ListQuery::children_of("project", project.clone()).detail();
    let mut networks: Vec<VirtualNetwork> = client.list(&query)?;
    networks.sort_by(|a, b| a.fq_name().cmp(b.fq_name()));

    println!("project {project}: {}", counted(networks.len(), "network"));
    for network in networks {
        // Also the subnets of flat IPAMs, which the network does not hold itself.
        let subnets = client.subnets_of(&network)?;
        let prefixes = subnets.iter().filter_map(IpamSubnet::prefix);
        let prefixes: Vec<String> = prefixes.map(|prefix| prefix.to_string()).collect();
        println!("{} {}", network.fq_name(), prefixes.join(" "));
    }
    Ok(())
}
