//! `contrail-lab trace`: the path that a packet takes, hop by hop.

use std::process::ExitCode;

use clap::Args;

use super::client::Client;
use super::docker;
use super::error::Result;
use super::options::Shown;
use super::print::{print, print_json};
use super::table::{list, table};
use crate::dataplane::trace::End;
use crate::trace::{Protocol, Question, Trace, TracedHop};

/// Which packet, in which lab.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The source: an address, the name of a Docker container of one network, a name as `status` shows it, the id of a VM
    /// interface or its host end.
    source: String,
    /// The destination: the same.
    destination: String,
    /// icmp, tcp, udp, sctp or a number.
    #[arg(long, default_value = "icmp", value_name = "PROTOCOL")]
    protocol: Protocol,
    /// The port of the destination.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
    /// The port of the source.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    source_port: u16,
    #[command(flatten)]
    shown: Shown,
}

/// The exit code if the packet does not arrive.
const DROPPED: u8 = 1;

/// Shows the path of a packet in a running lab. The exit code tells whether it arrives.
///
/// # Errors
/// When no lab of this name runs, it does not answer, or it does not know an end.
pub fn run(options: Options) -> Result<ExitCode> {
    let question = Question {
        source: docker::resolve(options.source)?,
        destination: docker::resolve(options.destination)?,
        protocol: options.protocol,
        source_port: options.source_port,
        destination_port: options.port,
    };
    let lab = Client::of(&options.shown.lab)?;
    let trace: Trace = lab.ask("/trace", &question)?;
    match options.shown.json {
        true => print_json(&trace)?,
        false => print(&text(&trace))?,
    }
    Ok(match trace.end {
        End::Delivered | End::Router => ExitCode::SUCCESS,
        End::Dropped(_) => ExitCode::from(DROPPED),
    })
}

fn text(trace: &Trace) -> String {
    let rows: Vec<Vec<String>> = trace.hops.iter().map(row).collect();
    let heading = ["TTL", "", "INTERFACE", "NAME", "NETWORK", "SERVICE", "VRF"];
    let end = match &trace.end {
        End::Delivered => "delivered".to_owned(),
        End::Router => "the router itself answers".to_owned(),
        End::Dropped(reason) => format!("dropped: {reason}"),
    };
    format!(
        "{} to {}, protocol {}\n{}{end}\n",
        trace.source,
        trace.destination,
        trace.protocol,
        table(&heading, &rows)
    )
}

fn row(hop: &TracedHop) -> Vec<String> {
    vec![
        hop.ttl.to_string(),
        if hop.sent { "from" } else { "to" }.to_owned(),
        hop.host_ifname.clone(),
        hop.display_name.clone(),
        list(&hop.network),
        list(&hop.service),
        list(hop.table),
    ]
}
