//! What ADD and DEL cost, beside the bare work of the kernel and beside the reference plugins:
//! `cargo bench -p opencontrail-tests --bench attach`, with `-- --quick` for a first look.
//!
//! Everything runs in namespaces of its own and leaves nothing. All programs take turns, so that
//! whatever else the machine does hits all of them alike: look at the ratios first.

mod support;

use std::env;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use contrail_lab::dataplane::Mode;
use contrail_lab::lab::Lab;
use contrail_lab::sandbox;
use opencontrail_tests::world;
use support::installed;
use support::network::{self, DELAYS, NETWORKS};
use support::programs::{self, COUNT, Operation, PLUGIN, Programs};
use support::sample::{Case, Condition, Crowd};
use support::table;

/// How often everything is repeated.
struct Plan {
    alone: usize,
    crowds: usize,
}

const FULL: Plan = Plan {
    alone: 40,
    crowds: 7,
};
const QUICK: Plan = Plan {
    alone: 8,
    crowds: 2,
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let has = |flag: &str| env::args().any(|argument| argument == flag);
    if !has("--bench") {
        eprintln!("this is a benchmark: cargo bench -p opencontrail-tests --bench attach");
        return Ok(ExitCode::SUCCESS);
    }
    if !sandbox::inside() {
        installed::build("cni-opencontrail")?;
    }
    if let Some(code) = sandbox::reexec_if_needed()? {
        return Ok(code);
    }
    run(if has("--quick") { QUICK } else { FULL })?;
    Ok(ExitCode::SUCCESS)
}

fn run(plan: Plan) -> Result<(), Box<dyn Error>> {
    let programs = Programs::find()?;
    let mut cases = Vec::new();
    let mut crowds = Vec::new();
    // The agent of a lab that forwards answers when its packets flow; a real one answers at once,
    // as that of a lab that does not forward does.
    let lab = world::lab_with(|options| options.data_plane = Mode::Off);
    for networks in NETWORKS {
        network::make(networks)?;
        for delay in DELAYS {
            let condition = Condition::new(networks, delay);
            cases.extend(measure_alone(&lab, &programs, condition, plan.alone)?);
        }
    }
    for delay in DELAYS {
        let condition = Condition::new(NETWORKS[0], delay);
        crowds.extend(measure_crowd(&lab, &programs, condition, plan.crowds)?);
    }
    lab.stop()?;
    let lab = world::lab();
    network::make(NETWORKS[0])?;
    let forwarding = Condition {
        forwarding: true,
        ..Condition::new(NETWORKS[0], 0)
    };
    cases.extend(measure_alone(&lab, &programs, forwarding, plan.alone)?);
    lab.stop()?;
    let text = table::table(&programs.versions()?, &cases, &crowds);
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

/// Both operations of all programs in turn.
fn measure_alone(
    lab: &Lab,
    programs: &Programs,
    condition: Condition,
    repeat: usize,
) -> Result<[Case; 2], Box<dyn Error>> {
    eprintln!("{condition} …");
    let mut cases = Operation::BOTH.map(|operation| Case::new(operation, condition));
    let configuration = network::configuration(condition.networks);
    let slots = programs.slots(&configuration, 1)?;
    // Files are in the page cache and the token in its own before anything counts.
    for operation in Operation::BOTH {
        slots
            .iter()
            .flatten()
            .try_for_each(|slot| slot.run(operation).map(|_| ()))?;
    }
    for case in &mut cases {
        let call = || slots[PLUGIN][0].run(case.operation).map(|_| ());
        case.requests = network::requests(lab, call)?;
    }
    network::delay(lab, condition.delay);
    for round in 0..repeat {
        for case in &mut cases {
            for program in order(round) {
                for slot in &slots[program] {
                    case.samples[program].push(slot.run(case.operation)?);
                }
            }
        }
    }
    network::delay(lab, 0);
    Ok(cases)
}

/// The programs, another one first in each round: what one leaves behind in the caches and the
/// kernel is not always the same one's burden.
fn order(round: usize) -> impl Iterator<Item = usize> {
    (0..COUNT).map(move |i| (i + round) % COUNT)
}

/// Both operations of all programs in turn, in many namespaces at once.
fn measure_crowd(
    lab: &Lab,
    programs: &Programs,
    condition: Condition,
    repeat: usize,
) -> Result<[Crowd; 2], Box<dyn Error>> {
    eprintln!("{} at once, {condition} …", programs::CROWD);
    let mut crowds = Operation::BOTH.map(|operation| Crowd::new(operation, condition));
    let configuration = network::configuration(condition.networks);
    let slots = programs.slots(&configuration, programs::CROWD)?;
    network::delay(lab, condition.delay);
    for round in 0..repeat {
        for crowd in &mut crowds {
            for program in order(round).filter(|&program| !slots[program].is_empty()) {
                let time = programs::all_at_once(&slots[program], crowd.operation)?;
                crowd.times[program].push(time);
            }
        }
    }
    network::delay(lab, 0);
    Ok(crowds)
}
