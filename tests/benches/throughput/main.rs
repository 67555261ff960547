//! What a service chain costs the packets: `cargo bench -p opencontrail-tests --bench throughput`, with
//! `-- --quick` for a short look.
//!
//! One TCP stream and single UDP packets there and back, by a plain veth pair, a bridge, a network of the
//! lab, and the walk-through's chain of two service instances, in turn and in one run. All of it is in
//! namespaces of its own, which go in the end.

#![allow(clippy::print_stdout)] // the table is for people

#[path = "../support/build.rs"]
mod build;
mod path;
mod traffic;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use contrail_lab::sandbox;
use path::{Chained, Path, Plain};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How much is measured.
struct Effort {
    rounds: usize,
    stream: Duration,
    packets: usize,
}

const FULL: Effort = Effort {
    rounds: 7,
    stream: Duration::from_secs(1),
    packets: 20_000,
};

const QUICK: Effort = Effort {
    rounds: 3,
    stream: Duration::from_millis(150),
    packets: 1_000,
};

fn main() -> Result<ExitCode> {
    let has = |flag: &str| env::args().any(|argument| argument == flag);
    if !has("--bench") {
        eprintln!("this is a benchmark: cargo bench -p opencontrail-tests --bench throughput");
        return Ok(ExitCode::SUCCESS);
    }
    if !sandbox::inside() {
        build::build("cni-opencontrail")?;
    }
    if let Some(code) = sandbox::reexec_if_needed()? {
        return Ok(code);
    }
    measure(&if has("--quick") { QUICK } else { FULL })?;
    Ok(ExitCode::SUCCESS)
}

/// The medians of one path.
struct Row<'a> {
    name: &'a str,
    gigabits: f64,
    round_trip: f64,
}

fn measure(effort: &Effort) -> Result<()> {
    let plain = Plain::new()?;
    let chained = Chained::new()?;
    let paths: Vec<&Path> = plain.paths().chain(chained.paths()).collect();
    let mut samples = vec![(Vec::new(), Vec::new()); paths.len()];
    for _ in 0..effort.rounds {
        for (path, (streams, packets)) in paths.iter().zip(&mut samples) {
            streams.push(traffic::gigabits(path, effort.stream)?);
            packets.push(traffic::round_trip(path, effort.packets)?);
        }
    }
    let rows = paths
        .iter()
        .zip(samples)
        .map(|(path, (streams, packets))| Row {
            name: path.name,
            gigabits: median(streams),
            round_trip: median(packets),
        });
    print(&rows.collect::<Vec<_>>());
    chained.end()
}

fn print(rows: &[Row<'_>]) {
    println!(
        "{:<34} {:>8} {:>7} {:>10} {:>7}",
        "", "Gbit/s", "x", "µs", "x"
    );
    let Some(first) = rows.first() else { return };
    for row in rows {
        println!(
            "{:<34} {:>8.1} {:>7.2} {:>10.1} {:>7.2}",
            row.name,
            row.gigabits,
            row.gigabits / first.gigabits,
            row.round_trip,
            row.round_trip / first.round_trip
        );
    }
    println!(
        "Gbit/s: one TCP stream; µs: a UDP packet of one byte there and back; medians; x: in terms of {}",
        first.name
    );
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
