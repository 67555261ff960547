//! The pages of the documentation: their blocks of commands, and the output that they promise.

use std::fs;
use std::path::{Path, PathBuf};

/// Printed between the steps of a page.
const NEXT: &str = "--- next step ---";

/// A page of the documentation.
#[derive(Debug)]
pub struct Page {
    /// Its path from the top of the repository.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A block of commands and the output that the page promises.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The commands.
    pub commands: &'a str,
    /// The lines of the block `text` that directly follows the commands; empty if there is none.
    pub promised: Vec<&'a str>,
}

/// The top of the repository.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// Every Markdown page of the repository, in the order of the paths.
///
/// # Panics
/// If a folder or a page cannot be read.
pub fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    collect(&root(), Path::new(""), &mut pages);
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    pages
}

fn collect(root: &Path, folder: &Path, pages: &mut Vec<Page>) {
    let entries = fs::read_dir(root.join(folder)).expect("a folder can be read");
    for entry in entries {
        let entry = entry.expect("an entry can be read");
        let path = folder.join(entry.file_name());
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let kind = entry.file_type().expect("an entry has a type");
        if kind.is_dir() && !hidden && path != Path::new("target") {
            collect(root, &path, pages);
        } else if kind.is_file() && path.extension().is_some_and(|e| e == "md") {
            let text = fs::read_to_string(root.join(&path)).expect("a page is text");
            pages.push(Page { path, text });
        }
    }
}

/// A page by its path.
///
/// # Panics
/// If it cannot be read.
pub fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("cannot read {path}: {e}"))
}

/// The blocks of shell commands after `<!-- marker -->`.
pub fn steps<'a>(text: &'a str, marker: &str) -> Vec<Step<'a>> {
    let marker = format!("<!-- {marker} -->\n```sh\n");
    let after = text.split(&marker).skip(1);
    after
        .map(|rest| {
            let (commands, rest) = rest.split_once("```\n").unwrap_or((rest, ""));
            let output = rest.strip_prefix("\n```text\n").unwrap_or_default();
            let output = output.split_once("```").map_or("", |(output, _)| output);
            Step {
                commands,
                promised: output.lines().collect(),
            }
        })
        .collect()
}

/// One script of all steps, which prints a mark between them and ends at the first failure.
pub fn script(steps: &[Step]) -> String {
    let commands: Vec<&str> = steps.iter().map(|step| step.commands).collect();
    let mark = format!("\necho\necho '{NEXT}'\n");
    format!("set -euo pipefail\n{}", commands.join(&mark))
}

/// The promised lines that the output of [`script`] does not have, with what was printed instead. Each
/// step prints its lines in their order; there may be others between them.
pub fn missing(steps: &[Step], printed: &str) -> Vec<String> {
    let parts: Vec<&str> = printed.split(NEXT).collect();
    if parts.len() != steps.len() {
        let (parts, steps) = (parts.len(), steps.len());
        return vec![format!("{parts} parts for {steps} steps in:\n{printed}")];
    }
    let missing = steps.iter().zip(parts).filter_map(|(step, printed)| {
        let mut lines = printed.lines();
        let mut promised = step.promised.iter();
        let absent = promised.find(|line| !lines.any(|printed| is_as(printed, line)))?;
        Some(format!("{absent}\n is not, or not there, in:\n{printed}"))
    });
    missing.collect()
}

/// Whether a line is as promised. `…` stands for anything, and a blank for any number of blanks.
pub fn is_as(line: &str, promised: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (line, promised) = (words(line), words(promised));
    let Some((first, open)) = promised.split_once('…') else {
        return line == promised;
    };
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let (between, last) = open.rsplit_once('…').unwrap_or(("", open));
    for part in between.split('…') {
        let Some(found) = rest.find(part) else {
            return false;
        };
        rest = &rest[found + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promised_line_may_leave_things_open() {
        for (line, promised) in [
            ("a  b", "a b"),
            ("2: eth0@if7: <UP> mtu 1500 qdisc", "… eth0@… mtu 1500 …"),
            ("{\"a\":1}", "{…}"),
            ("{[1,2],[3]}", "{…1…}"),
        ] {
            assert!(is_as(line, promised), "{promised}");
        }
        for (line, promised) in [("a b", "a"), ("a b", "… a"), ("mtu 1492 x", "… mtu 1500 …")]
        {
            assert!(!is_as(line, promised), "{promised}");
        }
    }

    #[test]
    fn the_output_of_a_step_directly_follows_its_commands() {
        let text = "<!-- run -->\n```sh\necho a\n```\n\n```text\na\n```\n\n\
            <!-- run -->\n```sh\necho b\n```\n\nThen:\n\n```text\nc\n```\n\n```sh\nno\n```\n";
        let steps = steps(text, "run");
        let promised: Vec<&[&str]> = steps.iter().map(|s| s.promised.as_slice()).collect();
        assert_eq!(promised, [&["a"][..], &[]]);
        assert_eq!(steps[1].commands, "echo b\n");
        assert!(missing(&steps, &format!("a\n{NEXT}\nb\n")).is_empty());
        assert_eq!(missing(&steps, &format!("x\n{NEXT}\nb\n")).len(), 1);
        assert_eq!(missing(&steps, "a\n").len(), 1);
    }
}
