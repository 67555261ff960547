//! `GET /<type>s` and `POST /list-bulk-collection`.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::access::Access;
use super::call::{Call, Reply};
use super::check::is_falsy;
use super::error::{ApiError, Result};
use super::filter::{Filter, parse_filters};
use super::identifier::parse_uuid;
use super::render::{Shown, render};
use super::schema::Kind;
use super::state::State;
use super::store::{Object, list_key};

/// What is asked of a list.
#[derive(Debug, Default)]
struct Query {
    parent_name: Option<String>,
    parent_type: Option<String>,
    parents: Option<Vec<String>>,
    back_refs: Option<Vec<String>>,
    ids: Option<Vec<String>>,
    names: Option<Vec<String>>,
    fields: Option<HashSet<String>>,
    detail: bool,
    count: bool,
    exclude_hrefs: bool,
    filters: Vec<Filter>,
    page: Option<Page>,
}

#[derive(Debug)]
struct Page {
    /// The key of the last object of the page before; `None` for the first page.
    after: Option<String>,
    limit: usize,
}

/// How many objects a page has when the client does not say.
const PAGE: usize = 256;

/// Lists objects of a type as the query asks.
///
/// # Errors
/// 400 for filters and pages that cannot be understood.
pub fn list(state: &State, call: &Call<'_>, kind: Kind) -> Result<Reply> {
    let words = |name: &str| {
        call.query(name)
            .filter(|v| !v.is_empty())
            .map(|v| words(&v))
    };
    let is_true = |name: &str| {
        call.query(name)
            .is_some_and(|v| v.eq_ignore_ascii_case("true"))
    };
    let query = Query {
        parent_name: call
            .query("parent_fq_name_str")
            .filter(|name| !name.is_empty()),
        parent_type: call.query("parent_type"),
        parents: words("parent_id"),
        back_refs: words("back_ref_id"),
        ids: words("obj_uuids"),
        names: words("fq_names"),
        fields: words("fields").map(|fields| fields.into_iter().collect()),
        detail: is_true("detail"),
        count: is_true("count"),
        exclude_hrefs: call.query("exclude_hrefs").is_some(),
        filters: parse_filters(call.query("filters").as_deref())?,
        page: page(
            call.query("page_marker").as_deref(),
            call.query("page_limit").as_deref(),
        )?,
    };
    Ok(run(state, call, kind, &query))
}

/// Lists objects as the body asks: for lists of ids that do not fit into a URL.
///
/// # Errors
/// 404 for an unknown type, 500 for lists that are not comma-separated strings, and as [`list`].
pub fn list_bulk(state: &State, call: &Call<'_>) -> Result<Reply> {
    let body = call.json_object()?;
    let type_name = body.get("type").unwrap_or(&Value::Null);
    let kind = type_name.as_str().and_then(Kind::find);
    let kind = kind.ok_or_else(|| ApiError::unknown_type(type_name))?;
    let text = |name: &str| match body.get(name) {
        None => Ok(None),
        Some(value) if is_falsy(value) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(Value::Number(_)) if name == "page_limit" => Ok(None),
        Some(_) => Err(ApiError::internal()),
    };
    let list = |name: &str| Ok(text(name)?.map(words));
    let flag = |name: &str| body.get(name).is_some_and(|value| !is_falsy(value));
    let limit = body.get("page_limit").filter(|limit| !is_falsy(limit));
    let limit = limit.map(super::python_repr::str_of);
    let query = Query {
        parents: list("parent_id")?,
        back_refs: list("back_ref_id")?,
        ids: list("obj_uuids")?,
        fields: list("fields")?.map(|fields| fields.into_iter().collect()),
        detail: flag("detail"),
        count: flag("count"),
        exclude_hrefs: flag("exclude_hrefs"),
        filters: parse_filters(text("filters")?)?,
        page: page(text("page_marker")?, limit.as_deref())?,
        ..Query::default()
    };
    Ok(run(state, call, kind, &query))
}

fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn page(marker: Option<&str>, limit: Option<&str>) -> Result<Option<Page>> {
    let limit = limit
        .map(|limit| {
            limit.parse().map_err(|_| {
                let shown = super::python_repr::repr_str(limit);
                let reason = format!("invalid literal for int() with base 10: {shown}");
                ApiError::bad_request(format!("Invalid page_limit {limit}: {reason}"))
            })
        })
        .transpose()?;
    let Some(marker) = marker else {
        return Ok(None);
    };
    let limit = limit.unwrap_or(PAGE);
    if marker.eq_ignore_ascii_case("none") {
        return Ok(Some(Page { after: None, limit }));
    }
    let id = marker.rsplit(':').next().unwrap_or_default();
    if Uuid::try_parse(id).is_err() {
        let reason = "badly formed hexadecimal UUID string";
        let text = format!("Invalid page_marker {marker}: {reason}");
        return Err(ApiError::bad_request(text));
    }
    let after = Some(marker.to_owned());
    Ok(Some(Page { after, limit }))
}

fn run(state: &State, call: &Call<'_>, kind: Kind, query: &Query) -> Reply {
    let collection = format!("{}s", kind.name());
    let (ids, anchored) = candidates(state, kind, query);
    let all = query.filters.is_empty() && !anchored && !call.caller.is_restricted();
    if query.count && all {
        return Reply::Json(json!({ collection: {"count": state.store.count(kind)} }));
    }
    let objects = ids
        .into_iter()
        .filter_map(|id| state.store.get_kind(kind, id))
        .filter(|object| call.caller.may(object, Access::Read).is_ok())
        .filter(|object| {
            query
                .filters
                .iter()
                .all(|filter| filter.matches(kind, &object.props))
        });
    if query.count {
        return Reply::Json(json!({ collection: {"count": objects.count()} }));
    }
    let mut objects: Vec<&Object> = objects.collect();
    let marker = query
        .page
        .as_ref()
        .map(|page| cut(&mut objects, page, anchored));
    let entries = objects
        .into_iter()
        .map(|o| entry(state, call, o, query, anchored));
    let mut answer = Map::new();
    answer.insert(collection, entries.collect());
    if let Some(marker) = marker {
        answer.insert("marker".into(), marker.map_or(Value::Null, Value::String));
    }
    Reply::Json(Value::Object(answer))
}

/// The ids to look at, and whether the query named parents, referrers or objects.
fn candidates(state: &State, kind: Kind, query: &Query) -> (Vec<Uuid>, bool) {
    let ids = |texts: &[String]| -> Vec<Uuid> {
        let mut seen = HashSet::new();
        let ids = texts.iter().filter_map(|text| parse_uuid(text));
        ids.filter(|id| seen.insert(*id)).collect()
    };
    let referrers = |targets: &[String]| -> BTreeSet<Uuid> {
        ids(targets)
            .into_iter()
            .flat_map(|target| state.store.back_refs_of(target, kind))
            .collect()
    };
    let parents = match &query.parent_name {
        Some(name) => Some(parents_by_name(
            state,
            kind,
            name,
            query.parent_type.as_deref(),
        )),
        None => query.parents.as_deref().map(ids),
    };
    if let Some(parents) = parents {
        let mut children: Vec<Uuid> = parents
            .into_iter()
            .flat_map(|parent| state.store.children_of(parent, kind).iter().copied())
            .collect();
        if let Some(targets) = &query.back_refs {
            let referrers = referrers(targets);
            children.retain(|id| referrers.contains(id));
        }
        if let Some(wanted) = query.ids.as_deref().map(ids) {
            children.retain(|id| wanted.contains(id));
        }
        return (children, true);
    }
    if let Some(targets) = &query.back_refs {
        return (referrers(targets).into_iter().collect(), true);
    }
    if let Some(wanted) = &query.ids {
        return (ids(wanted), true);
    }
    if let Some(names) = &query.names {
        let found = names
            .iter()
            .filter_map(|name| state.store.find(kind, &[name]));
        return (found.collect(), true);
    }
    (state.store.listed(kind).map(|(_, id)| id).collect(), false)
}

fn parents_by_name(state: &State, kind: Kind, name: &str, parent_type: Option<&str>) -> Vec<Uuid> {
    let kinds = kind.parents().iter();
    kinds
        .filter(|parent| parent_type.is_none_or(|wanted| wanted == parent.as_str()))
        .filter_map(|parent| Kind::find(parent))
        .filter_map(|parent| state.store.find(parent, &[name]))
        .collect()
}

/// Leaves the objects of one page; the marker of the next one, if the page is full.
fn cut(objects: &mut Vec<&Object>, page: &Page, anchored: bool) -> Option<String> {
    let key = |object: &Object| {
        if anchored {
            object.uuid.to_string()
        } else {
            list_key(object)
        }
    };
    objects.sort_by_cached_key(|object| key(object));
    if let Some(after) = &page.after {
        objects.retain(|object| key(object) > *after);
    }
    objects.truncate(page.limit);
    let last = objects.last().map(|object| key(object));
    last.filter(|_| objects.len() == page.limit)
}

fn entry(state: &State, call: &Call<'_>, object: &Object, query: &Query, anchored: bool) -> Value {
    if query.detail {
        let shown = Shown {
            only: Some(query.fields.clone().unwrap_or_default()),
            all_props: true,
            href: !query.exclude_hrefs,
            ..Shown::default()
        };
        return json!({ object.kind.name(): render(state, call, object, &shown) });
    }
    if let Some(fields) = &query.fields {
        let shown = Shown {
            only: Some(fields.clone()),
            href: !query.exclude_hrefs,
            ..Shown::default()
        };
        let mut entry = render(state, call, object, &shown);
        for name in ["name", "id_perms", "perms2"] {
            if !fields.contains(name) {
                entry.shift_remove(name);
            }
        }
        return Value::Object(entry);
    }
    let mut entry = Map::new();
    entry.insert("uuid".into(), json!(object.uuid));
    // The index that an unanchored list is read from has names joined by colons.
    let joined = object.fq_name.join(":");
    let name = if anchored {
        json!(object.fq_name)
    } else {
        joined.split(':').collect()
    };
    entry.insert("fq_name".into(), name);
    if !query.exclude_hrefs {
        entry.insert("href".into(), json!(call.href(object.kind, object.uuid)));
    }
    Value::Object(entry)
}
