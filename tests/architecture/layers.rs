//! Imports against the layers, and modules outside of the feature that they are declared for.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::Layers;
use crate::resolve::{Meaning, resolve};
use crate::source::{ModulePath, Source};

/// The place of a module: the rank of its layer and the entry of the layer that it belongs to.
type Place<'a> = (usize, &'a [String]);

/// The entry that stands for a module: the module itself, or the nearest parent that is listed.
/// A parent whose children are listed stands for itself alone.
fn place<'a>(layers: &'a Layers, module: &[String]) -> Option<Place<'a>> {
    let entries = || {
        let ranked = layers.0.iter().enumerate();
        ranked.flat_map(|(rank, layer)| {
            layer
                .modules
                .iter()
                .map(move |entry| (rank, entry.as_slice()))
        })
    };
    let (rank, entry) = entries()
        .filter(|(_, entry)| module.starts_with(entry))
        .max_by_key(|(_, entry)| entry.len())?;
    let divided = entries().any(|(_, other)| other.len() > entry.len() && other.starts_with(entry));
    (entry.len() == module.len() || !divided).then_some((rank, entry))
}

fn shown(module: &[String]) -> String {
    module.join("::")
}

/// Imports of a higher layer or of a neighbour, and modules and layers without each other.
pub fn violations(source: &Source, layers: Option<&Layers>) -> Vec<String> {
    let Some(layers) = layers else {
        return vec![format!(
            "no block of layers for the crate of {}",
            source.name(0)
        )];
    };
    let mut findings = missing(source, layers);
    for (path, module) in &source.modules {
        let Some(own) = place(layers, path) else {
            continue; // the root, or reported above
        };
        for reference in &module.names.references {
            let (Meaning::Item(target) | Meaning::Module(target)) =
                resolve(source, path, &reference.path)
            else {
                continue;
            };
            // A parent passes the names of its children on, wherever they are.
            if reference.reexport && target.starts_with(path) {
                continue;
            }
            let Some(other) = place(layers, &target) else {
                continue;
            };
            let relation = match other.0.cmp(&own.0) {
                std::cmp::Ordering::Greater => "a higher layer",
                std::cmp::Ordering::Equal if other.1 != own.1 => "a neighbour in its layer",
                _ => continue,
            };
            findings.push(format!(
                "  {}:{}: `{}` imports `{}` from {relation}: {}",
                source.path(module),
                reference.line,
                shown(own.1),
                reference.path.join("::"),
                shown(other.1)
            ));
        }
    }
    findings.dedup();
    findings
}

fn missing(source: &Source, layers: &Layers) -> Vec<String> {
    let unlisted = source
        .modules
        .iter()
        .filter(|(path, _)| !path.is_empty() && place(layers, path).is_none())
        .map(|(path, module)| format!("  {}: `{}` has no layer", source.path(module), shown(path)));
    let listed = layers.0.iter().flat_map(|layer| &layer.modules);
    let unknown = listed
        .filter(|entry| !source.modules.contains_key(entry.as_slice()))
        .map(|entry| format!("  `{}` has a layer but no module", shown(entry)));
    unlisted.chain(unknown).collect()
}

/// Modules whose `cfg` is not the feature of their layer, or that the table in `lib.rs` misses.
pub fn ungated(source: &Source, layers: &Layers) -> Vec<String> {
    let root =
        std::fs::read_to_string(crate::workspace::root().join(&source.files[0].path)).unwrap();
    let mut findings = Vec::new();
    for layer in &layers.0 {
        for entry in &layer.modules {
            let Some(module) = source.modules.get(entry.as_slice()) else {
                continue; // reported with the layers
            };
            if module.feature != layer.feature {
                findings.push(format!(
                    "  `{}` is declared for {:?} and has the feature {:?}",
                    shown(entry),
                    layer.feature,
                    module.feature
                ));
            }
            let feature = layer
                .feature
                .as_ref()
                .map_or("none".to_string(), |f| format!("`{f}`"));
            if !is_in_row(&root, &feature, &entry[0]) {
                findings.push(format!(
                    "  lib.rs: no `{}` in the row of {feature}",
                    entry[0]
                ));
            }
        }
    }
    findings
}

/// Whether the table of features in the crate's documentation has a module in a row.
fn is_in_row(root: &str, feature: &str, module: &str) -> bool {
    let row = root
        .lines()
        .find(|line| line.starts_with(&format!("//! | {feature} |")));
    row.is_some_and(|row| row.contains(&format!("`{module}`")))
}

/// Imports of modules that the importer's feature does not bring in.
pub fn unimplied(source: &Source, features: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let feature_of = |path: &ModulePath| source.modules[path].feature.as_ref();
    let mut findings = Vec::new();
    for (path, module) in source.modules.iter().filter(|(path, _)| !path.is_empty()) {
        for reference in &module.names.references {
            let (Meaning::Item(target) | Meaning::Module(target)) =
                resolve(source, path, &reference.path)
            else {
                continue;
            };
            let Some(needed) = feature_of(&target) else {
                continue;
            };
            let own = module.feature.as_ref().and_then(|own| features.get(own));
            if !own.is_some_and(|own| own.contains(needed)) {
                findings.push(format!(
                    "  {}:{}: `{}` needs the feature {needed}",
                    source.path(module),
                    reference.line,
                    reference.path.join("::")
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn found(layers: &str, low: &'static str) -> Vec<String> {
        let text = format!("```text layers\nx\n{layers}\n```");
        let source = Source::of(&[
            (
                "lib.rs",
                "mod low; mod high; #[cfg(feature = \"f\")] mod gated; pub use high::H;",
            ),
            ("low.rs", low),
            (
                "high/mod.rs",
                "mod part; pub use part::P; use crate::low::L; pub struct H(L);",
            ),
            ("high/part.rs", "pub struct P;"),
            ("gated.rs", "pub struct G;"),
        ]);
        violations(&source, Document::parse(&text).unwrap().layers("x"))
    }

    const LAYERS: &str = "  low\n  high, gated";

    #[test]
    fn imports_of_lower_layers_are_free() {
        assert_eq!(found(LAYERS, "pub struct L;"), Vec::<String>::new());
    }

    #[test]
    fn an_import_of_a_higher_layer_is_found_through_a_reexport() {
        let found = found(LAYERS, "pub struct L;\nuse crate::{H, high::P};");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("low.rs:2: `low` imports `crate::H` from a higher layer: high"));
    }

    #[test]
    fn an_import_of_a_neighbour_is_found() {
        let found = found("  low, high, gated", "pub struct L;");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`high` imports `crate::low::L` from a neighbour"));
    }

    #[test]
    fn modules_and_layers_that_miss_each_other_are_found() {
        let found = found("  low\n  high, high::gone", "pub struct L;");
        let expected = [
            "`gated` has no layer",
            "`high::part` has no layer",
            "`high::gone` has a layer",
        ];
        for text in expected {
            assert!(
                found.iter().any(|finding| finding.contains(text)),
                "{text}: {found:?}"
            );
        }
        assert!(violations(&Source::of(&[("lib.rs", "")]), None)[0].contains("no block"));
    }

    #[test]
    fn features_are_compared_and_must_bring_in_what_is_imported() {
        let source = Source::of(&[
            (
                "lib.rs",
                "mod low; #[cfg(feature = \"f\")] mod high; #[cfg(feature = \"g\")] mod g;",
            ),
            ("low.rs", "use crate::high::H;"),
            ("high.rs", "pub struct H; use crate::g::G;"),
            ("g.rs", "use crate::high::H; pub struct G;"),
        ]);
        let set = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        let features = BTreeMap::from([
            ("f".to_string(), set(&["f"])),
            ("g".to_string(), set(&["g", "f"])),
        ]);
        let found = unimplied(&source, &features);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("high.rs:1: `crate::g::G` needs the feature g"));
        assert!(found[1].contains("low.rs:1: `crate::high::H` needs the feature f"));
    }

    #[test]
    fn the_table_of_features_is_read() {
        let root = "//! | none | [`a`] |\n//! | `x` | `b` |";
        assert!(is_in_row(root, "none", "a") && is_in_row(root, "`x`", "b"));
        assert!(!is_in_row(root, "none", "b") && !is_in_row(root, "`y`", "b"));
    }
}
