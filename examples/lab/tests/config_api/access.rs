//! Who may ask, and what is refused before its body is read.

use std::sync::Arc;

use contrail_lab::config::{Auth, ConfigApi};
use contrail_lab::http::{Request, Service};
use contrail_lab::keystone::{Keystone, KeystoneOptions};
use serde_json::{Value, json};

use crate::client::{api, request, send, text};

fn token(keystone: &Keystone) -> String {
    let credentials = json!({"username": "admin", "password": "contrail123"});
    let body = json!({"auth": {"passwordCredentials": credentials, "tenantName": "admin"}});
    let response = keystone.handle(&request("POST", "/v2.0/tokens", Some(body)));
    let document: Value = serde_json::from_slice(&response.body).unwrap();
    document["access"]["token"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn with_keystone_only_a_valid_token_opens_the_api() {
    let keystone = Arc::new(Keystone::new(KeystoneOptions::default()));
    let api = ConfigApi::new(Auth::Keystone(Arc::clone(&keystone)), &keystone.projects());
    let refused = send(&api, "GET", "/projects", None);
    assert_eq!(refused.status, 401);
    let uri = refused.header("www-authenticate").unwrap();
    assert_eq!(uri, "Keystone uri=\"http://lab:35357\"");
    assert_eq!(send(&api, "GET", "/", None).status, 200);

    let mut with_token = request("GET", "/projects", None);
    with_token
        .headers
        .push(("x-auth-token".into(), token(&keystone)));
    let answer = api.handle(&with_token);
    assert_eq!(answer.status, 200);
    assert!(text(&answer).contains("\"admin\""));
    let mode = request("GET", "/aaa-mode", None);
    let mode = Request {
        headers: with_token.headers.clone(),
        ..mode
    };
    assert!(text(&api.handle(&mode)).contains("cloud-admin"));

    keystone.revoke_all();
    assert_eq!(api.handle(&with_token).status, 401);
}

#[test]
fn a_user_without_the_role_admin_is_forbidden() {
    let mut options = KeystoneOptions::default();
    options.users[0].roles = vec!["member".into()];
    let keystone = Arc::new(Keystone::new(options));
    let api = ConfigApi::new(Auth::Keystone(Arc::clone(&keystone)), &keystone.projects());
    let mut request = request("GET", "/projects", None);
    request
        .headers
        .push(("x-auth-token".into(), token(&keystone)));
    let refused = api.handle(&request);
    assert_eq!(
        (refused.status, text(&refused).as_str()),
        (403, "403 Permission Denied")
    );
}

#[test]
fn a_chunked_or_too_long_body_and_a_too_long_target_are_not_read() {
    let api = api();
    let with = |name: &str, value: &str| {
        let mut request = request("POST", "/virtual-networks", None);
        request.headers.push((name.into(), value.into()));
        api.admit(&request)
            .map(|response| (response.status, text(&response)))
    };
    let (status, body) = with("transfer-encoding", "chunked").unwrap();
    assert_eq!(
        (status, body.as_str()),
        (400, "Error while parsing chunked transfer body.")
    );
    assert_eq!(with("content-length", "1024001").unwrap().0, 413);
    assert_eq!(with("content-length", "1024000"), None);
    let long = request(
        "GET",
        &format!("/virtual-networks?obj_uuids={}", "x".repeat(70_000)),
        None,
    );
    assert_eq!(api.admit(&long).unwrap().status, 414);
}
