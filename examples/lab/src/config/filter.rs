//! `filters=display_name=="a",display_name=="b",is_shared==true`: the same property twice means
//! either, different ones mean all.

use serde_json::{Map, Value};

use super::error::{ApiError, Result};

/// The values that one property may have.
#[derive(Debug, PartialEq)]
pub struct Filter {
    name: String,
    values: Vec<Value>,
}

impl Filter {
    /// Whether an object passes.
    pub fn matches(&self, props: &Map<String, Value>) -> bool {
        props
            .get(&self.name)
            .is_some_and(|value| self.values.iter().any(|wanted| matches(wanted, value)))
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
/// 400 for one that is not `name==json`.
pub fn parse_filters(text: Option<&str>) -> Result<Vec<Filter>> {
    let mut filters: Vec<Filter> = Vec::new();
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(filters);
    };
    for item in text.split(',') {
        let invalid = || ApiError::bad_request(format!("Invalid filter {text}"));
        let (name, value) = item.split_once("==").ok_or_else(invalid)?;
        let value: Value = serde_json::from_str(value).map_err(|_| invalid())?;
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

    fn pass(filters: &str, props: Value) -> bool {
        let filters = parse_filters(Some(filters)).unwrap();
        let props = props.as_object().unwrap();
        filters.iter().all(|filter| filter.matches(props))
    }

    #[test]
    fn one_name_twice_means_either_and_two_names_mean_both() {
        let props = json!({"a": "x", "b": true, "c": {"d": 1, "e": 2}});
        assert!(pass(r#"a=="y",a=="x""#, props.clone()));
        assert!(!pass(r#"a=="x",b==false"#, props.clone()));
        assert!(pass(r#"c=={"d":1}"#, props.clone()));
        assert!(!pass(r#"missing=="x""#, props));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        assert_eq!(
            parse_filters(Some("zzz")).unwrap_err().text,
            "Invalid filter zzz"
        );
        assert!(parse_filters(Some("a==x")).is_err());
    }
}
