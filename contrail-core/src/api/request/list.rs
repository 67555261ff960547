//! Lists of objects: which objects, how much of each, and the request for them.

use crate::values::Method;
use serde_json::json;
use uuid::Uuid;

use super::message::ApiRequest;
use crate::values::FqName;

/// More ids than this do not go into a URL: servers refuse long ones (414), and the API's own client
/// switches here too.
const MAX_IDS_IN_URL: usize = 25;

/// Which objects a list holds and how much of each.
///
/// The default holds the names and ids of all objects of a type in the whole API.
///
/// ```
/// use contrail_core::api::ListQuery;
///
/// let all = ListQuery::default();
/// assert_eq!(all, ListQuery::all());
/// let of_project = ListQuery::children_of("project", "default-domain:admin".parse()?)
///     .fields(&["virtual_machine_interface_back_refs"])
///     .detail();
/// assert_ne!(of_project, all);
/// # Ok::<(), contrail_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    anchor: Anchor,
    fields: Vec<String>,
    detail: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Anchor {
    #[default]
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
            ..Self::default()
        }
    }

    /// All objects of the type in the whole API, which may be many.
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
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.anchor.ids(), Some((_, [])))
    }

    /// Whether it asks for whole objects.
    pub(crate) fn is_detailed(&self) -> bool {
        self.detail
    }

    /// Also these fields. With [`ListQuery::detail`] that is only needed for back references and
    /// children. Without either, a list holds names and ids.
    pub fn fields(mut self, fields: &[&str]) -> Self {
        self.fields
            .extend(fields.iter().map(|&field| field.to_owned()));
        self
    }

    /// Whole objects: all properties and references.
    pub fn detail(mut self) -> Self {
        self.detail = true;
        self
    }
}

/// Lists objects of the type `kind`, such as `virtual-network`.
pub fn list(kind: &str, query: &ListQuery) -> ApiRequest {
    let mut pairs = match (query.anchor.ids(), &query.anchor) {
        (Some((key, ids)), _) if ids.len() > MAX_IDS_IN_URL => {
            return bulk_list(kind, (key, ids), query);
        }
        (Some((key, ids)), _) => vec![(key, join(ids))],
        (None, Anchor::ChildrenOf(parent_type, name)) => vec![
            ("parent_fq_name_str", name.to_string()),
            ("parent_type", (*parent_type).to_owned()),
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
        ..ApiRequest::new(Method::GET, format!("/{kind}s")).for_list()
    }
}

/// The same list by POST, whose lists are texts with commas (arrays are an error 500).
fn bulk_list(kind: &str, (key, ids): (&str, &[Uuid]), query: &ListQuery) -> ApiRequest {
    let mut body = json!({"type": kind, "detail": query.detail});
    body[key] = join(ids).into();
    if !query.fields.is_empty() {
        body["fields"] = query.fields.join(",").into();
    }
    ApiRequest::query_by_post("/list-bulk-collection", body).for_list()
}

fn join(ids: &[Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    ids.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::request::Repeatability;

    #[test]
    fn long_lists_of_ids_go_into_a_body_as_text() {
        let ids: Vec<Uuid> = (0..26).map(Uuid::from_u128).collect();
        let query = ListQuery::ids(ids.clone())
            .fields(&["display_name"])
            .detail();
        let request = list("virtual-machine", &query);
        assert_eq!(
            (
                &request.method,
                request.target().as_str(),
                request.repeatability
            ),
            (&Method::POST, "/list-bulk-collection", Repeatability::Safe)
        );
        let body = request.body.unwrap();
        assert_eq!(body["type"], "virtual-machine");
        assert_eq!(body["obj_uuids"].as_str().unwrap().split(',').count(), 26);
        assert_eq!(body["fields"], "display_name");
        assert_eq!(body["detail"], true);
    }
}
