//! `contrail-lab vif`: the ports with their counters, in the spirit of a vRouter's `vif --list`.

use std::fmt::Write as _;

use super::client::Client;
use super::error::Result;
use super::options::Shown;
use super::print::{print, print_json};
use super::status::state;
use super::table::list;
use crate::dataplane::wire::ROUTER_MAC;
use crate::status::{PortStatus, Status};

/// Lists the ports of a running lab.
///
/// # Errors
/// When no lab of this name runs or it does not answer.
pub fn run(shown: &Shown) -> Result<()> {
    let status: Status = Client::of(&shown.lab)?.get("/status")?;
    if shown.json {
        return print_json(&status.ports);
    }
    let mut text = String::from("Vrouter Interface Table\n");
    for port in &status.ports {
        text.push_str(&entry(port));
    }
    print(&text)
}

fn entry(port: &PortStatus) -> String {
    let mut text = String::from("\n");
    let index = list(port.ifindex);
    let counters = &port.counters;
    let router = contrail_core::MacAddr(ROUTER_MAC);
    let name = format!("vif0/{index}");
    let _ = writeln!(
        text,
        "{name:<11} OS: {} (VMI {})",
        port.host_ifname, port.id
    );
    for line in [
        format!(
            "Type:Virtual HWaddr:{router} IPaddr:{}",
            list(&port.addresses)
        ),
        format!(
            "Vrf:{} VN:{} Peer HWaddr:{}",
            list(port.table),
            list(&port.network),
            port.mac
        ),
        format!("State:{}", state(port)),
        format!(
            "RX packets:{}  bytes:{}",
            counters.rx_packets, counters.rx_bytes
        ),
        format!(
            "TX packets:{}  bytes:{}",
            counters.tx_packets, counters.tx_bytes
        ),
    ] {
        let _ = writeln!(text, "{:<11} {line}", "");
    }
    text
}
