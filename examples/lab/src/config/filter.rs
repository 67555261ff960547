//! `filters=display_name=="a",display_name=="b",is_shared==true`: the same property twice means
//! either, different ones mean all.

use serde_json::{Map, Value};

use super::error::{ApiError, Result};
use super::schema::Kind;

/// The values that one property may have.
#[derive(Debug, PartialEq)]
pub struct Filter {
    name: String,
    values: Vec<Value>,
}

impl Filter {
    /// Whether an object passes. A filter for what is no property of its type lets everything pass.
    pub fn matches(&self, kind: Kind, props: &Map<String, Value>) -> bool {
        let is_one = |value: &Value| self.values.iter().any(|wanted| matches(wanted, value));
        kind.prop(&self.name).is_none() || props.get(&self.name).is_some_and(is_one)
    }
}

/// An object matches when it has what is wanted of it; other values must be equal.
fn matches(wanted: &Value, value: &Value) -> bool {
    match (wanted, value) {
        (Value::Object(wanted), Value::Object(fields)) => wanted
            .iter()
            .all(|(name, wanted)| fields.get(name).is_some_and(|v| matches(wanted, v))),
        _ => wanted == value,
    }
}

/// Reads filters.
///
/// # Errors
/// 400 for one that is not `name==value`, and for a list as the value. What is no JSON is a string.
pub fn parse_filters(text: Option<&str>) -> Result<Vec<Filter>> {
    let mut filters: Vec<Filter> = Vec::new();
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(filters);
    };
    for item in text.split(',') {
        let invalid = || ApiError::bad_request(format!("Invalid filter {text}"));
        let (name, value) = item.split_once("==").ok_or_else(invalid)?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.into()));
        if value.is_array() {
            return Err(invalid());
        }
        match filters.iter_mut().find(|filter| filter.name == name) {
            Some(filter) => filter.values.push(value),
            None => filters.push(Filter {
                name: name.into(),
                values: vec![value],
            }),
        }
    }
    Ok(filters)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pass(filters: &str) -> bool {
        let filters = parse_filters(Some(filters)).unwrap();
        let kind = Kind::find("virtual-network").unwrap();
        let props =
            json!({"display_name": "x", "is_shared": true, "perms2": {"owner": "a", "b": 2}});
        let props = props.as_object().unwrap();
        filters.iter().all(|filter| filter.matches(kind, props))
    }

    #[test]
    fn one_name_twice_means_either_and_two_names_mean_both() {
        assert!(pass(r#"display_name=="y",display_name=="x""#));
        assert!(!pass(r#"display_name=="x",is_shared==false"#));
        assert!(pass(r#"perms2=={"owner":"a"}"#));
        assert!(!pass(r#"router_external==true"#));
    }

    #[test]
    fn a_value_without_quotes_is_a_string_and_an_unknown_name_filters_nothing() {
        assert!(pass("display_name==x"));
        assert!(!pass("display_name=='x'"));
        assert!(!pass("is_shared==True"));
        assert!(pass(r#"nope=="x""#));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in ["zzz", r#"display_name==["x"]"#, r#"display_name=="x,y""#] {
            let refused = parse_filters(Some(text)).unwrap_err().text;
            assert_eq!(refused, format!("Invalid filter {text}"));
        }
    }
}
