//! `/prop-collection-get` and `/prop-collection-update`: elements of map and list properties.

use serde_json::{Map, Value, json};

use crate::config::call::{Call, Reply, parse_uuid};
use crate::config::error::{ApiError, Result};
use crate::config::meta;
use crate::config::python_repr::str_of;
use crate::config::schema::{Check, Collection, Kind, class};
use crate::config::state::State;

/// Shows the elements of collections, each with its position.
///
/// # Errors
/// 404 for an unknown object or field.
pub fn get(state: &State, call: &Call<'_>) -> Result<Reply> {
    let id = call.query("uuid").unwrap_or_default();
    let object = parse_uuid(&id).and_then(|uuid| state.store.get(uuid));
    let object = object.ok_or_else(|| ApiError::unknown_id(&id))?;
    let position = call.query("position");
    let mut answer = Map::new();
    for name in call.query("fields").unwrap_or_default().split(',') {
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

/// Changes elements of collections.
///
/// # Errors
/// 404 for an unknown object or field, 400 for an unknown operation.
pub fn update(state: &mut State, call: &Call<'_>) -> Result<Reply> {
    let body = call.json_object()?;
    let id = body.get("uuid").map(str_of).unwrap_or_default();
    let uuid = parse_uuid(&id);
    let object = uuid.and_then(|uuid| state.store.get(uuid));
    let object = object.ok_or_else(|| ApiError::unknown_id(&id))?;
    let (kind, uuid) = (object.kind, object.uuid);
    let mut props = object.props.clone();
    let updates = body.get("updates").and_then(Value::as_array);
    for update in updates.into_iter().flatten() {
        let name = str_of(&update["field"]);
        let field = Field::find(kind, &name)?;
        field.change(&mut props, update)?;
    }
    meta::stamp_modified(&mut props);
    if let Some(stored) = state.store.props_mut(uuid) {
        *stored = props;
    }
    state.touch();
    Ok(Reply::Empty)
}

/// A collection: a class with one list in it.
struct Field<'a> {
    name: &'a str,
    wrapper: &'static str,
    keyed: bool,
}

impl<'a> Field<'a> {
    fn find(kind: Kind, name: &'a str) -> Result<Field<'a>> {
        let prop = kind
            .prop(name)
            .filter(|prop| prop.collection != Collection::No);
        let unknown = || ApiError::new(404, format!("No such collection field: {name}"));
        let prop = prop.ok_or_else(unknown)?;
        let Check::Class(class_name) = &prop.check else {
            return Err(unknown());
        };
        let fields = class(class_name).unwrap_or_default();
        let wrapper = fields.iter().find(|field| field.list).ok_or_else(unknown)?;
        Ok(Field {
            name,
            wrapper: &wrapper.name,
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

    fn change(&self, props: &mut Map<String, Value>, update: &Value) -> Result<()> {
        let mut elements = self.elements(props);
        let value = &update["value"];
        let position = match &update["position"] {
            Value::Null if self.keyed => str_of(&value["key"]),
            Value::Null => String::new(),
            given => str_of(given),
        };
        let found = (0..elements.len()).find(|i| self.position(*i, &elements[*i]) == position);
        let operation = update["operation"].as_str().unwrap_or_default();
        match (operation.to_ascii_lowercase().as_str(), found) {
            ("set" | "modify" | "add", Some(index)) => elements[index] = value.clone(),
            ("set" | "add", None) => elements.push(value.clone()),
            ("delete", Some(index)) => {
                elements.remove(index);
            }
            ("delete" | "modify", None) => {}
            _ => {
                let text = format!("Unsupported operation: {operation}");
                return Err(ApiError::bad_request(text));
            }
        }
        if elements.is_empty() {
            props.shift_remove(self.name);
        } else {
            props.insert(self.name.into(), json!({ self.wrapper: elements }));
        }
        Ok(())
    }
}
