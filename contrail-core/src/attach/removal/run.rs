//! Running removal steps: in their order, at once where possible, past failures.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::owner::Proof;
use super::step::{Step, Turn};
use crate::attach::attacher::{Backend, Host};
use crate::attach::error::Error;
use crate::attach::unwind;
use crate::parallel;
use crate::values::Deadline;

/// A step that failed, and why.
#[derive(Debug)]
pub struct Failed {
    /// The step, to be tried again.
    pub step: Step,
    /// Why it failed.
    pub error: Error,
}

/// Runs the steps in their turns, those of one turn at once, and goes on past failures. A panic
/// fails its step alone: this may be running because of one. The objects of an interface that, by this proof,
/// another machine made are kept.
pub(crate) fn run(
    backend: &Backend,
    host: &Host,
    steps: Vec<Step>,
    proof: Proof,
    deadline: Deadline,
) -> Vec<Failed> {
    let asked = proof.asked(&steps);
    let run_in_parallel = |steps| run_in_parallel(backend, host, steps, deadline);
    let steps: BTreeSet<Step> = steps.into_iter().collect();
    let (links, others): (Vec<Step>, Vec<Step>) = steps
        .into_iter()
        .partition(|step| step.turn() == Turn::Beside);
    let (ports, mut objects): (Vec<Step>, Vec<Step>) = others
        .into_iter()
        .partition(|step| step.turn() == Turn::First);

    let (mut failed, owners) = parallel::both(
        || run_in_parallel(ports.clone()),
        || {
            parallel::map(asked.into_iter().collect(), |step| {
                owner(backend, host, step, proof, deadline)
            })
        },
    );
    let mut unknown: Vec<Step> = Vec::new();
    for owner in owners {
        match owner {
            Owner::This => {}
            Owner::Other(interface) => {
                log::warn!(
                    "kept VM interface {interface}: another machine of the same name made it; \
                     give each host a name of its own"
                );
                objects.retain(|step| !step.is_of_objects(interface));
            }
            Owner::Unknown(asked) => {
                objects.retain(|step| *step != asked.step);
                unknown.push(asked.step.clone());
                failed.push(asked);
            }
        }
    }
    let (failed_links, failed_objects) = parallel::both(
        || run_in_parallel(links.clone()),
        || {
            let mut failed: Vec<Failed> = Vec::new();
            let mut left = unknown;
            for round in objects.chunk_by(|a, b| a.turn() == b.turn()) {
                let must_wait = |step: &&Step| left.iter().any(|other| step.waits_for(other));
                let (waiting, possible): (Vec<&Step>, Vec<&Step>) =
                    round.iter().partition(must_wait);
                let now_failed = run_in_parallel(possible.into_iter().cloned().collect());
                left.extend(now_failed.iter().map(|failed| failed.step.clone()));
                left.extend(waiting.into_iter().cloned());
                failed.extend(now_failed);
            }
            failed
        },
    );
    failed.extend(failed_objects);
    failed.extend(failed_links);
    failed
}

/// Whose the objects are that a removal begins with.
enum Owner {
    This,
    Other(Uuid),
    /// The API did not tell.
    Unknown(Failed),
}

fn owner(backend: &Backend, host: &Host, step: Step, proof: Proof, deadline: Deadline) -> Owner {
    let Some(interface) = step.removes() else {
        return Owner::This;
    };
    let operation = || format!("asking whose VM interface {interface} is");
    let answer = unwind::caught(operation, || {
        proof.is_foreign(backend, host, interface, deadline)
    });
    match answer.and_then(|answer| answer) {
        Ok(false) => Owner::This,
        Ok(true) => Owner::Other(interface),
        Err(error) => Owner::Unknown(Failed {
            step,
            error: error.into(),
        }),
    }
}

/// What is left to do after `steps` were run: those that failed, and those that waited for them.
pub(crate) fn left_of(steps: &[Step], failed: &[Failed]) -> Vec<Step> {
    let steps: BTreeSet<&Step> = steps.iter().collect();
    let mut left: Vec<Step> = Vec::new();
    for step in steps {
        let has_failed = failed.iter().any(|failed| failed.step == *step);
        if has_failed || left.iter().any(|other| step.waits_for(other)) {
            left.push(step.clone());
        }
    }
    left
}

fn run_in_parallel(
    backend: &Backend,
    host: &Host,
    steps: Vec<Step>,
    deadline: Deadline,
) -> Vec<Failed> {
    let failed = parallel::map(steps, |step| {
        let operation = || format!("removing {step}");
        let outcome = unwind::caught(operation, || step.run(backend, host, deadline));
        let error = outcome.unwrap_or_else(|panic| Err(panic.into())).err()?;
        Some(Failed { step, error })
    });
    failed.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{Family, identity};

    #[test]
    fn what_waits_for_a_failed_step_is_left_with_it() {
        let (own, other) = (Uuid::from_u128(1 << 100), Uuid::from_u128(2 << 100));
        let failed = |step| Failed {
            step,
            error: crate::Error::missing("a", "b").into(),
        };
        let mut steps = Step::of_interface(own, &[Family::V4]);
        steps.extend(Step::of_interface(other, &[Family::V4]));
        steps.push(Step::Machine(own));
        let left = |step| left_of(&steps, &[failed(step)]);
        let networks = Step::Networks { interface: own };
        let after_interface = [Step::Interface(own), Step::Machine(own), networks.clone()];
        assert_eq!(left(Step::Interface(own)), after_interface);
        let service = Step::Service { interface: own };
        let ip = Step::InstanceIp(identity::instance_ip(own, Family::V4));
        let after_service = [&[service.clone(), ip][..], &after_interface].concat();
        assert_eq!(left(service), after_service);
        for alone in [Step::AgentPort(own), Step::Machine(own), networks] {
            assert_eq!(left(alone.clone()), [alone]);
        }
    }
}
