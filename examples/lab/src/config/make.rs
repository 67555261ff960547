//! The objects that the server makes by itself, beside those that clients ask for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::meta;
use super::schema::Kind;
use super::state::State;
use super::store::Object;

impl State {
    /// Makes an object that no client asked for, without the rules of its type. It belongs to
    /// whom its parent belongs to.
    pub fn make(
        &mut self,
        kind: Kind,
        fq_name: Vec<String>,
        parent: Option<(Kind, Uuid)>,
        mut props: Map<String, Value>,
    ) -> Uuid {
        let uuid = Uuid::new_v4();
        let perms = parent.and_then(|(_, id)| self.store.get(id)?.props.get("perms2").cloned());
        let owner = perms.as_ref().and_then(|perms| perms["owner"].as_str());
        let owner = owner.unwrap_or("cloud-admin");
        props.insert("id_perms".into(), meta::new_id_perms(None));
        props.insert("perms2".into(), meta::default_perms2(owner));
        meta::stamp_created(&mut props, uuid);
        self.store.insert(Object {
            kind,
            uuid,
            fq_name,
            parent,
            props,
            refs: BTreeMap::new(),
        });
        self.touch();
        uuid
    }
}

/// The properties of an object that the server makes.
pub fn named_props(name: &str, props: Value) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("display_name".into(), name.into());
    if let Value::Object(props) = props {
        all.extend(props);
    }
    all
}

/// Whether a child goes away with its parent: the server makes it by itself.
pub fn is_default(state: &State, parent: Kind, child: &Object) -> bool {
    let default_group = parent == state.kinds.project
        && child.kind == state.kinds.security_group
        && child.name() == "default";
    default_group || child.name() == format!("default-{}", child.kind.name())
}
