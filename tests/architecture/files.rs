//! Lengths of files, and links from a document.

use std::fs;
use std::path::{Path, PathBuf};

const LONGEST: usize = 400;

/// Source and text of the project: no build output, nothing hidden, no symbolic links.
fn texts(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().filter_map(Result::ok) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        let extension = path.extension().unwrap_or_default();
        if kind.is_dir() {
            texts(&path, found);
        } else if kind.is_file() && (extension == "rs" || extension == "md") {
            found.push(path);
        }
    }
}

/// Files with more lines than people read at once. The history may be as long as it gets.
pub fn long(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    texts(root, &mut found);
    assert!(found.len() > 10, "no files in {}", root.display());
    let lines = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count();
    found
        .iter()
        .filter(|path| !path.ends_with("CHANGELOG.md"))
        .map(|path| (path, lines(path)))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| {
            format!(
                "  {}: {lines} lines",
                path.strip_prefix(root).unwrap().display()
            )
        })
        .collect()
}

/// The targets of links to files.
pub fn links(text: &str) -> Vec<&str> {
    let parts = text.split("](").skip(1);
    parts
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}

/// The links that lead to no file or directory.
pub fn broken_links(text: &str, root: &Path) -> Vec<String> {
    links(text)
        .into_iter()
        .filter(|target| !root.join(target).exists())
        .map(|target| format!("  {target} does not exist"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let dir = tempfile::tempdir().unwrap();
        for (name, lines) in [
            ("short.rs", 400),
            ("long.rs", 401),
            ("CHANGELOG.md", 500),
            ("x.json", 500),
        ] {
            fs::write(dir.path().join(name), "\n".repeat(lines)).unwrap();
        }
        for n in 0..10 {
            fs::write(dir.path().join(format!("{n}.md")), "").unwrap();
        }
        assert_eq!(long(dir.path()), ["  long.rs: 401 lines"]);
    }

    #[test]
    fn a_broken_link_is_found() {
        let text = "[a](tests/x) [b](https://x/y) [c](Cargo.toml#z) [d](#here)";
        assert_eq!(links(text), ["tests/x", "Cargo.toml"]);
        let root = crate::workspace::root();
        assert_eq!(broken_links(text, &root), ["  tests/x does not exist"]);
    }
}
