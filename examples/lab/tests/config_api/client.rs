//! Requests to the configuration API, without a socket.

use contrail_lab::config::{Auth, ConfigApi};
use contrail_lab::http::{Request, Response, Service};
use serde_json::{Value, json};

pub fn request(method: &str, target: &str, body: Option<Value>) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let content_type = ("content-type".into(), "application/json".into());
    Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: vec![("host".into(), "lab:8082".into()), content_type],
        body: body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default(),
    }
}

pub fn send(api: &ConfigApi, method: &str, target: &str, body: Option<Value>) -> Response {
    api.handle(&request(method, target, body))
}

pub fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

/// Sends a request that must succeed.
pub fn ok(api: &ConfigApi, method: &str, target: &str, body: Option<Value>) -> Value {
    let response = send(api, method, target, body);
    assert_eq!(
        response.status,
        200,
        "{method} {target}: {}",
        text(&response)
    );
    serde_json::from_slice(&response.body).unwrap_or_default()
}

/// Creates an object; its id.
pub fn create(api: &ConfigApi, kind: &str, object: Value) -> String {
    let answer = ok(
        api,
        "POST",
        &format!("/{kind}s"),
        Some(json!({ kind: object })),
    );
    answer[kind]["uuid"].as_str().unwrap().to_owned()
}

pub fn api() -> ConfigApi {
    ConfigApi::new(Auth::None, &[])
}

const PROJECT: [&str; 2] = ["default-domain", "default-project"];

pub fn network(name: &str, prefix: &str) -> Value {
    json!({
        "fq_name": [PROJECT[0], PROJECT[1], name], "parent_type": "project",
        "network_ipam_refs": [{
            "to": ["default-domain", "default-project", "default-network-ipam"],
            "attr": {"ipam_subnets": [{"subnet": {"ip_prefix": prefix, "ip_prefix_len": 24}}]},
        }],
    })
}
