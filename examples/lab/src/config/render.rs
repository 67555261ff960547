//! Objects as the API shows them.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::schema::Kind;
use super::state::State;
use super::store::{Object, Ref};

/// Which parts of an object are shown, and with which links.
#[derive(Default)]
pub struct Shown {
    /// Only these properties, references, back references and children.
    pub only: Option<HashSet<String>>,
    /// All properties and references, whatever `only` says.
    pub all_props: bool,
    /// Back references, when `only` does not say.
    pub back_refs: bool,
    /// Children, when `only` does not say.
    pub children: bool,
    /// The object's own link.
    pub href: bool,
    /// The links of its parent, references, back references and children.
    pub inner_hrefs: bool,
}

impl Shown {
    fn wants(&self, field: &str, default: bool) -> bool {
        self.only
            .as_ref()
            .map_or(default, |only| only.contains(field))
    }
}

/// The object's document, without its wrapper.
pub fn render(
    state: &State,
    call: &Call<'_>,
    object: &Object,
    shown: &Shown,
) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("uuid".into(), json!(object.uuid));
    out.insert("name".into(), json!(object.name()));
    out.insert("fq_name".into(), json!(object.fq_name));
    if let Some((kind, uuid)) = object.parent {
        out.insert("parent_type".into(), json!(kind.name()));
        out.insert("parent_uuid".into(), json!(uuid));
        if shown.inner_hrefs {
            out.insert("parent_href".into(), json!(call.href(kind, uuid)));
        }
    }
    for (name, value) in &object.props {
        let always = name == "id_perms" || name == "perms2" || shown.all_props;
        if always || shown.wants(name, true) {
            out.insert(name.clone(), value.clone());
        }
    }
    let links = Links { state, call, shown };
    links.refs(object, &mut out);
    links.back_refs(object, &mut out);
    links.children(object, &mut out);
    if shown.href {
        out.insert("href".into(), json!(call.href(object.kind, object.uuid)));
    }
    out
}

struct Links<'a> {
    state: &'a State,
    call: &'a Call<'a>,
    shown: &'a Shown,
}

impl Links<'_> {
    fn refs(&self, object: &Object, out: &mut Map<String, Value>) {
        for (kind, refs) in &object.refs {
            let field = format!("{}_refs", kind.field());
            let known = object.kind.link(*kind).is_some();
            if known && (self.shown.all_props || self.shown.wants(&field, true)) {
                let elements = refs
                    .iter()
                    .map(|r| self.element(*kind, r.to, Some(&r.attr)));
                insert(out, field, elements.collect());
            }
        }
    }

    fn back_refs(&self, object: &Object, out: &mut Map<String, Value>) {
        for (kind, referrers) in self.state.store.back_refs(object.uuid) {
            let field = format!("{}_back_refs", kind.field());
            // A reference that the schema does not have can be created, but is never shown.
            if kind.link(object.kind).is_none() || !self.shown.wants(&field, self.shown.back_refs) {
                continue;
            }
            let attr = |referrer: Uuid| -> Option<&Ref> {
                let refs = self.state.store.get(referrer)?.refs_to(object.kind);
                refs.iter().find(|reference| reference.to == object.uuid)
            };
            let elements = referrers.iter().map(|id| {
                let attr = attr(*id).map_or(&Value::Null, |r| &r.attr);
                self.element(kind, *id, Some(attr))
            });
            insert(out, field, elements.collect());
        }
    }

    fn children(&self, object: &Object, out: &mut Map<String, Value>) {
        for (kind, children) in self.state.store.children(object.uuid) {
            let field = format!("{}s", kind.field());
            if self.shown.wants(&field, self.shown.children) {
                let elements = children.iter().map(|id| self.element(kind, *id, None));
                insert(out, field, elements.collect());
            }
        }
    }

    /// An object as another one shows it. A reference may lead to what is gone or of another type than
    /// the reference says.
    fn element(&self, kind: Kind, uuid: Uuid, attr: Option<&Value>) -> Value {
        let object = self.state.store.get(uuid);
        let name = object.map_or(json!(["ERROR"]), |object| json!(object.fq_name));
        let mut element = Map::new();
        element.insert("to".into(), name);
        if let Some(attr) = attr {
            element.insert("attr".into(), attr.clone());
        }
        element.insert("uuid".into(), json!(uuid));
        if self.shown.inner_hrefs {
            element.insert("href".into(), json!(self.call.href(kind, uuid)));
        }
        Value::Object(element)
    }
}

/// Empty lists are not shown.
fn insert(out: &mut Map<String, Value>, field: String, elements: Vec<Value>) {
    if !elements.is_empty() {
        out.insert(field, Value::Array(elements));
    }
}
