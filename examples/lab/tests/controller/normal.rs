//! Objects without what the controller chooses freely: ids and times that it makes, numbers of networks and
//! of automatic route targets, the ids of chains, and the order of lists in which it means nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Objects by their type.
pub type Objects = BTreeMap<String, Vec<Value>>;

/// Fields that only the lab's answers have here, and numbers and hashes that mean nothing.
const DROPPED: [&str; 6] = [
    "id_perms",
    "perms2",
    "href",
    "parent_href",
    "virtual_network_network_id",
    "access_control_list_hash",
];

/// The first automatic route target.
const AUTOMATIC: u64 = 8_000_000;

/// The objects by type and name. `given` are ids that the client chose.
pub fn normal(objects: &Objects, given: &BTreeSet<String>) -> BTreeMap<String, Value> {
    let mut all = Vec::new();
    for (kind, objects) in objects {
        all.extend(objects.iter().map(|object| (kind.clone(), object.clone())));
    }
    let words = Words::of(&all, given);
    let mut found = BTreeMap::new();
    for (kind, object) in all {
        let object = words.spell(object);
        let name = format!("{kind} {}", joined(&object["fq_name"]));
        assert!(found.insert(name.clone(), object).is_none(), "{name} twice");
    }
    found
}

/// What stands for the words that the controller chose.
#[derive(Default)]
struct Words {
    /// The ids of chains, by the name of the first of their service instances.
    chains: BTreeMap<String, String>,
    /// Automatic route targets, by the routing instances that they are of.
    targets: BTreeMap<String, String>,
    /// Ids of objects, by the objects' names.
    ids: BTreeMap<String, String>,
}

impl Words {
    fn of(objects: &[(String, Value)], given: &BTreeSet<String>) -> Self {
        let mut words = Self::default();
        let mut services: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (_, object) in objects {
            each_text(object, &mut |text| {
                for (id, service) in chains_in(text) {
                    services.entry(id).or_default().insert(service);
                }
            });
        }
        for (id, services) in services {
            let first = services.first().unwrap();
            words.chains.insert(id, format!("<chain of {first}>"));
        }
        for (_, object) in objects
            .iter()
            .filter(|(kind, _)| kind == "routing-instances")
        {
            let refs = object["route_target_refs"].as_array().into_iter().flatten();
            for reference in refs.filter(|r| r["attr"]["import_export"].is_null()) {
                let target = reference["to"][0].as_str().unwrap();
                let number = target.rsplit(':').next().unwrap();
                if number.parse::<u64>().unwrap() >= AUTOMATIC {
                    let of = words.text(&joined(&object["fq_name"]));
                    words
                        .targets
                        .insert(target.into(), format!("<target of {of}>"));
                }
            }
        }
        for (_, object) in objects {
            let mut name = |id: &Value, name: &Value| {
                let id = id.as_str().unwrap();
                if !given.contains(id) {
                    let name = words.text(&joined(name));
                    words.ids.insert(id.to_owned(), format!("<id of {name}>"));
                }
            };
            name(&object["uuid"], &object["fq_name"]);
            each_reference(object, &mut |reference| {
                name(&reference["uuid"], &reference["to"])
            });
            if object["parent_type"] == "domain" {
                name(&object["parent_uuid"], &object["parent_type"]);
            }
        }
        words
    }

    fn spell(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => {
                let mut items: Vec<Value> =
                    items.into_iter().map(|item| self.spell(item)).collect();
                if items.iter().all(is_unordered) {
                    items.sort_by_cached_key(sorted);
                } else if items.iter().all(|item| item.get("ignore_acl").is_some()) {
                    // Those of an interface's own addresses come first, in any order.
                    items.sort_by_cached_key(|item| match item["ignore_acl"] == false {
                        true => sorted(item),
                        false => "~".into(),
                    });
                }
                Value::Array(items)
            }
            Value::Object(fields) => {
                let mut spelt = Map::new();
                for (name, value) in fields {
                    if name == "vlan_tag" && value.is_number() {
                        spelt.insert(name, "<tag>".into());
                    } else if !DROPPED.contains(&name.as_str()) {
                        spelt.insert(name, self.spell(value));
                    }
                }
                Value::Object(spelt)
            }
            other => other,
        }
    }

    fn text(&self, text: &str) -> String {
        if let Some(word) = self.targets.get(text).or_else(|| self.ids.get(text)) {
            return word.clone();
        }
        let mut text = text.to_owned();
        for (id, word) in &self.chains {
            text = text.replace(id, word);
        }
        text
    }
}

/// References, and objects of lists of them, have no order.
fn is_unordered(item: &Value) -> bool {
    item.get("to").is_some()
}

fn sorted(item: &Value) -> String {
    let mut item = item.clone();
    item.sort_all_objects();
    item.to_string()
}

fn joined(name: &Value) -> String {
    match name {
        Value::Array(parts) => {
            let parts: Vec<&str> = parts.iter().map(|part| part.as_str().unwrap()).collect();
            parts.join(":")
        }
        other => other.to_string(),
    }
}

fn each_text(value: &Value, act: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => act(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, act)),
        Value::Object(fields) => fields.values().for_each(|value| each_text(value, act)),
        _ => {}
    }
}

fn each_reference(value: &Value, act: &mut impl FnMut(&Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_reference(item, act)),
        Value::Object(fields) if fields.contains_key("to") && fields.contains_key("uuid") => {
            act(value)
        }
        Value::Object(fields) => fields.values().for_each(|value| each_reference(value, act)),
        _ => {}
    }
}

/// The chains whose names stand in a text, each with the service instance behind its id.
fn chains_in(text: &str) -> Vec<(String, String)> {
    const ID: usize = 36;
    let found = text.match_indices("service-").filter_map(|(at, before)| {
        let rest = &text[at + before.len()..];
        let (id, rest) = rest.split_at_checked(ID)?;
        let is_id = id.parse::<uuid::Uuid>().is_ok();
        let service = rest.strip_prefix('-').filter(|_| is_id)?;
        // The name of an address goes on behind that of the service instance.
        let service = service.trim_end_matches("-v4").trim_end_matches("-v6");
        Some((id.to_owned(), service.to_owned()))
    });
    found.collect()
}
