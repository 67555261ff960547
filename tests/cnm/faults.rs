//! Every request that the calls of an engine make, hit by every kind of fault: the engine gets an answer in
//! time, and when it has taken away what it knows of, nothing is left.

use std::time::{Duration, Instant};

use contrail_lab::faults::Rule;
use contrail_lab::http::ServiceName::{self, Agent, ConfigApi};
use contrail_lab::lab::Lab;
use contrail_lab::sandbox;
use opencontrail_tests::faults;
use opencontrail_tests::strikes;
use opencontrail_tests::wait_for;
use opencontrail_tests::world::{everything, fault, lab};

use crate::engine::Engine;
use crate::life::Life;

/// How long a call may take: short timeouts keep the test short, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(12);

/// How many requests a call sends to a service.
fn requests(lab: &Lab, service: ServiceName, call: impl FnOnce()) -> u32 {
    lab.request_log().reset();
    call();
    let entries = lab.request_log().entries();
    let of = entries.iter().filter(|entry| entry.service == service);
    of.count() as u32
}

/// What became of the cases of a matrix.
#[derive(Debug, Default)]
struct Counts {
    cases: u32,
    /// The call worked all the same.
    worked: u32,
    /// The call failed, and nothing was left when the engine had taken away what it knew of.
    clean: u32,
    /// Something was left for the plugin to finish by itself.
    finished_later: u32,
}

/// Strikes each request of each call of a life, one request or all from it on.
fn matrix(life: &Life, service: ServiceName, once: bool) {
    let lab = lab();
    let mut counts = Counts::default();
    let engine = Engine::impatient("2", "1");
    life.until(&engine, life.0.len());
    let before = everything(&lab, &[]);
    for (place, step) in life.0.iter().enumerate() {
        life.until(&engine, place);
        let call = || engine.call(step.method, step.arguments.clone());
        let count = requests(&lab, service, || drop(call().unwrap()));
        life.after(&engine, place, true);
        for action in faults::all() {
            for skip in 0..count {
                let rule = Rule {
                    skip,
                    count: once.then_some(1),
                    ..fault(service, "", "", action.clone())
                };
                life.until(&engine, place);
                lab.faults().add(rule.clone());
                let started = Instant::now();
                let answer = call();
                let time = started.elapsed();
                lab.faults().clear();
                let case = || format!("{} struck by {rule:?}: {answer:?}", step.method);
                assert!(time < PATIENCE, "{time:?}: {}", case());
                life.after(&engine, place, answer.is_ok());
                let left = || -> Vec<String> {
                    let after = everything(&lab, &[]);
                    after.symmetric_difference(&before).cloned().collect()
                };
                counts.cases += 1;
                counts.worked += u32::from(answer.is_ok());
                if left().is_empty() {
                    counts.clean += u32::from(answer.is_err());
                } else {
                    counts.finished_later += 1;
                    // What fails again is left alone for a while.
                    wait_for(
                        &format!("nothing left of {}: {:#?}", case(), left()),
                        || {
                            engine.tidy();
                            left().is_empty()
                        },
                    );
                }
            }
        }
    }
    let lasting = if once { "once" } else { "from then on" };
    let Counts {
        cases,
        worked,
        clean,
        finished_later,
    } = counts;
    sandbox::note(&format!(
        "Docker plugin, life of {} calls, {service:?} faulty {lasting}: {cases} cases, {worked} worked all the \
         same, {clean} failed and left nothing, {finished_later} were finished by the plugin itself",
        life.0.len()
    ));
}

strikes! {
    a_faulty_api_once: matrix(&Life::of_docker(), ConfigApi, true);
    a_faulty_api_that_stays_so: matrix(&Life::of_docker(), ConfigApi, false);
    a_faulty_agent_once: matrix(&Life::of_docker(), Agent, true);
    a_faulty_agent_that_stays_so: matrix(&Life::of_docker(), Agent, false);
    a_faulty_api_once_for_a_member: matrix(&Life::of_member(), ConfigApi, true);
    a_faulty_api_that_stays_so_for_a_member: matrix(&Life::of_member(), ConfigApi, false);
    a_faulty_api_once_with_both_drivers: matrix(&Life::of_both(), ConfigApi, true);
    a_faulty_api_that_stays_so_with_both_drivers: matrix(&Life::of_both(), ConfigApi, false);
    a_faulty_agent_once_with_both_drivers: matrix(&Life::of_both(), Agent, true);
    a_faulty_agent_that_stays_so_with_both_drivers: matrix(&Life::of_both(), Agent, false);
}
