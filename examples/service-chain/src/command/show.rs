//! Plans as text for people: pure.

use contrail_core::service_chain::{Plan, Problem, State};

/// Every object that takes part, a line each, and what stands against the chain.
pub fn objects(plan: &Plan) -> String {
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
    text + &verdict(plan)
}

/// What `apply` would change, a line each, and what stands against it.
pub fn difference(plan: &Plan) -> String {
    changes(plan) + &verdict(plan)
}

/// What has been changed.
pub fn done(plan: &Plan) -> String {
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

fn verdict(plan: &Plan) -> String {
    let line = |problem: &Problem| format!("problem: {problem}\n");
    let problems: String = plan.problems.iter().map(line).collect();
    let notes: String = plan
        .notes
        .iter()
        .map(|note| format!("note: {note}\n"))
        .collect();
    let verdict = match (plan.problems.is_empty(), plan.changes.len()) {
        (false, _) => "cannot be applied",
        (true, 0) => "complete",
        (true, _) => "not applied, or not as it is described",
    };
    format!("{problems}{notes}chain {}: {verdict}\n", plan.chain)
}
