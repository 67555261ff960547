//! Circles of imports between the files of a crate.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::resolve::{Meaning, resolve};
use crate::source::Source;

/// An import of one file from another: where, and what is written there.
type Imports = BTreeMap<(usize, usize), String>;

/// The first import of each file from each other. A re-export passes a name on and needs nothing
/// of it; a module that is named without anything in it is not needed either.
fn imports(source: &Source) -> Imports {
    let mut found = Imports::new();
    for (path, module) in &source.modules {
        for reference in &module.names.references {
            let target = match resolve(source, path, &reference.path) {
                Meaning::Item(target) => target,
                Meaning::Module(target) if reference.glob => target,
                Meaning::Module(_) | Meaning::External => continue,
            };
            let target = source.modules[&target].file;
            if target != module.file && !reference.reexport {
                let place = format!(
                    "{}:{}: {}",
                    source.name(module.file),
                    reference.line,
                    reference.path.join("::")
                );
                found.entry((module.file, target)).or_insert(place);
            }
        }
    }
    found
}

/// The shortest ways from a file to those that it reaches by at least one import: each with the file
/// before it.
fn reach(imports: &Imports, start: usize) -> BTreeMap<usize, usize> {
    let mut before = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(from) = next.pop_front() {
        for &(_, to) in imports
            .range((from, 0)..(from + 1, 0))
            .map(|(edge, _)| edge)
        {
            before.entry(to).or_insert_with(|| {
                next.push_back(to);
                from
            });
        }
    }
    before
}

/// The files of the shortest circle through a file that reaches itself.
fn circle(before: &BTreeMap<usize, usize>, start: usize) -> Vec<usize> {
    let mut circle = vec![start];
    let mut at = before[&start];
    while at != start {
        circle.insert(1, at);
        at = before[&at];
    }
    circle
}

/// A message for each group of files that reach each other: a shortest circle of the group, import
/// by import, and the files.
pub fn circles(source: &Source) -> Vec<String> {
    let imports = imports(source);
    let files = 0..source.files.len();
    let reached: Vec<BTreeMap<usize, usize>> = files.map(|file| reach(&imports, file)).collect();
    let group_of = |file: usize| -> BTreeSet<usize> {
        let others = reached[file].keys().copied();
        others
            .filter(|&other| reached[other].contains_key(&file))
            .collect()
    };
    let groups: BTreeSet<BTreeSet<usize>> = (0..source.files.len()).map(group_of).collect();
    groups
        .iter()
        .filter_map(|group| {
            let circles = group.iter().map(|&file| circle(&reached[file], file));
            let shortest = circles.min_by_key(Vec::len)?;
            Some(describe(source, &imports, group, &shortest))
        })
        .collect()
}

fn describe(
    source: &Source,
    imports: &Imports,
    group: &BTreeSet<usize>,
    circle: &[usize],
) -> String {
    let next = circle.iter().skip(1).chain(circle.first());
    let lines: Vec<String> = circle
        .iter()
        .zip(next)
        .map(|(&from, &to)| format!("    {} -> {}", imports[&(from, to)], source.name(to)))
        .collect();
    let names: Vec<String> = group.iter().map(|&file| source.name(file)).collect();
    format!(
        "  {} files reach each other: {}\n  a shortest circle:\n{}",
        names.len(),
        names.join(", "),
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_found_and_shown() {
        let source = Source::of(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "pub struct B;\n\nfn f() { crate::c::C::new() }"),
            ("c.rs", "pub struct C(Vec<super::a::A>);"),
        ]);
        let found = circles(&source);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("3 files"), "{}", found[0]);
        assert!(
            found[0].contains("b.rs:3: crate::c::C::new -> c.rs"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn a_parent_that_only_gathers_its_children_is_no_circle() {
        let files = |root: &'static str| {
            Source::of(&[
                ("lib.rs", "mod m;"),
                ("m/mod.rs", root),
                ("m/a.rs", "use super::B; pub struct A(B);"),
                ("m/b.rs", "pub struct B;"),
            ])
        };
        assert!(circles(&files("mod a; mod b; pub use a::A; pub use b::B;")).is_empty());
        let needs = "mod a; mod b; use a::A; use b::B; fn f(_: A) {}";
        assert_eq!(
            circles(&files(needs)).len(),
            1,
            "a child reads its parent's import"
        );
    }

    #[test]
    fn a_circle_through_a_macro_counts_and_one_of_tests_does_not() {
        let files = |a: &'static str| {
            Source::of(&[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", a),
                ("b.rs", "use crate::a::A;"),
            ])
        };
        assert_eq!(
            circles(&files("pub struct A; fn f() { vec![crate::b::g()] }")).len(),
            1
        );
        assert!(
            circles(&files(
                "pub struct A; #[cfg(test)] mod t { use crate::b::B; }"
            ))
            .is_empty()
        );
    }
}
