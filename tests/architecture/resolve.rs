//! Where a path leads: through child modules, imports and re-exports to the module that defines it.

use crate::references::Reference;
use crate::source::{ModulePath, Source};

/// What a path means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// An item that this module defines.
    Item(ModulePath),
    /// A module itself.
    Module(ModulePath),
    /// Something of another crate, or of the language.
    External,
}

type Seen = Vec<(ModulePath, Vec<String>)>;

/// What a path that is written in a module means.
pub fn resolve(source: &Source, module: &[String], path: &[String]) -> Meaning {
    start(source, module, path, &mut Seen::new())
}

fn start(source: &Source, module: &[String], path: &[String], seen: &mut Seen) -> Meaning {
    let key = (module.to_vec(), path.to_vec());
    if seen.contains(&key) {
        return Meaning::External; // an import of a name by itself: the name comes from elsewhere
    }
    seen.push(key);
    match path[0].as_str() {
        "crate" => walk(source, module, &[], &path[1..], seen),
        "self" => walk(source, module, module, &path[1..], seen),
        "super" => {
            let up = path.iter().take_while(|name| *name == "super").count();
            let parent = &module[..module.len().saturating_sub(up)];
            walk(source, module, parent, &path[up..], seen)
        }
        name if is_known(source, module, name) => walk(source, module, module, path, seen),
        _ => from_globs(source, module, module, path, seen).unwrap_or(Meaning::External),
    }
}

/// Whether a module has a name by declaration or import.
fn is_known(source: &Source, module: &[String], name: &str) -> bool {
    let names = &source.modules[module].names;
    names.items.contains(name) || names.imports.contains_key(name) || source.has_child(module, name)
}

/// Follows the rest of a path from a module on, for a reader in the module `from`.
fn walk(
    source: &Source,
    from: &[String],
    at: &[String],
    rest: &[String],
    seen: &mut Seen,
) -> Meaning {
    let Some(name) = rest.first() else {
        return Meaning::Module(at.to_vec());
    };
    let Some(module) = source.modules.get(at) else {
        return Meaning::External;
    };
    let is_child = source.has_child(at, name);
    // A name can be a module and an item: the last segment is the item.
    if is_child && (rest.len() > 1 || !module.names.imports.contains_key(name)) {
        let mut child = at.to_vec();
        child.push(name.clone());
        return walk(source, from, &child, &rest[1..], seen);
    }
    if module.names.items.contains(name) {
        return Meaning::Item(at.to_vec());
    }
    if let Some(imports) = module.names.imports.get(name) {
        // Another module that reads a private import depends on the module that imports.
        let followed = imports.iter().find(|import| import.reexport || at == from);
        return match followed {
            Some(import) => {
                let path = [import.path.as_slice(), &rest[1..]].concat();
                start(source, at, &path, seen)
            }
            None => Meaning::Item(at.to_vec()),
        };
    }
    from_globs(source, from, at, rest, seen).unwrap_or_else(|| Meaning::Item(at.to_vec()))
}

/// Searches the modules that a module imports with `*`.
fn from_globs(
    source: &Source,
    from: &[String],
    at: &[String],
    rest: &[String],
    seen: &mut Seen,
) -> Option<Meaning> {
    let globs = &source.modules.get(at)?.names.globs;
    let visible = |glob: &&Reference| glob.reexport || at == from;
    globs.iter().filter(visible).find_map(|glob| {
        let Meaning::Module(target) = start(source, at, &glob.path, seen) else {
            return None;
        };
        let known = is_known(source, &target, &rest[0]);
        known.then(|| walk(source, from, &target, rest, seen))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source::of(&[
            (
                "lib.rs",
                "pub mod a; pub mod b; pub use b::Deep; pub use a::*; mod both; pub use both::both;",
            ),
            (
                "a.rs",
                "mod inner; pub use inner::Hidden; use crate::b::Deep; pub enum A { One }",
            ),
            ("a/inner.rs", "pub struct Hidden;"),
            (
                "b.rs",
                "pub mod c; pub use c::Deep; pub use crate::b::c as renamed; use c::*;",
            ),
            ("b/c.rs", "pub struct Deep; pub struct Other;"),
            ("both.rs", "pub fn both() {}"),
        ])
    }

    fn meaning(module: &str, path: &str) -> Meaning {
        let module: Vec<String> = module
            .split("::")
            .filter(|s| !s.is_empty())
            .map(Into::into)
            .collect();
        let path: Vec<String> = path.split("::").map(Into::into).collect();
        resolve(&source(), &module, &path)
    }

    fn item(path: &str) -> Meaning {
        Meaning::Item(path.split("::").map(Into::into).collect())
    }

    #[test]
    fn reexports_lead_to_the_definition() {
        assert_eq!(meaning("a", "crate::Deep"), item("b::c"));
        assert_eq!(meaning("b::c", "super::super::a::Hidden"), item("a::inner"));
        assert_eq!(
            meaning("b", "crate::A::One"),
            item("a"),
            "a glob of the root"
        );
        assert_eq!(meaning("a", "crate::b::renamed::Deep"), item("b::c"));
        assert_eq!(meaning("b", "Other::new"), item("b::c"), "an own glob");
    }

    #[test]
    fn a_private_import_is_followed_by_its_own_module_alone() {
        assert_eq!(meaning("a", "Deep::new"), item("b::c"));
        assert_eq!(meaning("a::inner", "super::Deep"), item("a"));
    }

    #[test]
    fn modules_are_told_from_items() {
        let module = |path: &str| Meaning::Module(path.split("::").map(Into::into).collect());
        assert_eq!(meaning("a", "crate::b::c"), module("b::c"));
        assert_eq!(
            meaning("a", "crate::both"),
            item("both"),
            "the function of the same name"
        );
        assert_eq!(meaning("a::inner", "super"), module("a"));
    }

    #[test]
    fn other_crates_are_external() {
        assert_eq!(meaning("a", "std::fmt"), Meaning::External);
        assert_eq!(meaning("a", "Self::new"), Meaning::External);
    }

    #[test]
    fn names_that_import_each_other_end() {
        let source = Source::of(&[
            ("lib.rs", "mod a; pub use a::x;"),
            ("a.rs", "pub use crate::x;"),
        ]);
        let path = ["crate".to_string(), "x".to_string()];
        assert_eq!(
            resolve(&source, &["a".to_string()], &path),
            Meaning::External
        );
    }
}
