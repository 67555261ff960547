//! Reports as text. Pure functions.

use contrail_core::service_chain::{Plan, Problem, State};

use super::report::Report;
use super::state;

/// All objects and legs, one line each, and the problems of the chain.
pub fn objects(report: &Report) -> String {
    let legs = report.state.as_ref().map(state::legs).unwrap_or_default();
    table(&report.plan) + &legs + &verdict(report)
}

fn table(plan: &Plan) -> String {
    let rows: Vec<[String; 4]> = plan
        .objects
        .iter()
        .map(|object| {
            let state = match (object.state, object.ours) {
                (State::Present, true) => "made here",
                (state, _) => state.as_str(),
            };
            [
                object.kind.to_owned(),
                object.name.clone(),
                state.to_owned(),
                object.detail.clone(),
            ]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for [kind, name, state, detail] in &rows {
        let [first, second, third] = widths;
        let line = format!("{kind:first$}  {name:second$}  {state:third$}  {detail}");
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// What `apply` would change and what is not built, one line each, and the problems of the chain.
pub fn difference(report: &Report) -> String {
    changes(&report.plan) + &broken(report) + &verdict(report)
}

/// The changes made, and what the controller has not built.
pub fn done(report: &Report) -> String {
    let Some(state) = &report.state else {
        return changed(&report.plan);
    };
    let (chain, verdict) = (&report.plan.chain, state::verdict(state));
    format!(
        "{}{}chain {chain}: {verdict}\n",
        changed(&report.plan),
        broken(report)
    )
}

fn broken(report: &Report) -> String {
    let state = report.state.as_ref();
    state.map(state::broken_legs).unwrap_or_default()
}

fn changed(plan: &Plan) -> String {
    let notes: String = plan
        .notes
        .iter()
        .map(|note| format!("note: {note}\n"))
        .collect();
    match plan.changes.is_empty() {
        true => format!("{notes}chain {}: nothing to change\n", plan.chain),
        false => format!("{}{notes}", changes(plan)),
    }
}

fn changes(plan: &Plan) -> String {
    let changes = plan.changes.iter();
    changes.map(|change| format!("{change}\n")).collect()
}

fn verdict(report: &Report) -> String {
    let plan = &report.plan;
    let line = |problem: &Problem| format!("problem: {problem}\n");
    let problems: String = plan.problems.iter().map(line).collect();
    let notes: String = plan
        .notes
        .iter()
        .map(|note| format!("note: {note}\n"))
        .collect();
    let verdict = match &report.state {
        Some(state) if plan.is_complete() => state::verdict(state),
        Some(_) if report.is_unbuilt() => "not as it is described, and not built",
        Some(_) => "not as it is described",
        None if plan.problems.is_empty() => "not applied",
        None => "cannot be applied",
    };
    format!("{problems}{notes}chain {}: {verdict}\n", plan.chain)
}
