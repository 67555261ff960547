//! The recorded exchanges, and the requests to send for them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::compare::Comparison;

#[derive(Deserialize)]
pub struct Exchange {
    pub name: String,
    /// The self-contained sequence that the exchange is part of.
    #[serde(default)]
    pub cause: String,
    /// How the server was configured, if otherwise than by default.
    pub server: Option<String>,
    /// The exchange is one of several at once.
    #[serde(default)]
    pub race: bool,
    /// The connection was closed before the announced body came, and how much of it.
    pub truncated: Option<String>,
    /// The exchange only prepares the others of its cause.
    #[serde(default)]
    pub setup: bool,
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

/// A recording, and the exchanges of it that the lab is known to answer otherwise.
pub struct Recording {
    pub exchanges: Vec<Exchange>,
    pub differences: BTreeMap<usize, String>,
}

/// The recording of one client on a server without authentication.
pub fn first() -> Recording {
    let exchanges = serde_json::from_str(include_str!("../fixtures/config-api.json")).unwrap();
    let differences = include_str!("../fixtures/config-api-differences.json");
    recording(exchanges, differences)
}

/// The recording of sequences with errors, on servers that are configured in several ways.
pub fn second() -> Recording {
    let packed: &[u8] = include_bytes!("../fixtures/config-api-2.json.gz");
    let exchanges = serde_json::from_reader(flate2::read::GzDecoder::new(packed)).unwrap();
    let differences = include_str!("../fixtures/config-api-2-differences.json");
    recording(exchanges, differences)
}

fn recording(exchanges: Vec<Exchange>, differences: &str) -> Recording {
    let differences = listed_differences(&exchanges, differences);
    Recording {
        exchanges,
        differences,
    }
}

/// The listed differences by the number of the exchange.
fn listed_differences(exchanges: &[Exchange], text: &str) -> BTreeMap<usize, String> {
    let listed: Vec<Listed> = serde_json::from_str(text).unwrap();
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
