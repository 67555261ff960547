//! What Cargo knows of the workspace: targets, dependencies between its packages, features.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::document::Dependencies;
use crate::source::Source;

/// The directory of the workspace.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_path_buf()
}

/// The output of `cargo metadata`.
pub struct Workspace {
    packages: Vec<Value>,
}

/// A library or a program.
pub struct Target {
    pub name: String,
    pub source: Source,
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap()
}

impl Workspace {
    /// Asks Cargo.
    pub fn read() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
            .current_dir(root())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo metadata: {errors}");
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = array(&metadata, "packages").to_vec();
        Self { packages }
    }

    /// The libraries and programs of these packages; a package that does not exist has none.
    pub fn targets(&self, packages: &[&str]) -> Vec<Target> {
        self.packages
            .iter()
            .filter(|package| packages.contains(&text(package, "name")))
            .flat_map(|package| array(package, "targets"))
            .filter(|target| {
                let kinds = array(target, "kind");
                kinds.iter().any(|kind| kind == "lib" || kind == "bin")
            })
            .map(|target| Target {
                name: text(target, "name").replace('_', "-"),
                source: Source::read(Path::new(text(target, "src_path")), &root()).unwrap(),
            })
            .filter(|target| target.source.files.len() > 1) // a `main.rs` alone has no layers
            .collect()
    }

    /// The target of this name.
    pub fn target(&self, name: &str) -> Target {
        let mut targets = self.targets(&[name]);
        targets.retain(|target| target.name == name);
        assert_eq!(targets.len(), 1, "targets named {name}");
        targets.remove(0)
    }

    /// Each feature of a package with those that it enables, itself included.
    pub fn features(&self, package: &str) -> BTreeMap<String, BTreeSet<String>> {
        let found = self.packages.iter().find(|p| text(p, "name") == package);
        let features = found.unwrap()["features"].as_object().unwrap();
        let closure = |name: &String| {
            let mut enabled = BTreeSet::from([name.clone()]);
            let mut next = vec![name.clone()];
            while let Some(name) = next.pop() {
                for implied in features[&name].as_array().unwrap() {
                    let implied = implied.as_str().unwrap().to_string();
                    if features.contains_key(&implied) && enabled.insert(implied.clone()) {
                        next.push(implied);
                    }
                }
            }
            enabled
        };
        features
            .keys()
            .map(|name| (name.clone(), closure(name)))
            .collect()
    }

    /// Dependencies on packages of this workspace that are not allowed. Those for tests are free.
    pub fn dependencies_against(&self, allowed: &Dependencies) -> Vec<String> {
        let names: BTreeSet<&str> = self.packages.iter().map(|p| text(p, "name")).collect();
        let mut findings = Vec::new();
        for package in &self.packages {
            let name = text(package, "name");
            let Some(allowed) = allowed.get(name) else {
                findings.push(format!("{name} is missing in the table of crates"));
                continue;
            };
            let used = array(package, "dependencies")
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| text(dependency, "name"))
                .filter(|used| names.contains(used) && !allowed.contains(*used));
            findings.extend(used.map(|used| format!("{name} must not depend on {used}")));
        }
        findings
    }
}
