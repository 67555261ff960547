//! Outside crates that only one place of a crate may name.

use syn::visit::{self, Visit};
use syn::{ItemUse, Macro, UseTree};

use crate::document::Seam;
use crate::references::attributes;
use crate::scan;
use crate::source::{Source, is_test};

/// Files outside of the seam that name its crate.
pub fn violations(source: &Source, seam: &Seam) -> Vec<String> {
    let allowed = |file: usize| {
        source
            .modules
            .iter()
            .filter(|(_, module)| module.file == file)
            .all(|(path, _)| seam.modules.iter().any(|entry| path.starts_with(entry)))
    };
    let mut findings = Vec::new();
    for (index, file) in source.files.iter().enumerate() {
        let mut search = Search {
            krate: &seam.krate,
            lines: Vec::new(),
        };
        for item in &file.items {
            search.visit_item(item);
        }
        if !allowed(index) {
            let name = source.name(index);
            findings.extend(
                search
                    .lines
                    .iter()
                    .map(|line| format!("  {name}:{line}: {}", seam.krate)),
            );
        }
    }
    findings
}

struct Search<'a> {
    krate: &'a str,
    lines: Vec<usize>,
}

impl Search<'_> {
    fn name(&mut self, ident: &proc_macro2::Ident) {
        if ident == self.krate {
            self.lines.push(ident.span().start().line);
        }
    }

    fn tree(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(tree) => self.name(&tree.ident),
            UseTree::Name(tree) => self.name(&tree.ident),
            UseTree::Rename(tree) => self.name(&tree.ident),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree)),
            UseTree::Glob(_) => {}
        }
    }
}

impl<'ast> Visit<'ast> for Search<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(&item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.name(&path.segments[0].ident);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        for (path, span) in scan::paths(call.tokens.clone()) {
            if path[0] == self.krate {
                self.lines.push(span.start().line);
            }
        }
        visit::visit_macro(self, call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_outside_its_seam_is_found() {
        let source = Source::of(&[
            ("lib.rs", "mod kernel; mod other;"),
            ("kernel.rs", "use nix::net::if_::if_nametoindex;"),
            (
                "other.rs",
                "use nix::{fcntl};\nfn f() -> nix::Result<()> { x(nix::errno()) }\n\
                 fn g() { vec![nix::h()] }\n#[cfg(test)] mod tests { use nix::i; }",
            ),
        ]);
        let seam = |modules: &[&str]| Seam {
            krate: "nix".to_string(),
            target: String::new(),
            modules: modules.iter().map(|name| vec![name.to_string()]).collect(),
        };
        let lines = |n: usize| format!("  other.rs:{n}: nix");
        assert_eq!(
            violations(&source, &seam(&["kernel"])),
            [lines(1), lines(2), lines(2), lines(3)]
        );
        assert!(violations(&source, &seam(&["kernel", "other"])).is_empty());
    }
}
