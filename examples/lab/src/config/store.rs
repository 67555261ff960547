//! The objects and the indexes over them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use contrail_core::FqName;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::schema::Kind;

/// A reference to another object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ref {
    /// The object referred to.
    pub to: Uuid,
    /// The data on the reference.
    pub attr: Value,
    /// Whether the reference does not keep its target from being deleted.
    #[serde(default)]
    pub relaxed: bool,
}

/// An object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Object {
    /// Its type.
    pub kind: Kind,
    /// Its id.
    pub uuid: Uuid,
    /// Its name, outermost part first.
    pub fq_name: Vec<String>,
    /// Its parent, when it has one.
    pub parent: Option<(Kind, Uuid)>,
    /// Its properties, with `id_perms`, `perms2` and `display_name`.
    pub props: Map<String, Value>,
    /// Its references by the type of their targets, in the order they were made.
    pub refs: BTreeMap<Kind, Vec<Ref>>,
}

impl Object {
    /// The name as a type; an object that was sent without one goes by its id.
    pub fn full_name(&self) -> FqName {
        let parts = self.fq_name.iter().cloned();
        FqName::from_parts(parts).unwrap_or_else(|_| FqName::new([self.uuid.to_string()]))
    }

    /// The last part of the name.
    pub fn name(&self) -> &str {
        self.fq_name.last().map_or("", String::as_str)
    }

    /// The references to objects of a type.
    pub fn refs_to(&self, kind: Kind) -> &[Ref] {
        self.refs.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// A property, when it is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.props.get(name).and_then(Value::as_str)
    }

    /// A property, when it is a whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.props.get(name).and_then(Value::as_u64)
    }
}

#[derive(Clone, Debug)]
struct Node {
    object: Object,
    /// Counts creations: children are listed in this order.
    serial: u64,
    children: BTreeMap<Kind, Vec<Uuid>>,
    back_refs: BTreeMap<Kind, BTreeSet<Uuid>>,
}

/// All objects.
#[derive(Clone, Debug, Default)]
pub struct Store {
    nodes: HashMap<Uuid, Node>,
    names: HashMap<(Kind, String), Uuid>,
    sorted: HashMap<Kind, BTreeMap<String, Uuid>>,
    next: u64,
    /// The objects that were made, removed or given other properties since the last call.
    changed: BTreeSet<Uuid>,
}

/// The key under which an object is listed: its name and id, joined by colons.
pub fn list_key(object: &Object) -> String {
    format!("{}:{}", object.fq_name.join(":"), object.uuid)
}

impl Store {
    /// The object of this id.
    pub fn get(&self, uuid: Uuid) -> Option<&Object> {
        self.nodes.get(&uuid).map(|node| &node.object)
    }

    /// The object of this id and type.
    pub fn get_kind(&self, kind: Kind, uuid: Uuid) -> Option<&Object> {
        self.get(uuid).filter(|object| object.kind == kind)
    }

    /// The properties of an object, to change them.
    pub fn props_mut(&mut self, uuid: Uuid) -> Option<&mut Map<String, Value>> {
        self.changed.insert(uuid);
        self.nodes.get_mut(&uuid).map(|node| &mut node.object.props)
    }

    /// The objects that were made, removed or given other properties since the last call.
    pub fn take_changed(&mut self) -> BTreeSet<Uuid> {
        std::mem::take(&mut self.changed)
    }

    /// The id of the object of this type and name.
    pub fn find<S: AsRef<str>>(&self, kind: Kind, fq_name: &[S]) -> Option<Uuid> {
        let parts: Vec<&str> = fq_name.iter().map(AsRef::as_ref).collect();
        self.names.get(&(kind, parts.join(":"))).copied()
    }

    /// All objects of a type by [`list_key`].
    pub fn listed(&self, kind: Kind) -> impl Iterator<Item = (&str, Uuid)> {
        let listed = self.sorted.get(&kind).into_iter().flatten();
        listed.map(|(key, uuid)| (key.as_str(), *uuid))
    }

    /// How many objects of a type there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.sorted.get(&kind).map_or(0, BTreeMap::len)
    }

    /// The children of an object by type, in the order they were made.
    pub fn children(&self, uuid: Uuid) -> impl Iterator<Item = (Kind, &[Uuid])> {
        let children = self.nodes.get(&uuid).map(|node| &node.children);
        children
            .into_iter()
            .flatten()
            .map(|(kind, ids)| (*kind, ids.as_slice()))
    }

    /// The children of one type.
    pub fn children_of(&self, uuid: Uuid, kind: Kind) -> &[Uuid] {
        let children = self
            .nodes
            .get(&uuid)
            .and_then(|node| node.children.get(&kind));
        children.map_or(&[], Vec::as_slice)
    }

    /// The objects that refer to an object, by type, in the order of their ids.
    pub fn back_refs(&self, uuid: Uuid) -> impl Iterator<Item = (Kind, &BTreeSet<Uuid>)> {
        let back_refs = self.nodes.get(&uuid).map(|node| &node.back_refs);
        back_refs
            .into_iter()
            .flatten()
            .map(|(kind, ids)| (*kind, ids))
    }

    /// The objects of one type that refer to an object.
    pub fn back_refs_of(&self, uuid: Uuid, kind: Kind) -> impl Iterator<Item = Uuid> {
        let back_refs = self
            .nodes
            .get(&uuid)
            .and_then(|node| node.back_refs.get(&kind));
        back_refs.into_iter().flatten().copied()
    }

    /// Adds an object whose parent and targets exist. One that has the same id is overwritten: its name
    /// leads to the new one, for good.
    pub fn insert(&mut self, mut object: Object) {
        let uuid = object.uuid;
        let kind = object.kind;
        let overwritten = self.take_out(uuid);
        let (children, back_refs) = overwritten
            .map(|node| (node.children, node.back_refs))
            .unwrap_or_default();
        let refs = std::mem::take(&mut object.refs);
        self.names.insert((kind, object.fq_name.join(":")), uuid);
        self.sorted
            .entry(kind)
            .or_default()
            .insert(list_key(&object), uuid);
        if let Some(parent) = object.parent.and_then(|(_, id)| self.nodes.get_mut(&id)) {
            parent.children.entry(kind).or_default().push(uuid);
        }
        let node = Node {
            object,
            serial: self.next,
            children,
            back_refs,
        };
        self.next += 1;
        self.changed.insert(uuid);
        self.nodes.insert(uuid, node);
        for (to_kind, refs) in refs {
            for reference in refs {
                self.set_ref(uuid, to_kind, reference);
            }
        }
    }

    /// Removes an object and every reference from and to it. Its children stay, as orphans.
    pub fn remove(&mut self, uuid: Uuid) -> Option<Object> {
        let node = self.take_out(uuid)?;
        let object = self.free_name(node.object);
        for referrer in node.back_refs.into_values().flatten() {
            if let Some(node) = self.nodes.get_mut(&referrer) {
                // A reference may say that its target is of another type than it is.
                for refs in node.object.refs.values_mut() {
                    refs.retain(|reference| reference.to != uuid);
                }
            }
        }
        Some(object)
    }

    /// As [`Store::remove`], but references to the object stay and lead nowhere.
    pub fn remove_alone(&mut self, uuid: Uuid) -> Option<Object> {
        let node = self.take_out(uuid)?;
        Some(self.free_name(node.object))
    }

    fn free_name(&mut self, object: Object) -> Object {
        self.names.remove(&(object.kind, object.fq_name.join(":")));
        object
    }

    /// Removes an object and every reference from it, but neither its name nor the references to it.
    fn take_out(&mut self, uuid: Uuid) -> Option<Node> {
        let node = self.nodes.remove(&uuid)?;
        self.changed.insert(uuid);
        let object = &node.object;
        if let Some(sorted) = self.sorted.get_mut(&object.kind) {
            sorted.remove(&list_key(object));
        }
        let parent = object.parent.and_then(|(_, id)| self.nodes.get_mut(&id));
        if let Some(ids) = parent.and_then(|node| node.children.get_mut(&object.kind)) {
            ids.retain(|id| *id != uuid);
        }
        for (kind, refs) in &object.refs {
            for reference in refs {
                self.forget(reference.to, object.kind, uuid, *kind == object.kind);
            }
        }
        Some(node)
    }

    /// Makes a reference or replaces its data. References between objects of one type are
    /// mutual.
    pub fn set_ref(&mut self, from: Uuid, to_kind: Kind, reference: Ref) {
        let to = reference.to;
        let Some(from_kind) = self.get(from).map(|object| object.kind) else {
            return;
        };
        if from_kind == to_kind {
            let mutual = Ref {
                to: from,
                ..reference.clone()
            };
            self.put_ref(to, to_kind, mutual);
        } else if let Some(target) = self.nodes.get_mut(&to) {
            target.back_refs.entry(from_kind).or_default().insert(from);
        }
        self.put_ref(from, to_kind, reference);
    }

    fn put_ref(&mut self, from: Uuid, to_kind: Kind, reference: Ref) {
        let Some(node) = self.nodes.get_mut(&from) else {
            return;
        };
        let refs = node.object.refs.entry(to_kind).or_default();
        match refs.iter_mut().find(|existing| existing.to == reference.to) {
            Some(existing) => existing.attr = reference.attr,
            None => refs.push(reference),
        }
    }

    /// Removes a reference; nothing happens when there is none.
    pub fn remove_ref(&mut self, from: Uuid, to_kind: Kind, to: Uuid) {
        let Some(node) = self.nodes.get_mut(&from) else {
            return;
        };
        let kind = node.object.kind;
        drop_ref(&mut node.object, to_kind, to);
        self.forget(to, kind, from, kind == to_kind);
    }

    /// Lets the target of a reference be deleted in spite of it; false when there is none.
    pub fn relax_ref(&mut self, from: Uuid, to: Uuid) -> bool {
        let node = self.nodes.get_mut(&from);
        let refs = node
            .into_iter()
            .flat_map(|n| n.object.refs.values_mut().flatten());
        let mut relaxed = false;
        for reference in refs.filter(|reference| reference.to == to) {
            reference.relaxed = true;
            relaxed = true;
        }
        relaxed
    }

    /// Removes what an object knows of a reference to it.
    fn forget(&mut self, target: Uuid, from_kind: Kind, from: Uuid, mutual: bool) {
        let Some(node) = self.nodes.get_mut(&target) else {
            return;
        };
        if mutual {
            drop_ref(&mut node.object, from_kind, from);
        } else if let Some(referrers) = node.back_refs.get_mut(&from_kind) {
            referrers.remove(&from);
        }
    }

    /// All objects in the order they were made.
    fn in_order(&self) -> Vec<&Object> {
        let mut nodes: Vec<&Node> = self.nodes.values().collect();
        nodes.sort_by_key(|node| node.serial);
        nodes.into_iter().map(|node| &node.object).collect()
    }
}

fn drop_ref(object: &mut Object, to_kind: Kind, to: Uuid) {
    if let Some(refs) = object.refs.get_mut(&to_kind) {
        refs.retain(|reference| reference.to != to);
    }
}

impl Serialize for Store {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.in_order())
    }
}

impl<'de> Deserialize<'de> for Store {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let objects = Vec::<Object>::deserialize(deserializer)?;
        let mut store = Store::default();
        let mut refs = Vec::new();
        for mut object in objects {
            refs.push((object.uuid, std::mem::take(&mut object.refs)));
            store.insert(object);
        }
        // A reference may point to an object that was made later.
        for (from, kinds) in refs {
            for (kind, references) in kinds {
                for reference in references {
                    store.set_ref(from, kind, reference);
                }
            }
        }
        Ok(store)
    }
}
