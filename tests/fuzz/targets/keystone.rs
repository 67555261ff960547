//! The answers of Keystone.

use std::path::Path;
use std::time::Duration;

use contrail_core::http::Response;
use contrail_core::keystone::{Keystone, KeystoneSettings, TokenSource};
use contrail_core::testing::FakeTransport;
use contrail_core::{Deadline, Secret};
use serde_json::json;

use super::{check_error, used};

/// Asks for a token; the answer has a token in the header, as that of version 3 has.
fn ask(url: &str, status: u16, body: &[u8]) {
    let mut answer = Response::new(status, body);
    let header = ("X-Subject-Token".to_owned(), "sesame".to_owned());
    answer.headers.push(header);
    let transport = FakeTransport::new(move |_| Ok(answer.clone()));
    let settings = KeystoneSettings {
        url: url.into(),
        user: "admin".into(),
        password: Secret::new("contrail123"),
        project: "admin".into(),
        user_domain: "default".into(),
        project_domain: "default".into(),
    };
    // Tokens are not kept: nobody can make a directory there.
    let keystone = Keystone::new(transport, settings, Path::new("/proc/nonexistent"));
    let Ok(keystone) = keystone else {
        return;
    };
    match keystone.token(Deadline::after(Duration::from_millis(200))) {
        Ok(token) => used(token),
        Err(error) => check_error(&error),
    }
}

/// An answer to a request for a token, in both versions.
pub fn token(text: &[u8]) {
    for (url, status) in [
        ("http://k:5000/v2.0", 200),
        ("http://k:5000/v3", 201),
        ("http://k:5000/v3", 401),
    ] {
        ask(url, status, text);
    }
}

/// When a token expires, and when it was issued.
pub fn date(text: &[u8]) {
    let date = String::from_utf8_lossy(text);
    let v2 = json!({"access": {"token": {"id": "sesame", "expires": date, "issued_at": date}}});
    ask("http://k:5000/v2.0", 200, v2.to_string().as_bytes());
    let v3 = json!({"token": {"expires_at": date, "issued_at": date}});
    ask("http://k:5000/v3", 201, v3.to_string().as_bytes());
}
