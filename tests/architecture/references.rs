//! The names that a module declares and imports, and every path in it that leads elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Macro, UseTree, Visibility};

use crate::scan;
use crate::source::is_test;

/// A path as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub path: Vec<String>,
    pub line: usize,
    /// Whether it is in a `use` item that gives the name to others, too.
    pub reexport: bool,
    /// Whether it is `use path::*`.
    pub glob: bool,
}

/// What one module names.
#[derive(Debug, Default)]
pub struct Names {
    /// The items that it defines, other than modules.
    pub items: BTreeSet<String>,
    /// Imports by the name that they give to the path.
    pub imports: BTreeMap<String, Vec<Reference>>,
    /// The paths of `use path::*`.
    pub globs: Vec<Reference>,
    /// All paths of more than one segment, those of `use` items included.
    pub references: Vec<Reference>,
}

/// The attributes of an item; none for those that have none here.
pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn declared(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

/// Collects the names of a module from its items.
pub fn names(items: &[Item]) -> Names {
    let mut collector = Collector(Names {
        items: items.iter().filter_map(declared).collect(),
        ..Names::default()
    });
    for item in items.iter().filter(|item| !is_test(attributes(item))) {
        if !matches!(item, Item::Mod(_)) {
            collector.visit_item(item);
        }
    }
    collector.0
}

struct Collector(Names);

impl Collector {
    fn add(&mut self, path: Vec<String>, span: Span) {
        if path.len() > 1 {
            self.0.references.push(Reference {
                path,
                line: span.start().line,
                reexport: false,
                glob: false,
            });
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        for (path, span) in scan::paths(tokens) {
            self.add(path, span);
        }
    }

    fn import(&mut self, tree: &UseTree, prefix: &[String], reexport: bool) {
        let joined = |name: &dyn ToString| {
            let mut path = prefix.to_vec();
            path.push(name.to_string());
            path
        };
        let (name, path, glob) = match tree {
            UseTree::Path(tree) => {
                return self.import(&tree.tree, &joined(&tree.ident), reexport);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix, reexport);
                }
                return;
            }
            UseTree::Name(tree) => (tree.ident.to_string(), joined(&tree.ident), false),
            UseTree::Rename(tree) => (tree.rename.to_string(), joined(&tree.ident), false),
            UseTree::Glob(_) => (String::new(), prefix.to_vec(), true),
        };
        self.bind(name, path, tree.span().start().line, reexport, glob);
    }

    fn bind(
        &mut self,
        name: String,
        mut path: Vec<String>,
        line: usize,
        reexport: bool,
        glob: bool,
    ) {
        let mut name = name;
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop(); // `use a::b::{self}`
            if name == "self" {
                name = path.last().cloned().unwrap_or_default();
            }
        }
        let reference = Reference {
            path,
            line,
            reexport,
            glob,
        };
        self.0.references.push(reference.clone());
        if glob {
            self.0.globs.push(reference);
        } else {
            self.0.imports.entry(name).or_default().push(reference);
        }
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            let reexport = !matches!(item.vis, Visibility::Inherited);
            self.import(&item.tree, &[], reexport);
        }
    }

    // `pub(in crate::x)` is no import.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|s| s.ident.to_string()).collect();
            self.add(names, path.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Ok(list) = attribute.meta.require_list() {
            self.tokens(list.tokens.clone());
            if attribute.path().is_ident("serde") {
                for (path, span) in scan::paths_in_strings(list.tokens.clone()) {
                    self.add(path, span);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(source: &str) -> Vec<String> {
        let file = syn::parse_file(source).unwrap();
        let references = names(&file.items).references;
        references.iter().map(|r| r.path.join("::")).collect()
    }

    #[test]
    fn trees_of_use_items_are_taken_apart() {
        assert_eq!(
            written("use a::{b, c::{self, d as e}, f::*};"),
            ["a::b", "a::c", "a::c::d", "a::f"]
        );
    }

    #[test]
    fn paths_in_bodies_macros_and_attributes_are_found() {
        assert_eq!(
            written("fn f() -> super::T { x.unwrap_or(crate::a::B) }"),
            ["super::T", "crate::a::B"]
        );
        assert_eq!(
            written("fn f() { let v = vec![self::g(), crate::a::b::<u8>()]; }"),
            ["self::g", "crate::a::b"]
        );
        assert_eq!(
            written("#[serde(with = \"crate::a::b\")] struct S;"),
            ["crate::a::b"]
        );
        assert_eq!(
            written("#[arg(value_parser = super::parse)] struct S;"),
            ["super::parse"]
        );
    }

    #[test]
    fn tests_visibilities_and_external_paths_are_no_references() {
        assert!(written("#[cfg(test)] use crate::a; pub(in crate::a) fn f() {}").is_empty());
        assert!(written("use ::http::Uri;").is_empty());
    }

    #[test]
    fn a_reexport_is_told_from_an_import() {
        let file = syn::parse_file("use a::b; pub(crate) use a::c;").unwrap();
        let names = names(&file.items);
        assert!(!names.imports["b"][0].reexport && names.imports["c"][0].reexport);
    }
}
