//! The configuration API answers whatever it is sent: every recorded body, with every value in it
//! replaced by values of other shapes in turn, gets an answer with a status that the real server
//! uses.

#![allow(clippy::unwrap_used)] // in every helper too

use contrail_lab::config::{Auth, ConfigApi};
use contrail_lab::http::{Request, Service};
use serde_json::{Value, json};

/// All bodies that are `document` with one value replaced by `junk`.
fn spoiled(document: &Value, junk: &Value) -> Vec<Value> {
    let mut all = vec![junk.clone()];
    match document {
        Value::Object(fields) => {
            for (key, value) in fields {
                for spoiled in spoiled(value, junk) {
                    let mut copy = fields.clone();
                    copy.insert(key.clone(), spoiled);
                    all.push(Value::Object(copy));
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for spoiled in spoiled(item, junk) {
                    let mut copy = items.clone();
                    copy[index] = spoiled;
                    all.push(Value::Array(copy));
                }
            }
        }
        _ => {}
    }
    all
}

fn send(api: &ConfigApi, method: &str, target: &str, body: &Value) -> u16 {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.to_string().into_bytes(),
    };
    api.handle(&request).status
}

#[test]
fn every_shape_of_every_recorded_body_gets_an_answer() {
    let text = include_str!("fixtures/config-api.json");
    let exchanges: Vec<Value> = serde_json::from_str(text).unwrap();
    let api = ConfigApi::new(Auth::None, &[]);
    let junk = [
        json!(null),
        json!(-1),
        json!("x"),
        json!([]),
        json!({"a": [1]}),
        json!([{"uuid": "x", "to": [1]}, "y"]),
    ];
    let mut seen = std::collections::HashSet::new();
    for exchange in &exchanges {
        let request = &exchange["request"];
        let (method, target) = (request["method"].as_str(), request["path"].as_str());
        let (method, target) = (method.unwrap(), target.unwrap());
        let Some(body) = request.get("body").filter(|body| body.is_object()) else {
            continue;
        };
        send(&api, method, target, body);
        for junk in &junk {
            for body in spoiled(body, junk) {
                // Bodies that differ only in names would be tried again and again.
                if !seen.insert((
                    target.to_owned(),
                    body.to_string().replace(char::is_numeric, ""),
                )) {
                    continue;
                }
                let status = send(&api, method, target, &body);
                let known = [200, 400, 403, 404, 405, 409, 412, 500, 501];
                assert!(
                    known.contains(&status),
                    "{status}: {method} {target} {body}"
                );
            }
        }
    }
    assert!(seen.len() > 3000, "{}", seen.len());
}
