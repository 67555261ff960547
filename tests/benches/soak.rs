//! Nothing grows: `cargo bench -p opencontrail-tests --bench soak` attaches and detaches 10,000 containers
//! with each plugin, eight at a time; with `-- --quick` 400, with `-- --long` 40,000.
//!
//! The released programs serve a lab in namespaces of its own, which go in the end. It fails when
//! descriptors, links, files or objects are more in the end than at the first look, or the memory of the
//! Docker plugin is.

#![allow(clippy::print_stdout)] // the table is for people

#[path = "support/build.rs"]
mod build;

use std::env;
use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use contrail_lab::dataplane::Mode;
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::daemon::Program;
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{everything, lab_with, network};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PACKAGES: [&str; 2] = ["cnm-opencontrail", "cni-opencontrail"];

/// How many are attached at the same time.
const AT_ONCE: usize = 8;

/// How often is looked.
const LOOKS: usize = 5;

/// How much the memory may differ from one look to another, in MiB: the allocator keeps what it had.
const TOLERANCE: f64 = 1.0;

fn main() -> Result<ExitCode> {
    let has = |flag: &str| env::args().any(|argument| argument == flag);
    if !has("--bench") {
        eprintln!("this is a benchmark: cargo bench -p opencontrail-tests --bench soak");
        return Ok(ExitCode::SUCCESS);
    }
    if !sandbox::inside() {
        PACKAGES
            .iter()
            .try_for_each(|package| build::build(package))?;
    }
    if let Some(code) = sandbox::reexec_if_needed()? {
        return Ok(code);
    }
    let cycles = match (has("--quick"), has("--long")) {
        (true, _) => 400,
        (_, true) => 40_000,
        _ => 10_000,
    };
    let lab = lab_with(|options| options.data_plane = Mode::Off);
    println!(
        "{:<18} {:>8} {:>8} {:>12} {:>8} {:>16} {:>10}",
        "plugin", "cycles", "MiB", "descriptors", "things", "ms for a cycle", "at once"
    );
    let steady = [docker(&lab, cycles)?, cni(&lab, cycles)?];
    lab.stop()?;
    Ok(match steady.iter().all(|steady| *steady) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// What could grow.
struct Look {
    /// The memory of the daemon, in MiB.
    memory: f64,
    descriptors: usize,
    /// Links, files, objects and agent ports.
    things: usize,
}

impl Look {
    fn at(lab: &Lab, pid: Option<u32>) -> Result<Self> {
        let (mut memory, mut descriptors) = (0.0, 0);
        if let Some(pid) = pid {
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kibibytes = line.and_then(|line| line.split_whitespace().next());
            memory = kibibytes.ok_or("no VmRSS")?.parse::<f64>()? / 1024.0;
            descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
        }
        let things = everything(lab, &[]).len();
        Ok(Self {
            memory,
            descriptors,
            things,
        })
    }

    fn is_like(&self, first: &Self) -> bool {
        self.memory <= first.memory + TOLERANCE
            && self.descriptors <= first.descriptors
            && self.things == first.things
    }
}

/// Runs all cycles and looks in between; whether nothing has grown since the first look.
fn soak(
    plugin: &str,
    cycles: usize,
    look: impl Fn() -> Result<Look>,
    cycle: impl Fn(usize) -> Result<()> + Sync,
) -> Result<bool> {
    let mut looks = Vec::new();
    let part = cycles / LOOKS;
    for start in (0..cycles).step_by(part) {
        let started = Instant::now();
        thread::scope(|scope| -> Result<()> {
            let threads = (0..AT_ONCE).map(|first| {
                let cycle = &cycle;
                scope.spawn(move || {
                    let numbers = (start + first..start + part).step_by(AT_ONCE);
                    let mut done = numbers.map(|number| cycle(number).map_err(|e| e.to_string()));
                    done.find_map(std::result::Result::err)
                })
            });
            let threads: Vec<_> = threads.collect();
            for thread in threads {
                match thread.join() {
                    Ok(None) => {}
                    Ok(Some(error)) => return Err(error.into()),
                    Err(_) => return Err("a thread panicked".into()),
                }
            }
            Ok(())
        })?;
        let each = started.elapsed().as_secs_f64() * 1e3 / part as f64;
        let seen = look()?;
        println!(
            "{plugin:<18} {:>8} {:>8.1} {:>12} {:>8} {each:>16.1} {AT_ONCE:>10}",
            start + part,
            seen.memory,
            seen.descriptors,
            seen.things
        );
        looks.push(seen);
    }
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else {
        return Err("nothing was looked at".into());
    };
    Ok(last.is_like(first))
}

fn docker(lab: &Lab, cycles: usize) -> Result<bool> {
    let program = Program::start(&build::directory()?.join(PACKAGES[0]));
    program.create_large_network()?;
    let steady = soak(
        PACKAGES[0],
        cycles,
        || Look::at(lab, Some(program.pid())),
        |number| {
            program.connect(number)?;
            Ok(program.disconnect(number)?)
        },
    )?;
    program.call("DeleteNetwork", &json!({"NetworkID": "n1"}))?;
    Ok(steady)
}

fn cni(lab: &Lab, cycles: usize) -> Result<bool> {
    let netns = TestNetns::new("c")?;
    let path = netns.path().display().to_string();
    let configuration = network("net1", "10.1.0.0/16");
    let call = |command: &str, container: &str, ifname: &str| {
        Call::new(command, container, &path, &configuration)
            .with("CNI_IFNAME", ifname)
            .run()
            .ok();
    };
    // It keeps the network.
    call("ADD", "stays", "stays");
    let steady = soak(
        PACKAGES[1],
        cycles,
        || Look::at(lab, None),
        |number| {
            let (container, ifname) = (format!("c{number}"), format!("eth{number}"));
            call("ADD", &container, &ifname);
            call("DEL", &container, &ifname);
            Ok(())
        },
    )?;
    call("DEL", "stays", "stays");
    Ok(steady)
}
