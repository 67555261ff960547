//! The modules of one library or program, as its `mod` items declare them, without its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, File, Item, ItemMod};

use crate::references::{self, Names};

/// The path of a module from the root of its crate; empty for the root.
pub type ModulePath = Vec<String>;

/// A module in a file of its own, or inline in its parent's.
#[derive(Debug)]
pub struct Module {
    /// Index into [`Source::files`].
    pub file: usize,
    /// The feature that a `#[cfg(feature = "…")]` on its `mod` item asks for.
    pub feature: Option<String>,
    pub children: BTreeSet<String>,
    /// What it declares, imports and refers to.
    pub names: Names,
}

/// A parsed file.
pub struct Parsed {
    /// Its path from the directory of the workspace.
    pub path: PathBuf,
    /// Its items, without those for tests.
    pub items: Vec<Item>,
}

/// All modules of a crate.
#[derive(Default)]
pub struct Source {
    pub files: Vec<Parsed>,
    pub modules: BTreeMap<ModulePath, Module>,
}

/// Whether an item exists in tests alone.
pub fn is_test(attributes: &[Attribute]) -> bool {
    cfg(attributes).any(|tokens| tokens.contains("test") && !tokens.contains("not"))
}

fn cfg(attributes: &[Attribute]) -> impl Iterator<Item = String> {
    let list = |attribute: &Attribute| {
        let list = attribute.meta.require_list().ok()?;
        Some(list.tokens.to_string())
    };
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .filter_map(list)
}

fn feature(attributes: &[Attribute]) -> Option<String> {
    cfg(attributes).find_map(|tokens| {
        let name = tokens.replace(' ', "");
        let name = name.strip_prefix("feature=\"")?.strip_suffix('"')?;
        Some(name.to_string())
    })
}

/// Where a child module may be, by the rules of the language.
fn candidates(dir: &Path, name: &str, attributes: &[Attribute]) -> Vec<PathBuf> {
    let named = attributes.iter().find_map(|attribute| {
        let pair = attribute.meta.require_name_value().ok()?;
        let syn::Expr::Lit(value) = &pair.value else {
            return None;
        };
        match &value.lit {
            syn::Lit::Str(path) if pair.path.is_ident("path") => Some(path.value()),
            _ => None,
        }
    });
    match named {
        Some(path) => vec![dir.join(path)],
        None => vec![
            dir.join(format!("{name}.rs")),
            dir.join(name).join("mod.rs"),
        ],
    }
}

impl Source {
    /// Reads a crate from its root file. Paths are given from `base`.
    pub fn read(root: &Path, base: &Path) -> Result<Self, String> {
        let read = |path: &Path| fs::read_to_string(path).ok();
        Self::load(root, base, &read)
    }

    /// A crate of these files, the first of which is its root.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let read = |path: &Path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| text.to_string())
        };
        Self::load(Path::new(files[0].0), Path::new(""), &read).unwrap()
    }

    fn load(
        root: &Path,
        base: &Path,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<Self, String> {
        let mut source = Self::default();
        let mut loader = Loader {
            base,
            read,
            source: &mut source,
        };
        let dir = root.parent().unwrap_or(Path::new(""));
        loader.file(root, dir, ModulePath::new(), None)?;
        Ok(source)
    }

    /// The path of the file of a module.
    pub fn path(&self, module: &Module) -> String {
        self.files[module.file].path.display().to_string()
    }

    /// The file names, for messages.
    pub fn name(&self, file: usize) -> String {
        self.files[file].path.display().to_string()
    }

    /// Whether a module has a child module of this name.
    pub fn has_child(&self, module: &[String], name: &str) -> bool {
        let module = self.modules.get(module);
        module.is_some_and(|module| module.children.contains(name))
    }
}

fn child_name(item: &Item) -> Option<String> {
    match item {
        Item::Mod(child) => Some(child.ident.to_string()),
        _ => None,
    }
}

struct Loader<'a> {
    base: &'a Path,
    read: &'a dyn Fn(&Path) -> Option<String>,
    source: &'a mut Source,
}

impl Loader<'_> {
    /// Adds the file of a module; its children are searched in `dir`.
    fn file(
        &mut self,
        path: &Path,
        dir: &Path,
        module: ModulePath,
        feature: Option<String>,
    ) -> Result<(), String> {
        let text = (self.read)(path).ok_or_else(|| format!("cannot read {}", path.display()))?;
        let parsed: File =
            syn::parse_file(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let items: Vec<Item> = parsed
            .items
            .into_iter()
            .filter(|item| !is_test(references::attributes(item)))
            .collect();
        let file = self.source.files.len();
        self.source.files.push(Parsed {
            path: path.strip_prefix(self.base).unwrap_or(path).to_path_buf(),
            items: items.clone(),
        });
        self.module(&items, file, dir, module, feature)
    }

    fn module(
        &mut self,
        items: &[Item],
        file: usize,
        dir: &Path,
        path: ModulePath,
        feature: Option<String>,
    ) -> Result<(), String> {
        for item in items {
            if let Item::Mod(child) = item {
                self.child(child, file, dir, &path, feature.clone())?;
            }
        }
        let module = Module {
            file,
            feature,
            children: items.iter().filter_map(child_name).collect(),
            names: references::names(items),
        };
        self.source.modules.insert(path, module);
        Ok(())
    }

    fn child(
        &mut self,
        child: &ItemMod,
        file: usize,
        dir: &Path,
        parent: &[String],
        inherited: Option<String>,
    ) -> Result<(), String> {
        if is_test(&child.attrs) {
            return Ok(());
        }
        let name = child.ident.to_string();
        let mut path = parent.to_vec();
        path.push(name.clone());
        let feature = feature(&child.attrs).or(inherited);
        let inner = dir.join(&name);
        if let Some((_, items)) = &child.content {
            return self.module(items, file, &inner, path, feature);
        }
        let candidates = candidates(dir, &name, &child.attrs);
        let found = candidates
            .iter()
            .find(|candidate| (self.read)(candidate).is_some())
            .ok_or_else(|| format!("no file for the module {}", path.join("::")))?;
        self.file(found, &inner, path, feature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_where_the_language_looks_for_them() {
        let source = Source::of(&[
            ("src/lib.rs", "mod a; #[cfg(feature = \"x\")] mod b;"),
            ("src/a.rs", "mod c; mod inline { fn f() {} }"),
            ("src/a/c.rs", ""),
            ("src/b/mod.rs", "mod d;"),
            ("src/b/d.rs", ""),
        ]);
        let paths: Vec<String> = source.modules.keys().map(|path| path.join("::")).collect();
        assert_eq!(paths, ["", "a", "a::c", "a::inline", "b", "b::d"]);
        let module = |path: &[&str]| {
            let path: ModulePath = path.iter().map(|name| name.to_string()).collect();
            &source.modules[&path]
        };
        assert_eq!(module(&["a"]).file, module(&["a", "inline"]).file);
        assert_eq!(module(&["b", "d"]).feature.as_deref(), Some("x"));
        assert_eq!(module(&["a"]).feature, None);
    }

    #[test]
    fn tests_are_left_out() {
        let source = Source::of(&[(
            "src/lib.rs",
            "#[cfg(test)] mod tests; #[cfg(any(test, feature = \"testing\"))] pub mod fakes; \
             #[cfg(not(test))] fn real() {}",
        )]);
        assert_eq!(source.modules.len(), 1);
        assert_eq!(source.files[0].items.len(), 1);
    }
}
