//! What ARCHITECTURE.md declares: fenced blocks ```` ```text crates ````, `layers` and `seams`.

use std::collections::{BTreeMap, BTreeSet};

/// The packages that each package may depend on.
pub type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// The layers of one library or program, lowest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Layers(pub Vec<Layer>);

/// Modules that are equal in rank and do not import each other.
#[derive(Debug, PartialEq, Eq)]
pub struct Layer {
    pub modules: Vec<Vec<String>>,
    /// The feature that the modules need.
    pub feature: Option<String>,
}

/// An outside crate that only some modules of a target may name.
#[derive(Debug, PartialEq, Eq)]
pub struct Seam {
    pub krate: String,
    pub target: String,
    pub modules: Vec<Vec<String>>,
}

/// The declarations.
#[derive(Debug, Default)]
pub struct Document {
    layers: BTreeMap<String, Layers>,
    dependencies: Dependencies,
    seams: Vec<Seam>,
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

fn modules(text: &str) -> Vec<Vec<String>> {
    let path = |name: &str| name.split("::").map(str::to_string).collect();
    list(text).map(path).collect()
}

/// The lines of the fenced blocks with this name, comments cut off.
fn blocks<'a>(text: &'a str, name: &str) -> Vec<Vec<&'a str>> {
    let fence = format!("```text {name}");
    let mut lines = text.lines();
    let mut found = Vec::new();
    while lines.by_ref().any(|line| line == fence) {
        let block = lines.by_ref().take_while(|line| *line != "```");
        let cut = |line: &'a str| line.split(" #").next().unwrap_or_default().trim_end();
        found.push(block.map(cut).filter(|line| !line.is_empty()).collect());
    }
    found
}

impl Document {
    /// Reads the blocks.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut document = Self::default();
        for block in blocks(text, "layers") {
            let (target, lines) = block.split_first().ok_or("an empty block of layers")?;
            let layers = layers(lines)?;
            if document.layers.insert(target.to_string(), layers).is_some() {
                return Err(format!("two blocks of layers for {target}"));
            }
        }
        for line in blocks(text, "crates").concat() {
            let (name, allowed) = line
                .split_once("->")
                .ok_or(format!("no `->` in {line:?}"))?;
            let allowed = list(allowed).map(str::to_string).collect();
            document
                .dependencies
                .insert(name.trim().to_string(), allowed);
        }
        for line in blocks(text, "seams").concat() {
            let seam = seam(line).ok_or(format!("{line:?} is not `crate in target: modules`"))?;
            document.seams.push(seam);
        }
        Ok(document)
    }

    /// The layers of a library or program.
    pub fn layers(&self, target: &str) -> Option<&Layers> {
        self.layers.get(target)
    }

    /// Who may depend on whom.
    pub fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }

    /// The crates that have one place.
    pub fn seams(&self) -> &[Seam] {
        assert!(!self.seams.is_empty(), "no block of seams");
        &self.seams
    }
}

fn layers(lines: &[&str]) -> Result<Layers, String> {
    let mut feature = None;
    let mut layers = Layers::default();
    for line in lines {
        if let Some(name) = line.strip_prefix("feature ") {
            feature = Some(name.trim().to_string());
        } else if line.starts_with("  ") {
            let (modules, feature) = (modules(line), feature.clone());
            layers.0.push(Layer { modules, feature });
        } else {
            return Err(format!(
                "{line:?} is neither a feature nor an indented layer"
            ));
        }
    }
    Ok(layers)
}

fn seam(line: &str) -> Option<Seam> {
    let (krate, rest) = line.split_once(" in ")?;
    let (target, places) = rest.split_once(':')?;
    Some(Seam {
        krate: krate.trim().to_string(),
        target: target.trim().to_string(),
        modules: modules(places),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Layers\n\n```text layers\nmain\n  a, b::c   # lowest\nfeature x\n  d\n```\n\
        ```text crates\none ->\ntwo -> one\n```\n```text seams\nureq in main: a, d\n```\n";

    #[test]
    fn blocks_are_read() {
        let document = Document::parse(TEXT).unwrap();
        let layers = &document.layers("main").unwrap().0;
        assert_eq!(layers[0].modules, [vec!["a"], vec!["b", "c"]]);
        assert_eq!(
            (&layers[0].feature, layers[1].feature.as_deref()),
            (&None, Some("x"))
        );
        assert!(document.dependencies()["one"].is_empty());
        assert!(document.dependencies()["two"].contains("one"));
        assert_eq!(document.seams()[0].modules, [["a"], ["d"]]);
        assert!(document.layers("other").is_none());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (block, fault) in [
            ("layers\nmain\nx", "neither a feature"),
            ("crates\none two", "no `->`"),
            ("seams\nureq", "is not"),
        ] {
            let text = format!("```text {block}\n```");
            let error = Document::parse(&text).unwrap_err();
            assert!(error.contains(fault), "{error}");
        }
        assert!(
            Document::parse(&format!("{TEXT}{TEXT}")).is_err(),
            "a second block"
        );
    }
}
