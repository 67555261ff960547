//! `contrail-lab status`: the networks, the ports, and why a port does not forward.

use super::client::Client;
use super::error::Result;
use super::options::Shown;
use super::print::{print, print_json};
use super::table::{list, table};
use crate::status::{ChainStatus, NetworkStatus, PortStatus, Status};

/// Shows a running lab.
///
/// # Errors
/// When no lab of this name runs or it does not answer.
pub fn run(shown: &Shown) -> Result<()> {
    let status: Status = Client::of(&shown.lab)?.get("/status")?;
    if shown.json {
        print_json(&status)
    } else {
        print(&text(&status))
    }
}

fn text(status: &Status) -> String {
    let addresses = &status.addresses;
    let mut text = format!(
        "lab {:?} (process {}): configuration API {}, Keystone {}, agent {}, control {}\n",
        status.name,
        status.pid,
        addresses.config_api,
        addresses.keystone,
        addresses.agent,
        addresses.control
    );
    if let Some(namespace) = &status.namespace {
        text.push_str(&format!("data plane in {}\n", namespace.display()));
    }
    for problem in &status.problems {
        text.push_str(&format!("problem: {problem}\n"));
    }
    text.push('\n');
    let networks: Vec<Vec<String>> = status.networks.iter().flat_map(network_rows).collect();
    text.push_str(&table(
        &["NETWORK", "VRF", "SUBNET", "GATEWAY", "DNS"],
        &networks,
    ));
    text.push('\n');
    let ports: Vec<Vec<String>> = status.ports.iter().map(port_row).collect();
    text.push_str(&table(
        &["PORT", "INTERFACE", "NETWORK", "ADDRESSES", "NAME", "STATE"],
        &ports,
    ));
    if !status.chains.is_empty() {
        text.push('\n');
        let chains: Vec<Vec<String>> = status.chains.iter().map(chain_row).collect();
        text.push_str(&table(
            &["CHAIN", "FROM", "THROUGH", "TO", "STATE"],
            &chains,
        ));
    }
    text
}

fn chain_row(chain: &ChainStatus) -> Vec<String> {
    let state = match chain.up {
        true => "up".to_owned(),
        false => format!("closed: {}", chain.missing.join("; ")),
    };
    vec![
        chain.policy.to_string(),
        chain.left.to_string(),
        list(&chain.services),
        chain.right.to_string(),
        state,
    ]
}

/// One row for each subnet; the network is named in the first.
fn network_rows(network: &NetworkStatus) -> Vec<Vec<String>> {
    let head = [network.name.to_string(), list(network.table)];
    let mut rows: Vec<Vec<String>> = network
        .subnets
        .iter()
        .map(|subnet| {
            let values = [
                subnet.prefix.to_string(),
                list(subnet.gateway),
                list(subnet.dns),
            ];
            [String::new(), String::new()]
                .into_iter()
                .chain(values)
                .collect()
        })
        .collect();
    if rows.is_empty() {
        rows.push(vec![String::new(); 2]);
    }
    rows[0][..2].clone_from_slice(&head);
    rows
}

fn port_row(port: &PortStatus) -> Vec<String> {
    vec![
        port.id.to_string(),
        port.host_ifname.clone(),
        list(&port.network),
        list(&port.addresses),
        port.display_name.clone(),
        state(port),
    ]
}

/// The state of a port with its reasons, as the agent's introspect pages write it.
pub fn state(port: &PortStatus) -> String {
    let mut text = if port.active {
        "active".to_owned()
    } else {
        format!("inactive < {} >", port.reasons.join(" "))
    };
    if let Some(problem) = &port.problem {
        text.push_str(&format!(" ({problem})"));
    }
    text
}
