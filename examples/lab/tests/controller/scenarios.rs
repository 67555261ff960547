//! After the requests of a scenario the lab has the objects that the real controller had.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::fixtures::{Scenario, scenarios};
use crate::lab::Lab;
use crate::normal::{Objects, normal};

/// A difference that stays, and why.
#[derive(Deserialize)]
struct Known {
    scenario: String,
    object: String,
    reason: String,
}

/// More than so many differences are not to stay.
const MOST: usize = 5;

#[test]
fn the_lab_has_the_objects_that_the_recorded_controller_had() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/controller-differences.json");
    let known: Vec<Known> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(known.len() <= MOST);
    assert!(known.iter().all(|known| !known.reason.is_empty()));
    let known: BTreeSet<(String, String)> = known
        .into_iter()
        .map(|known| (known.scenario, known.object))
        .collect();
    let scenarios = scenarios();
    let mut found = BTreeMap::new();
    for scenario in &scenarios {
        for (object, difference) in differences(scenario) {
            found.insert((scenario.name.clone(), object), difference);
        }
    }
    println!(
        "{} scenarios, {} objects differ",
        scenarios.len(),
        found.len()
    );
    let new = found.iter().filter(|(key, _)| !known.contains(*key));
    let new: Vec<String> = new
        .map(|((scenario, object), text)| format!("{scenario}: {object}: {text}"))
        .collect();
    assert!(new.is_empty(), "{}", new.join("\n"));
    let gone: Vec<_> = known
        .iter()
        .filter(|key| !found.contains_key(*key))
        .collect();
    assert!(gone.is_empty(), "no longer different: {gone:?}");
}

/// The objects that differ, each with the first difference.
fn differences(scenario: &Scenario) -> Vec<(String, String)> {
    let lab = Lab::new();
    scenario.requests.iter().for_each(|sent| lab.send(sent));
    let given = scenario
        .requests
        .iter()
        .flat_map(|sent| given(sent.body.as_ref()));
    let given: BTreeSet<String> = given.collect();
    let recorded: Objects = serde_json::from_value(scenario.state_after.clone()).unwrap();
    let kinds = recorded
        .keys()
        .map(|kind| (kind.clone(), of_project(&lab, kind)));
    let (recorded, found) = (normal(&recorded, &given), normal(&kinds.collect(), &given));
    let mut names: BTreeSet<&String> = recorded.keys().collect();
    names.extend(found.keys());
    let compared = names.into_iter().filter_map(|name| {
        let difference = match (recorded.get(name), found.get(name)) {
            (Some(recorded), Some(found)) => difference("", recorded, found)?,
            (Some(_), None) => "missing".into(),
            _ => "extra".into(),
        };
        Some((name.clone(), difference))
    });
    compared.collect()
}

/// The id that a request gives to what it makes.
fn given(body: Option<&Value>) -> Option<String> {
    let object = body?.as_object()?.values().next()?;
    object.get("uuid")?.as_str().map(str::to_owned)
}

/// The objects of a type that a scenario can have made.
fn of_project(lab: &Lab, kinds: &str) -> Vec<Value> {
    let kind = kinds.strip_suffix('s').unwrap();
    let mut objects = lab.all(kind);
    objects.retain(|object| match kind {
        "virtual-network" | "routing-instance" | "access-control-list" => {
            object["fq_name"][1] == "admin"
        }
        "route-target" => {
            let users = object["routing_instance_back_refs"].as_array();
            users
                .into_iter()
                .flatten()
                .any(|user| user["to"][1] == "admin")
        }
        _ => true,
    });
    objects
}

/// The first difference of two values.
fn difference(path: &str, recorded: &Value, found: &Value) -> Option<String> {
    match (recorded, found) {
        (Value::Object(fields), Value::Object(others)) => {
            let mut names: BTreeSet<&String> = fields.keys().collect();
            names.extend(others.keys());
            names.into_iter().find_map(|name| {
                let path = format!("{path}.{name}");
                match (fields.get(name), others.get(name)) {
                    (Some(recorded), Some(found)) => difference(&path, recorded, found),
                    (Some(recorded), None) => Some(format!("{path}: {recorded} is missing")),
                    (_, found) => Some(format!("{path}: {found:?} is extra")),
                }
            })
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            let mut pairs = items.iter().zip(others).enumerate();
            pairs.find_map(|(at, (recorded, found))| {
                difference(&format!("{path}[{at}]"), recorded, found)
            })
        }
        _ if recorded == found => None,
        _ => Some(format!("{path}: {recorded} was recorded, not {found}")),
    }
}
