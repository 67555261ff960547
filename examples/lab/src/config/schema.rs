//! The table of resource types (`schema.txt`) and look-ups in it.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

/// What a value must be.
#[derive(Debug, PartialEq, Eq)]
pub enum Check {
    /// true or false.
    Bool,
    /// An integer, perhaps within limits (both included).
    Int(Option<(i64, i64)>),
    /// A string, perhaps one of some.
    Text(Vec<String>),
    /// `management`, `left`, `right` or `other…`.
    ServiceInterface,
    /// `asn:number` or a well-known BGP community.
    Community,
    /// An object of this class.
    Class(String),
}

/// How a property can be changed besides being replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Only replaced.
    No,
    /// Elements by their key.
    Map,
    /// Elements by their position.
    List,
}

/// A property of a type.
#[derive(Debug)]
pub struct Prop {
    /// Its name: `display_name`.
    pub name: String,
    /// What its value must be.
    pub check: Check,
    /// Whether it is a collection.
    pub collection: Collection,
}

/// A reference that a type may have.
#[derive(Debug)]
pub struct Link {
    /// The type referred to.
    pub to: String,
    /// The class of the data on the reference.
    pub attr: Option<String>,
    /// The reference does not keep its target from being deleted.
    pub derived: bool,
}

/// A field of a class.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What each value must be.
    pub check: Check,
    /// Whether it holds a list of values.
    pub list: bool,
}

/// A resource type.
#[derive(Debug, Default)]
pub struct TypeDef {
    /// Its name: `virtual-network`.
    pub name: String,
    /// The types its parent may have; `config-root` for none.
    pub parents: Vec<String>,
    /// Its properties.
    pub props: Vec<Prop>,
    /// Its references.
    pub links: Vec<Link>,
    /// Types of children that do not keep it from being deleted.
    pub derived_children: Vec<String>,
}

/// A resource type of the table.
#[derive(Clone, Copy, Debug)]
pub struct Kind(&'static TypeDef);

impl Kind {
    /// The type of this name, with dashes or underscores.
    pub fn find(name: &str) -> Option<Kind> {
        let table = &*TABLE;
        let found = table.types.get(name);
        let found = found.or_else(|| table.types.get(name.replace('_', "-").as_str()));
        found.map(|definition| Kind(definition))
    }

    /// All types, by name.
    pub fn all() -> impl Iterator<Item = Kind> {
        TABLE.sorted.iter().map(|definition| Kind(definition))
    }

    /// `virtual-network`.
    pub fn name(self) -> &'static str {
        &self.0.name
    }

    /// `virtual_network`, as in field names.
    pub fn field(self) -> String {
        self.0.name.replace('-', "_")
    }

    /// The types of parents.
    pub fn parents(self) -> &'static [String] {
        &self.0.parents
    }

    /// The properties.
    pub fn props(self) -> &'static [Prop] {
        &self.0.props
    }

    /// The property of this name.
    pub fn prop(self, name: &str) -> Option<&'static Prop> {
        self.0.props.iter().find(|prop| prop.name == name)
    }

    /// The references that it may have.
    pub fn links(self) -> &'static [Link] {
        &self.0.links
    }

    /// The reference to another type.
    pub fn link(self, to: Kind) -> Option<&'static Link> {
        self.0.links.iter().find(|link| link.to == to.0.name)
    }

    /// The reference that a field such as `virtual_network_refs` holds.
    pub fn link_of_field(self, field: &str) -> Option<(&'static Link, Kind)> {
        let to = Kind::find(field.strip_suffix("_refs")?)?;
        Some((self.link(to)?, to))
    }

    /// Whether children of this type do not keep it from being deleted.
    pub fn has_derived_child(self, child: Kind) -> bool {
        self.0.derived_children.contains(&child.0.name)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Kind {}

impl Hash for Kind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.name.cmp(&other.0.name)
    }
}

impl serde::Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Kind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Kind::find(&name).ok_or_else(|| serde::de::Error::custom(format!("no type {name:?}")))
    }
}

/// The fields of a class; `None` for a class that the table does not have.
pub fn class(name: &str) -> Option<&'static [Field]> {
    TABLE.classes.get(name).map(Vec::as_slice)
}

struct Table {
    types: HashMap<&'static str, &'static TypeDef>,
    sorted: Vec<&'static TypeDef>,
    classes: HashMap<String, Vec<Field>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let (types, classes) = parse(include_str!("schema.txt"));
    // Leaked once: the table lives as long as the process, and `Kind` can be copied freely.
    let mut sorted: Vec<&'static TypeDef> = types
        .into_iter()
        .map(|definition| &*Box::leak(Box::new(definition)))
        .collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let types = sorted.iter().map(|t| (t.name.as_str(), *t)).collect();
    Table {
        types,
        sorted,
        classes,
    }
});

/// Properties that every type has.
const COMMON: [&str; 4] = [
    "prop id_perms IdPermsType",
    "prop perms2 PermType2",
    "map annotations KeyValuePairs",
    "prop display_name text",
];

fn parse(text: &str) -> (Vec<TypeDef>, HashMap<String, Vec<Field>>) {
    let mut types: Vec<TypeDef> = Vec::new();
    let mut classes: HashMap<String, Vec<Field>> = HashMap::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["type", name, "<", parents @ ..] => {
                current.clear();
                types.push(TypeDef {
                    name: (*name).into(),
                    parents: parents.iter().map(|p| (*p).into()).collect(),
                    ..TypeDef::default()
                });
                for line in COMMON {
                    let words: Vec<&str> = line.split(' ').collect();
                    types.last_mut().into_iter().for_each(|t| t.add(&words));
                }
            }
            ["class", name] => current = (*name).into(),
            [name, check @ ..] if !current.is_empty() => {
                let list = check.last().is_some_and(|word| word.ends_with("[]"));
                classes.entry(current.clone()).or_default().push(Field {
                    name: (*name).into(),
                    check: parse_check(check),
                    list,
                });
            }
            words => types.last_mut().into_iter().for_each(|t| t.add(words)),
        }
    }
    (types, classes)
}

impl TypeDef {
    fn add(&mut self, words: &[&str]) {
        match words {
            ["ref", to, rest @ ..] => self.links.push(Link {
                to: (*to).into(),
                attr: rest
                    .first()
                    .filter(|w| **w != "derived")
                    .map(|w| (*w).into()),
                derived: rest.contains(&"derived"),
            }),
            ["derived", child] => self.derived_children.push((*child).into()),
            [collection, name, check @ ..] => self.props.push(Prop {
                name: (*name).into(),
                check: parse_check(check),
                collection: match *collection {
                    "map" => Collection::Map,
                    "list" => Collection::List,
                    _ => Collection::No,
                },
            }),
            _ => {}
        }
    }
}

fn parse_check(words: &[&str]) -> Check {
    let first = words.first().map_or("", |word| word.trim_end_matches("[]"));
    let limits = words.get(1).and_then(|range| {
        let (low, high) = range.trim_end_matches("[]").split_once("..")?;
        Some((low.parse().ok()?, high.parse().ok()?))
    });
    match first {
        "bool" => Check::Bool,
        "int" => Check::Int(limits),
        "text" => Check::Text(Vec::new()),
        "service-interface" => Check::ServiceInterface,
        "community" => Check::Community,
        name if name.starts_with(char::is_uppercase) && !name.contains('|') => {
            Check::Class(name.into())
        }
        choices => Check::Text(choices.split('|').map(Into::into).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_parents_references_and_properties() {
        let network = Kind::find("virtual_network").unwrap();
        assert_eq!(network.name(), "virtual-network");
        assert_eq!(network.parents(), ["project"]);
        let ipam = Kind::find("network-ipam").unwrap();
        let link = network.link(ipam).unwrap();
        assert_eq!(link.attr.as_deref(), Some("VnSubnetsType"));
        assert_eq!(
            network.prop("mac_aging_time").unwrap().check,
            Check::Int(Some((0, 86400)))
        );
        assert_eq!(
            network.prop("annotations").unwrap().collection,
            Collection::Map
        );
        let instance = Kind::find("routing-instance").unwrap();
        assert!(network.has_derived_child(instance));
        assert!(Kind::find("no-such-type").is_none());
    }

    #[test]
    fn every_name_that_the_table_uses_is_defined_in_it() {
        for kind in Kind::all() {
            for parent in kind.parents() {
                let known = parent == "config-root" || parent == "policy-management";
                assert!(known || Kind::find(parent).is_some(), "{parent}");
            }
            for link in kind.links() {
                assert!(Kind::find(&link.to).is_some(), "{}", link.to);
                let known = link
                    .attr
                    .as_deref()
                    .is_none_or(|name| class(name).is_some());
                assert!(known, "{link:?}");
            }
            for prop in kind.props() {
                if let Check::Class(name) = &prop.check {
                    assert!(class(name).is_some(), "{name}");
                }
            }
        }
        for field in TABLE.classes.values().flatten() {
            if let Check::Class(name) = &field.check {
                assert!(class(name).is_some(), "{name}");
            }
        }
    }
}
