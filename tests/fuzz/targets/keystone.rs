//! The answers of Keystone.

use std::cell::OnceCell;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contrail_core::http::Response;
use contrail_core::keystone::{Keystone, KeystoneSettings, TokenSource};
use contrail_core::testing::FakeTransport;
use contrail_core::{Deadline, Secret};
use serde_json::json;
use tempfile::TempDir;

use super::{check_error, used};

/// Asks for a token; the answer has a token in the header, as that of version 3 has.
fn ask(url: &str, status: u16, body: &[u8]) {
    // Tokens are not kept: nobody can make a directory there.
    ask_with(url, status, body, Path::new("/proc/nonexistent"));
}

/// The same with a directory in which tokens are kept.
fn ask_with(url: &str, status: u16, body: &[u8], tokens: &Path) {
    let mut answer = Response::new(status, body);
    let header = ("X-Subject-Token".to_owned(), "sesame".to_owned());
    answer.headers.push(header);
    let transport = FakeTransport::new(move |_| Ok(answer.clone()));
    let password = Secret::new("contrail123");
    let settings = KeystoneSettings::with_password(url, "admin", password, "admin");
    let keystone = Keystone::new(transport, settings, tokens);
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

/// The file that keeps a token between calls.
pub fn stored_token(text: &[u8]) {
    thread_local! {
        static TOKENS: OnceCell<(TempDir, PathBuf)> = const { OnceCell::new() };
    }
    const URL: &str = "http://k:5000/v3";
    TOKENS.with(|tokens| {
        let (dir, path) = tokens.get_or_init(|| {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let private = Permissions::from_mode(0o700);
            fs::set_permissions(dir.path(), private).expect("an own directory");
            let granted = br#"{"token": {"expires_at": "2199-01-01T00:00:00Z"}}"#;
            ask_with(URL, 201, granted, dir.path());
            let files = fs::read_dir(dir.path()).expect("a directory");
            let mut paths = files.map(|file| file.expect("an entry").path());
            let stored = paths.find(|path| path.extension().is_none());
            (dir, stored.expect("the token is kept"))
        });
        fs::write(path, text).expect("a file");
        // Another token is asked for unless this one is good, and refused.
        ask_with(URL, 401, b"", dir.path());
    });
}
