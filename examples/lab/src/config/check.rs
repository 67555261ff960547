//! Checks the properties and link data of a request against the schema, with the server's texts.
//! As there, values that can be read as the right type are changed to it.

use ipnetwork::IpNetwork;
use serde_json::{Map, Value};

use super::python_repr::{repr, str_of};
use super::schema::{Check, Kind, class};

/// Checks all properties of an object; the text says which one is wrong.
pub fn properties(kind: Kind, object: &mut Map<String, Value>) -> Result<(), String> {
    for prop in kind.props() {
        let Some(value) = object.get_mut(&prop.name) else {
            continue;
        };
        if is_falsy(value) {
            continue;
        }
        let Check::Class(name) = &prop.check else {
            simple(&prop.name, &prop.check, value)
                .map_err(|reason| format!("Error validating property {reason}"))?;
            continue;
        };
        if !value.is_object() {
            return Err(format!(
                "Error in property {} type {} value of {} ",
                prop.name,
                python_class(name),
                str_of(value)
            ));
        }
        complex(name, value).map_err(|reason| {
            let value = repr(value);
            format!(
                "Error validating property {} value {value} {reason}",
                prop.name
            )
        })?;
    }
    Ok(())
}

/// Checks the link data of all references; the text says which one is wrong.
pub fn references(kind: Kind, object: &mut Map<String, Value>) -> Result<(), String> {
    for link in kind.links() {
        let Some(attr_class) = &link.attr else {
            continue;
        };
        let field = format!("{}_refs", link.to.replace('-', "_"));
        let Some(value) = object.get_mut(&field).filter(|value| !is_falsy(value)) else {
            continue;
        };
        let wrong = |value: &str, reason: &str| {
            format!("Error validating reference {field} value {value} {reason}")
        };
        let not_a_ref = "string indices must be integers, not 'str'";
        let elements = match value {
            Value::Array(elements) => elements,
            // Python iterates over what it got: the keys of an object, which are strings.
            Value::Object(fields) => {
                let first = fields.keys().next().map_or("", String::as_str);
                return Err(wrong(first, not_a_ref));
            }
            other => return Err(wrong(&str_of(other), not_a_ref)),
        };
        for element in elements {
            let Value::Object(fields) = element else {
                return Err(wrong(&str_of(element), not_a_ref));
            };
            let checked = match fields.get_mut("attr") {
                Some(attr) => compound(attr_class, attr),
                None => Err("'attr'".into()),
            };
            checked.map_err(|reason| wrong(&repr(element), &reason))?;
        }
    }
    Ok(())
}

/// Checks a value that must be of a class, or null.
pub fn compound(name: &str, value: &mut Value) -> Result<(), String> {
    let python_type = match value {
        Value::String(_) => "str",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::Array(_) => "list",
        Value::Null | Value::Object(_) => return complex(name, value),
    };
    Err(format!("'{python_type}' object has no attribute 'items'"))
}

/// Checks a value of a class.
fn complex(name: &str, value: &mut Value) -> Result<(), String> {
    let (Some(fields), Value::Object(object)) = (class(name), value) else {
        return Ok(());
    };
    for (key, value) in object.iter_mut() {
        let Some(field) = fields.iter().find(|field| field.name == *key) else {
            let class = python_class(name);
            return Err(format!("class {class} does not have field {key}"));
        };
        if is_falsy(value) {
            continue;
        }
        if !field.list {
            one(&field.name, &field.check, value)?;
            continue;
        }
        let Value::Array(items) = value else {
            let value = str_of(value);
            return Err(format!(
                "Field {key} must be a list. Received value: {value}"
            ));
        };
        for item in items {
            one(&field.name, &field.check, item)?;
        }
    }
    match name {
        "SubnetType" => subnet(object),
        "AllowedAddressPair" => address_pair(object),
        _ => Ok(()),
    }
}

fn one(name: &str, check: &Check, value: &mut Value) -> Result<(), String> {
    match check {
        Check::Class(class) => complex(class, value),
        simple_check => simple(name, simple_check, value),
    }
}

fn simple(name: &str, check: &Check, value: &mut Value) -> Result<(), String> {
    match check {
        _ if value.is_null() => Ok(()),
        Check::Bool if !value.is_boolean() => {
            let value = str_of(value);
            Err(format!("{name}: true/false expected instead of {value}"))
        }
        Check::Bool | Check::Class(_) => Ok(()),
        Check::Int(limits) => integer(name, *limits, value),
        Check::ServiceInterface => service_interface(value),
        Check::Community => community(value),
        Check::Text(choices) => {
            let Value::String(text) = &*value else {
                let value = str_of(value);
                return Err(format!("{name}: string value expected instead of {value}"));
            };
            if choices.is_empty() || choices.contains(text) {
                return Ok(());
            }
            let choices = super::python_repr::repr_list(choices);
            Err(format!("{name}: value must be one of {choices}"))
        }
    }
}

fn integer(name: &str, limits: Option<(i64, i64)>, value: &mut Value) -> Result<(), String> {
    if let Value::String(text) = &*value {
        let number: Result<i64, _> = text.trim().parse();
        let wrong = || format!("{name}: integer value expected instead of {text}");
        *value = Value::from(number.map_err(|_| wrong())?);
    }
    let Value::Number(number) = &*value else {
        let value = str_of(value);
        return Err(format!("{name}: integer value expected instead of {value}"));
    };
    match (limits, number.as_i64()) {
        (Some((low, high)), Some(number)) if number < low || number > high => {
            Err(format!("{name}: value must be between {low} and {high}"))
        }
        _ => Ok(()),
    }
}

fn service_interface(value: &Value) -> Result<(), String> {
    let text = str_of(value);
    if ["management", "left", "right"].contains(&text.as_str()) || text.starts_with("other") {
        return Ok(());
    }
    Err(format!(
        "Invalid service interface type {text}. Valid values are: management|left|right|other[0-9]*"
    ))
}

const COMMUNITIES: [&str; 5] = [
    "no-export",
    "accept-own",
    "no-advertise",
    "no-export-subconfed",
    "no-reoriginate",
];

fn community(value: &Value) -> Result<(), String> {
    let text = str_of(value);
    let numbers = text.split_once(':').and_then(|(asn, number)| {
        let asn: u32 = asn.parse().ok()?;
        number.parse::<u32>().ok().map(|_| asn)
    });
    match numbers {
        _ if COMMUNITIES.contains(&text.as_str()) => Ok(()),
        None => Err(format!(
            "Invalid community format {text}. Change to 'number:number'"
        )),
        Some(65536..) => Err(format!(
            "Out of range ASN value {text}. ASN values cannot exceed 65535."
        )),
        Some(_) => Ok(()),
    }
}

/// Clears the host bits of a subnet.
fn subnet(object: &mut Map<String, Value>) -> Result<(), String> {
    let (Some(prefix), Some(length)) = (object.get("ip_prefix"), object.get("ip_prefix_len"))
    else {
        return Ok(());
    };
    let text = format!("{}/{}", str_of(prefix), str_of(length));
    let network: IpNetwork = text
        .parse()
        .map_err(|_| format!("Subnet type '{text}' is invalid"))?;
    object.insert("ip_prefix".into(), network.network().to_string().into());
    Ok(())
}

/// A pair in which only one port answers must not be for many addresses.
fn address_pair(object: &Map<String, Value>) -> Result<(), String> {
    let active_standby = object
        .get("address_mode")
        .is_some_and(|m| m == "active-standby");
    let Some(ip) = object.get("ip").filter(|_| active_standby) else {
        return Ok(());
    };
    let v6 = ip["ip_prefix"]
        .as_str()
        .is_some_and(|prefix| prefix.contains(':'));
    let (family, shortest) = if v6 { ("IPv6", 120) } else { ("IPv4", 24) };
    match ip["ip_prefix_len"].as_u64() {
        Some(length) if length < shortest => Err(format!(
            "{family} Prefix length lesser than {shortest} is not acceptable"
        )),
        _ => Ok(()),
    }
}

fn python_class(name: &str) -> String {
    format!("<class 'vnc_api.gen.resource_xsd.{name}'>")
}

/// What Python's `not` says of a value.
pub fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
