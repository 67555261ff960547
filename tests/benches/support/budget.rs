//! What an attachment may cost. The benchmark tells, it never fails: another machine is no defect.

use super::programs::{KERNEL, Operation, PLUGIN, REFERENCE};
use super::sample::{Case, Crowd, Spread};

/// In bytes, stripped.
const SIZE: f64 = 4e6;
/// In MiB.
const RSS: f64 = 6.0;

/// One limit: what it is about, what was measured, what is allowed.
struct Limit(&'static str, Option<f64>, f64);

pub fn of_case(case: &Case) -> String {
    let ratio = |to| ratio(case.wall(PLUGIN), case.wall(to));
    let requests = case.requests;
    let mut limits = vec![
        Limit("MiB", case.rss(PLUGIN).map(|rss| rss.median), RSS),
        Limit("requests for a token", Some(requests.keystone as f64), 0.0),
    ];
    match case.operation {
        Operation::Add => limits.extend([
            Limit("requests", Some(requests.api as f64), 6.0),
            Limit("deep", Some(requests.depth as f64), 3.0),
        ]),
        Operation::Del => limits.extend([
            // One asks whether it is a member of a service.
            Limit("requests", Some(requests.api as f64), 4.0),
            Limit("requests to the agent", Some(requests.agent as f64), 1.0),
        ]),
    }
    match case.operation {
        _ if !case.condition.is_quick() => {}
        Operation::Add => limits.extend([
            Limit("x kernel", ratio(KERNEL), 3.5),
            Limit("x ptp", ratio(REFERENCE), 0.5),
        ]),
        Operation::Del => limits.push(Limit("x kernel", ratio(KERNEL), 1.1)),
    }
    verdict(&limits)
}

pub fn of_crowd(crowd: &Crowd) -> String {
    let to_reference = ratio(crowd.wall(PLUGIN), crowd.wall(REFERENCE));
    match (crowd.operation, crowd.condition.is_quick()) {
        (Operation::Add, true) => verdict(&[Limit("x ptp", to_reference, 0.5)]),
        _ => String::new(),
    }
}

pub fn of_size(size: u64) -> String {
    verdict(&[Limit("MB", Some(size as f64 / 1e6), SIZE / 1e6)])
}

/// How many times as long the first takes as the second.
pub fn ratio(a: Option<Spread>, b: Option<Spread>) -> Option<f64> {
    Some(a?.median / b?.median)
}

fn verdict(limits: &[Limit]) -> String {
    let missed = limits.iter().filter_map(|Limit(what, measured, allowed)| {
        let measured = (*measured)?;
        (measured > *allowed).then(|| format!("{measured:.2} > {allowed} {what}"))
    });
    let missed: Vec<String> = missed.collect();
    match missed.is_empty() {
        true => "holds".to_owned(),
        false => format!("missed: {}", missed.join(", ")),
    }
}
