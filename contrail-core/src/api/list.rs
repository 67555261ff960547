//! Lists of objects: which objects, how much of each, and the request for them.

use serde_json::json;
use uuid::Uuid;

use super::request::ApiRequest;
use super::resource::Resource;
use crate::http::Method;
use crate::values::FqName;

/// More ids than this do not go into a URL: servers refuse long ones (414), and the API's own client
/// switches here too.
const MAX_IDS_IN_URL: usize = 25;

/// Which objects a list holds and how much of each.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuery {
    anchor: Anchor,
    fields: Vec<&'static str>,
    pub(super) detail: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Anchor {
    All,
    ChildrenOf(&'static str, FqName),
    ChildrenOfIds(Vec<Uuid>),
    ReferringTo(Vec<Uuid>),
    Ids(Vec<Uuid>),
}

impl Anchor {
    /// The ids that the list starts from, with the name of their parameter.
    fn ids(&self) -> Option<(&'static str, &[Uuid])> {
        match self {
            Anchor::All | Anchor::ChildrenOf(..) => None,
            Anchor::ChildrenOfIds(ids) => Some(("parent_id", ids)),
            Anchor::ReferringTo(ids) => Some(("back_ref_id", ids)),
            Anchor::Ids(ids) => Some(("obj_uuids", ids)),
        }
    }
}

impl ListQuery {
    fn anchored(anchor: Anchor) -> Self {
        Self {
            anchor,
            fields: Vec::new(),
            detail: false,
        }
    }

    /// All objects of the type in the whole API: rarely what one wants.
    pub fn all() -> Self {
        Self::anchored(Anchor::All)
    }

    /// The children of a named object of the given type. Those of a missing parent are none.
    pub fn children_of(parent_type: &'static str, parent: FqName) -> Self {
        Self::anchored(Anchor::ChildrenOf(parent_type, parent))
    }

    /// The children of an object by id.
    pub fn children_of_id(parent: Uuid) -> Self {
        Self::children_of_ids([parent])
    }

    /// The children of several objects by id.
    pub fn children_of_ids(parents: impl IntoIterator<Item = Uuid>) -> Self {
        Self::anchored(Anchor::ChildrenOfIds(parents.into_iter().collect()))
    }

    /// The objects that hold a reference to this one.
    pub fn referring_to(uuid: Uuid) -> Self {
        Self::referring_to_any([uuid])
    }

    /// The objects that hold a reference to any of these.
    pub fn referring_to_any(ids: impl IntoIterator<Item = Uuid>) -> Self {
        Self::anchored(Anchor::ReferringTo(ids.into_iter().collect()))
    }

    /// The objects of these ids; those that do not exist are left out.
    pub fn ids(ids: impl IntoIterator<Item = Uuid>) -> Self {
        Self::anchored(Anchor::Ids(ids.into_iter().collect()))
    }

    /// Whether it is known without asking that the list is empty.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.anchor.ids(), Some((_, [])))
    }

    /// Also these fields. With [`ListQuery::detail`] that is only needed for back references and
    /// children. Without either, a list holds names and ids.
    pub fn fields(mut self, fields: &[&'static str]) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Whole objects: all properties and references.
    pub fn detail(mut self) -> Self {
        self.detail = true;
        self
    }
}

/// Lists objects.
pub fn list<R: Resource>(query: &ListQuery) -> ApiRequest {
    let mut pairs = match (query.anchor.ids(), &query.anchor) {
        (Some((key, ids)), _) if ids.len() > MAX_IDS_IN_URL => {
            return bulk_list::<R>(key, ids, query);
        }
        (Some((key, ids)), _) => vec![(key, join(ids))],
        (None, Anchor::ChildrenOf(kind, name)) => vec![
            ("parent_fq_name_str", name.to_string()),
            ("parent_type", (*kind).to_owned()),
        ],
        (None, _) => vec![],
    };
    if query.detail {
        pairs.push(("detail", "true".to_owned()));
    }
    if !query.fields.is_empty() {
        pairs.push(("fields", query.fields.join(",")));
    }
    ApiRequest {
        query: pairs,
        ..ApiRequest::new(Method::GET, format!("/{}s", R::TYPE))
    }
}

/// The same list by POST, whose lists are texts with commas (arrays are an error 500).
fn bulk_list<R: Resource>(key: &str, ids: &[Uuid], query: &ListQuery) -> ApiRequest {
    let mut body = json!({"type": R::TYPE, "detail": query.detail});
    body[key] = join(ids).into();
    if !query.fields.is_empty() {
        body["fields"] = query.fields.join(",").into();
    }
    ApiRequest::question("/list-bulk-collection", body)
}

fn join(ids: &[Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    ids.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::VirtualMachine;
    use crate::api::request::Effect;

    #[test]
    fn long_lists_of_ids_go_into_a_body_as_text() {
        let ids: Vec<Uuid> = (0..26).map(Uuid::from_u128).collect();
        let query = ListQuery::ids(ids.clone())
            .fields(&["display_name"])
            .detail();
        let request = list::<VirtualMachine>(&query);
        assert_eq!(
            (&request.method, request.target().as_str(), request.effect),
            (&Method::POST, "/list-bulk-collection", Effect::None)
        );
        let body = request.body.unwrap();
        assert_eq!(body["type"], "virtual-machine");
        assert_eq!(body["obj_uuids"].as_str().unwrap().split(',').count(), 26);
        assert_eq!(body["fields"], "display_name");
        assert_eq!(body["detail"], true);
    }
}
