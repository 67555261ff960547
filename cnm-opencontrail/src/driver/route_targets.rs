//! The route targets of a virtual network: given to it by the first Docker network, and expected by others.

use contrail_core::Error as CoreError;
use contrail_core::api::VirtualNetwork;
use serde_json::{Map, Value, json};

use super::network_options::Properties;
use crate::error::Result;

/// A list of route targets.
struct List {
    /// The option that asks for them.
    option: &'static str,
    /// The property of the virtual network.
    property: &'static str,
    asked: fn(&Properties) -> &[String],
}

const LISTS: [List; 3] = [
    List {
        option: "rt",
        property: "route_target_list",
        asked: |options| &options.route_targets,
    },
    List {
        option: "import-rt",
        property: "import_route_target_list",
        asked: |options| &options.imports,
    },
    List {
        option: "export-rt",
        property: "export_route_target_list",
        asked: |options| &options.exports,
    },
];

/// The properties that options ask for: only the lists that are not empty.
pub(super) fn changes(options: &Properties) -> Map<String, Value> {
    let lists = LISTS
        .iter()
        .map(|list| (list.property, (list.asked)(options)));
    let asked = lists.filter(|(_, targets)| !targets.is_empty());
    asked
        .map(|(property, targets)| (property.to_owned(), json!({ "route_target": targets })))
        .collect()
}

/// Gives the route targets to a virtual network that is going to be created.
pub(super) fn add_to(network: &mut VirtualNetwork, options: &Properties) {
    network.route_target_list.route_target = options.route_targets.clone();
    let others = changes(options).into_iter();
    let others = others.filter(|(property, _)| property != LISTS[0].property);
    network.rest.extend(others);
}

/// Checks that a virtual network that exists has the route targets that are asked for: it keeps its own.
///
/// # Errors
/// [`CoreError::Invalid`] with both lists.
pub(super) fn check(options: &Properties, network: &VirtualNetwork) -> Result<()> {
    for list in &LISTS {
        let (asked, known) = ((list.asked)(options), known(network, list.property));
        if asked.iter().any(|target| !known.contains(target)) {
            let name = &network.meta.fq_name;
            let known = match known.is_empty() {
                true => "none".to_owned(),
                false => known.join(", "),
            };
            let reason = format!(
                "virtual network {name} already exists and has {known}: leave the option out, or change the network"
            );
            let what = format!("option {}", list.option);
            return Err(CoreError::invalid(what, asked.join(", "), reason).into());
        }
    }
    Ok(())
}

fn known(network: &VirtualNetwork, property: &str) -> Vec<String> {
    if property == LISTS[0].property {
        return network.route_target_list.route_target.clone();
    }
    let list = network.rest.get(property);
    let targets = list.and_then(|list| list.get("route_target"));
    let targets = targets.and_then(|targets| targets.as_array());
    let texts = targets.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_gets_the_targets_and_has_them_then() {
        let asked = |target: &str| vec![format!("target:64512:{target}")];
        let options = Properties {
            route_targets: asked("1"),
            imports: asked("2"),
            exports: asked("3"),
            ..Properties::default()
        };
        let empty = json!({ "fq_name": ["d", "p", "n"] });
        let mut network: VirtualNetwork = serde_json::from_value(empty).unwrap();
        let error = check(&options, &network).unwrap_err().to_string();
        assert!(
            error.contains("option rt") && error.contains("has none"),
            "{error}"
        );
        add_to(&mut network, &options);
        check(&options, &network).unwrap();
        assert_eq!(changes(&options).len(), 3);
        assert_eq!(network.rest.len(), 2);
        let more = Properties {
            imports: asked("4"),
            ..Properties::default()
        };
        let error = check(&more, &network).unwrap_err().to_string();
        assert!(
            error.contains("option import-rt \"target:64512:4\""),
            "{error}"
        );
    }
}
