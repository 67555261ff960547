//! `/prop-collection-get` and `/prop-collection-update`: elements of map and list properties.

use serde_json::{Map, Value, json};

use crate::config::access::Access;
use crate::config::call::{Call, Reply};
use crate::config::check::{compound, is_falsy};
use crate::config::error::{ApiError, Result};
use crate::config::identifier::parse_uuid;
use crate::config::meta;
use crate::config::python_json::dumps;
use crate::config::python_repr::str_of;
use crate::config::schema::{Check, Collection, Kind, class};
use crate::config::state::State;
use crate::config::store::Object;

/// Shows the elements of collections, each with its position.
///
/// # Errors
/// 404 for an unknown object, 400 for an unknown field.
pub fn get(state: &State, call: &Call<'_>) -> Result<Reply> {
    let object = object(state, &call.query("uuid").unwrap_or_default())?;
    let fields = call.query("fields").filter(|fields| !fields.is_empty());
    let missing = "Object fields needed for property collection get";
    let fields = fields.ok_or_else(|| ApiError::bad_request(missing))?;
    let position = call.query("position");
    let mut answer = Map::new();
    for name in fields.split(',') {
        let field = Field::find(object.kind, name)?;
        let elements = field.elements(&object.props);
        let placed = elements.iter().enumerate().map(|(index, element)| {
            let place = field.position(index, element);
            json!([element, place])
        });
        let wanted = |pair: &Value| position.as_deref().is_none_or(|p| pair[1] == *p);
        answer.insert(name.into(), placed.filter(wanted).collect());
    }
    Ok(Reply::Json(Value::Object(answer)))
}

/// Changes elements of collections. All changes are checked before the first is made.
///
/// # Errors
/// 404 for an unknown object, 400 for an unknown field or operation, 500 for an incomplete change.
pub fn update(state: &mut State, call: &Call<'_>) -> Result<Reply> {
    let body = call.json_object()?;
    let Some(id) = body.get("uuid").filter(|id| !is_falsy(id)) else {
        let text = "Error: prop_collection_update needs obj_uuid";
        return Err(ApiError::bad_request(text));
    };
    let object = object(state, &str_of(id))?;
    call.caller.may(object, Access::Write)?;
    let (kind, uuid) = (object.kind, object.uuid);
    let updates = match body.get("updates") {
        Some(Value::Array(updates)) => updates.as_slice(),
        Some(value) if !is_falsy(value) => return Err(ApiError::internal()),
        _ => &[],
    };
    let changes: Vec<Change<'_>> = updates
        .iter()
        .map(|update| Change::of(kind, update))
        .collect::<Result<_>>()?;
    let mut props = object.props.clone();
    for change in &changes {
        change.make(&mut props)?;
    }
    meta::stamp_modified(&mut props);
    if let Some(stored) = state.store.props_mut(uuid) {
        *stored = props;
    }
    state.touch();
    Ok(Reply::Empty)
}

fn object<'a>(state: &'a State, id: &str) -> Result<&'a Object> {
    let object = parse_uuid(id).and_then(|uuid| state.store.get(uuid));
    object.ok_or_else(|| ApiError::new(404, format!("Object Not Found: {id}")))
}

/// A collection: a class with one list in it.
struct Field {
    name: &'static str,
    wrapper: &'static str,
    class: &'static str,
    keyed: bool,
}

impl Field {
    fn find(kind: Kind, name: &str) -> Result<Self> {
        let prop = kind
            .prop(name)
            .filter(|prop| prop.collection != Collection::No);
        let text = || format!("{name} neither \"ListProperty\" nor \"MapProperty\"");
        let unknown = || ApiError::bad_request(text());
        let prop = prop.ok_or_else(unknown)?;
        let Check::Class(class_name) = &prop.check else {
            return Err(unknown());
        };
        let fields = class(class_name).unwrap_or_default();
        let wrapper = fields.iter().find(|field| field.list).ok_or_else(unknown)?;
        let Check::Class(class) = &wrapper.check else {
            return Err(unknown());
        };
        Ok(Self {
            name: &prop.name,
            wrapper: &wrapper.name,
            class,
            keyed: prop.collection == Collection::Map,
        })
    }

    fn elements(&self, props: &Map<String, Value>) -> Vec<Value> {
        let list = props
            .get(self.name)
            .and_then(|value| value[self.wrapper].as_array());
        list.cloned().unwrap_or_default()
    }

    fn position(&self, index: usize, element: &Value) -> String {
        if self.keyed {
            str_of(&element["key"])
        } else {
            index.to_string()
        }
    }

    fn store(&self, props: &mut Map<String, Value>, elements: Vec<Value>) {
        if elements.is_empty() {
            props.shift_remove(self.name);
        } else {
            props.insert(self.name.into(), json!({ self.wrapper: elements }));
        }
    }
}

#[derive(Clone, Copy)]
enum Operation {
    /// Of a map: replaces or adds the element of the value's key.
    Set,
    /// Of a list.
    Add,
    /// Of a list: replaces the element at a position, or adds one.
    Modify,
    /// The element at a position, if there is one.
    Delete,
}

/// One change that a request asks for.
struct Change<'a> {
    field: Field,
    operation: Operation,
    update: &'a Value,
}

impl<'a> Change<'a> {
    fn of(kind: Kind, update: &'a Value) -> Result<Self> {
        let field = Field::find(kind, &str_of(&update["field"]))?;
        let name = update["operation"]
            .as_str()
            .ok_or_else(ApiError::internal)?;
        let operation = match (name.to_ascii_lowercase().as_str(), field.keyed) {
            ("set", true) => Operation::Set,
            ("add", false) => Operation::Add,
            ("modify", false) => Operation::Modify,
            ("delete", _) => Operation::Delete,
            (name, _) => {
                let shown = String::from_utf8_lossy(&dumps(update)).into_owned();
                let text = format!("Unsupported operation {name} in request {shown}");
                return Err(ApiError::bad_request(text));
            }
        };
        if !matches!(operation, Operation::Delete) {
            let mut value = update
                .get("value")
                .cloned()
                .ok_or_else(ApiError::internal)?;
            compound(field.class, &mut value).map_err(ApiError::bad_request)?;
        }
        Ok(Self {
            field,
            operation,
            update,
        })
    }

    fn make(&self, props: &mut Map<String, Value>) -> Result<()> {
        let mut elements = self.field.elements(props);
        let value = &self.update["value"];
        let missing = |name: &str| ApiError::traceback(format!("KeyError: '{name}'"));
        let position = || {
            let position = self.update.get("position").map(str_of);
            position.ok_or_else(|| missing("position"))
        };
        let at = |position: &str| {
            let mut indices = 0..elements.len();
            indices.find(|index| self.field.position(*index, &elements[*index]) == position)
        };
        match self.operation {
            Operation::Add => elements.push(value.clone()),
            Operation::Delete => {
                if let Some(index) = at(&position()?) {
                    elements.remove(index);
                }
            }
            Operation::Set | Operation::Modify => {
                let place = match self.operation {
                    Operation::Set => str_of(value.get("key").ok_or_else(|| missing("key"))?),
                    _ => position()?,
                };
                match at(&place) {
                    Some(index) => elements[index] = value.clone(),
                    None => elements.push(value.clone()),
                }
            }
        }
        self.field.store(props, elements);
        Ok(())
    }
}
