//! What the Docker plugin keeps in memory: `cargo bench -p opencontrail-tests --bench memory`, with
//! `-- --quick` for fewer endpoints.
//!
//! The released program serves a lab in namespaces of its own, which go in the end.

#![allow(clippy::print_stdout)] // the table is for people

#[path = "support/installed.rs"]
mod installed;

use std::env;
use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use contrail_lab::dataplane::Mode;
use contrail_lab::sandbox;
use opencontrail_tests::daemon::Program;
use opencontrail_tests::world;

const PACKAGE: &str = "cnm-opencontrail";

/// What the program may have in memory with all endpoints, in MiB.
const BUDGET: f64 = 16.0;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let has = |flag: &str| env::args().any(|argument| argument == flag);
    if !has("--bench") {
        eprintln!("this is a benchmark: cargo bench -p opencontrail-tests --bench memory");
        return Ok(ExitCode::SUCCESS);
    }
    if !sandbox::inside() {
        installed::build(PACKAGE)?;
    }
    if let Some(code) = sandbox::reexec_if_needed()? {
        return Ok(code);
    }
    measure(if has("--quick") { 50 } else { 1000 })?;
    Ok(ExitCode::SUCCESS)
}

fn measure(endpoints: usize) -> Result<(), Box<dyn Error>> {
    let lab = world::lab_with(|options| options.data_plane = Mode::Off);
    let program = Program::start(&installed::directory()?.join(PACKAGE));
    println!("{:<34} {:>8} {:>8}", "cnm-opencontrail", "MiB now", "most");
    print(&program, "idle")?;
    program.create_large_network()?;
    let started = Instant::now();
    for number in 0..endpoints {
        program.connect(number)?;
    }
    let each = started.elapsed().as_secs_f64() * 1e3 / endpoints as f64;
    let [loaded, _] = print(&program, &format!("{endpoints} endpoints, one by one"))?;
    for number in 0..endpoints {
        program.disconnect(number)?;
    }
    print(&program, "all of them gone")?;
    let verdict = match loaded <= BUDGET {
        true => "holds",
        false => "missed",
    };
    println!(
        "budget of {BUDGET} MiB with all endpoints: {verdict}; {each:.1} ms for each endpoint"
    );
    drop(program);
    Ok(lab.stop()?)
}

/// A row of the table: what the program has in memory, and the most that it has had.
fn print(program: &Program, when: &str) -> Result<[f64; 2], Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{}/status", program.pid()))?;
    let mebibytes = |key: &str| -> Result<f64, Box<dyn Error>> {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kibibytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kibibytes.ok_or(key)?.parse::<f64>()? / 1024.0)
    };
    let [now, most] = [mebibytes("VmRSS:")?, mebibytes("VmHWM:")?];
    println!("{when:<34} {now:>8.1} {most:>8.1}");
    Ok([now, most])
}
