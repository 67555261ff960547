//! The recorded exchanges, and the requests to send for them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::compare::Comparison;

#[derive(Deserialize)]
pub struct Exchange {
    pub name: String,
    pub request: Request,
    pub response: Response,
}

#[derive(Deserialize)]
pub struct Request {
    pub method: String,
    pub path: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub body: Option<Value>,
}

#[derive(Deserialize)]
pub struct Response {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// A listed difference.
#[derive(Deserialize)]
struct Listed {
    number: usize,
    name: String,
    reason: String,
}

/// What is sent.
pub struct Sent {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
}

pub fn exchanges() -> Vec<Exchange> {
    serde_json::from_str(include_str!("../fixtures/config-api.json")).unwrap()
}

/// The listed differences by the number of the exchange.
pub fn listed_differences() -> BTreeMap<usize, String> {
    let text = include_str!("../fixtures/config-api-differences.json");
    let listed: Vec<Listed> = serde_json::from_str(text).unwrap();
    let exchanges = exchanges();
    for entry in &listed {
        assert_eq!(entry.name, exchanges[entry.number].name, "{}", entry.number);
        assert!(!entry.reason.is_empty(), "{} needs a reason", entry.number);
    }
    listed
        .into_iter()
        .map(|entry| (entry.number, entry.reason))
        .collect()
}

/// The request of an exchange, with the lab's ids in place of the recorded ones.
pub fn request(exchange: &Exchange, known: &Comparison) -> Sent {
    let recorded = &exchange.request;
    let mut headers: Vec<(String, String)> = recorded
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), known.translate(value)))
        .collect();
    let body = recorded.body.as_ref().map(|body| match body {
        Value::String(text) => body_text(exchange, text),
        document => known.translate(&document.to_string()).into_bytes(),
    });
    // The recording leaves the usual content type out.
    let content_type = match exchange.name.as_str() {
        "no Content-Type header" => None,
        "Content-Type text/plain" => Some("text/plain"),
        _ => body.is_some().then_some("application/json"),
    };
    if let Some(value) = content_type {
        headers.push(("Content-Type".into(), value.into()));
    }
    Sent {
        method: recorded.method.clone(),
        target: known.translate(&whole_target(&recorded.path)),
        headers,
        body,
    }
}

/// A body that was recorded as text; of large ones only the length was kept.
fn body_text(exchange: &Exchange, text: &str) -> Vec<u8> {
    let Some(length) = text
        .strip_prefix('<')
        .and_then(|rest| rest.split(' ').next())
    else {
        return text.as_bytes().to_vec();
    };
    let length: usize = length.parse().unwrap();
    let names = &exchange.response.body["virtual-network"]["fq_name"];
    let mut document = serde_json::json!({"virtual-network": {
        "fq_name": names, "parent_type": "project", "display_name": "",
    }});
    let padding = "x".repeat(length - document.to_string().len());
    document["virtual-network"]["display_name"] = padding.into();
    document.to_string().into_bytes()
}

/// A target that was recorded in full, or made as long again as it was.
fn whole_target(path: &str) -> String {
    let Some((begin, rest)) = path.split_once("...<") else {
        return path.to_owned();
    };
    let length: usize = rest.split(' ').next().unwrap().parse().unwrap();
    let (prefix, ids) = begin.split_once('=').unwrap();
    let id = ids.split(',').next().unwrap();
    let count = (length - prefix.len()) / (id.len() + 1);
    format!("{prefix}={}", vec![id; count].join(","))
}
