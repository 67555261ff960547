//! Every relative link and anchor of the documentation leads somewhere.

use std::path::{Component, Path, PathBuf};

use opencontrail_tests::pages::{Page, pages, root};

/// The lines of a page outside of blocks of code.
fn prose(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let is_prose = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    };
    text.lines().filter(is_prose).collect()
}

/// The targets of the links `[text](target)` of a page; a link may go over the end of a line.
fn targets(text: &str) -> Vec<String> {
    let text = without_code(&prose(text).join("\n"));
    let after = text.split("](").skip(1);
    after
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect()
}

/// The text without what stands between backticks.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect()
}

/// The anchors of a page: those of its headings, as GitHub makes them, and those of `<a id="…">`.
fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in prose(text) {
        let heading = line.trim_start_matches('#');
        let level = line.len() - heading.len();
        if (1..=6).contains(&level) && heading.starts_with(' ') {
            let name = slug(heading.trim());
            let is_same = |other: &&String| {
                let number = other.strip_prefix(&name).and_then(|n| n.strip_prefix('-'));
                **other == name || number.is_some_and(|n| n.parse::<usize>().is_ok())
            };
            let earlier = found.iter().filter(is_same).count();
            found.push(match earlier {
                0 => name,
                number => format!("{name}-{number}"),
            });
        }
        let explicit = line.split("<a id=\"").skip(1);
        found.extend(explicit.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
    found
}

/// The anchor of a heading: lower case, punctuation dropped, `-` for each blank.
fn slug(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    let plain = heading.chars().filter(kept);
    plain
        .map(|c| if c == ' ' { '-' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

/// `folder/../file` as `file`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            other => normal.push(other),
        }
    }
    normal
}

/// What is wrong with a link of a page.
fn problem(page: &Page, target: &str, pages: &[Page]) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = match target.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (target, None),
    };
    let folder = page.path.parent().unwrap_or(Path::new(""));
    let path = match file {
        "" => page.path.clone(),
        file => normal(&folder.join(file)),
    };
    if !root().join(&path).exists() {
        return Some(format!("{} does not exist", path.display()));
    }
    let anchor = anchor?;
    let Some(other) = pages.iter().find(|page| page.path == path) else {
        return Some(format!("{} is not a page with anchors", path.display()));
    };
    let anchors = anchors(&other.text);
    (!anchors.iter().any(|known| known == anchor))
        .then(|| format!("{} has only {}", path.display(), anchors.join(", ")))
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut problems = Vec::new();
    let mut count = 0;
    for page in &pages {
        for target in targets(&page.text) {
            count += 1;
            if let Some(problem) = problem(page, &target, &pages) {
                problems.push(format!("{}: ({target}): {problem}", page.path.display()));
            }
        }
    }
    assert!(count > 50, "only {count} links: they are written otherwise");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn links_and_anchors_are_read_as_github_does() {
    let text = "# One `Two`: three\n\n[a](b.md#c), `[x](y)`\n![d\ne](f.svg)\n\n```sh\n# no\n[no](no)\n```\n\
        ## Same\n## Same\n### A `>` b\n| <a id=\"own\"></a>x |\n";
    assert_eq!(targets(text), ["b.md#c", "f.svg"]);
    assert_eq!(
        anchors(text),
        ["one-two-three", "same", "same-1", "a--b", "own"]
    );
}
