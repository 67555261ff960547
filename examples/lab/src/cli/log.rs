//! `contrail-lab log`: the requests that a lab has served.

use std::collections::BTreeMap;

use contrail_core::error::counted;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::Result;
use super::options::Shown;
use super::print::{print, print_json};
use super::table::table;
use crate::http::ServiceName;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    shown: Shown,
    /// Forget all requests afterwards.
    #[arg(long)]
    reset: bool,
}

/// What the control endpoint answers.
#[derive(Debug, Serialize, Deserialize)]
struct Log {
    requests: Vec<Entry>,
    counts: BTreeMap<String, usize>,
    serial_depth: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    service: ServiceName,
    method: String,
    path: String,
    status: u16,
    start: u64,
    end: u64,
    connection: u64,
}

/// Shows the log of a running lab, and resets it if asked to.
///
/// # Errors
/// When no lab of this name runs or it does not answer.
pub fn run(options: &Options) -> Result<()> {
    let client = Client::of(&options.shown.lab)?;
    let log: Log = client.get("/log")?;
    if options.reset {
        client.delete("/log")?;
    }
    if options.shown.json {
        print_json(&log)
    } else {
        print(&text(&log))
    }
}

fn text(log: &Log) -> String {
    let milliseconds = |micros: u64| format!("{}.{:03}", micros / 1000, micros % 1000);
    let rows: Vec<Vec<String>> = log
        .requests
        .iter()
        .map(|entry| {
            vec![
                milliseconds(entry.start),
                milliseconds(entry.end.saturating_sub(entry.start)),
                entry.service.to_string(),
                entry.status.to_string(),
                entry.method.clone(),
                entry.path.clone(),
            ]
        })
        .collect();
    let mut text = table(
        &["START/ms", "TOOK/ms", "SERVICE", "STATUS", "METHOD", "PATH"],
        &rows,
    );
    text.push_str(&format!(
        "\n{}, serial depth {}\n",
        counted(log.requests.len(), "request"),
        log.serial_depth
    ));
    for (key, count) in &log.counts {
        text.push_str(&format!("{count:>7} {key}\n"));
    }
    text
}
