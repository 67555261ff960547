//! Tokens from Keystone: both versions, sharing between threads and processes, replacement.
#![allow(clippy::unwrap_used)]

mod support;

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use contrail_core::http::{Http, TlsSettings};
use contrail_core::keystone::{
    Credential, Identity, Keystone, KeystoneSettings, Subject, TokenSource, Version,
};
use contrail_core::{Deadline, Error, Secret};
use support::{Act, Seen, Server, answer, nobody};

const PASSWORD: &str = "contrail123";

fn settings(url: String) -> KeystoneSettings {
    account(url, PASSWORD, "demo")
}

fn account(url: String, password: &str, project: &str) -> KeystoneSettings {
    KeystoneSettings::with_password(url, "admin", Secret::new(password), project)
}

fn keystone(url: String, cache: &Path) -> Keystone {
    with(settings(url), cache).unwrap()
}

fn with(settings: KeystoneSettings, cache: &Path) -> contrail_core::Result<Keystone> {
    let http = Http::new(&TlsSettings::default(), Duration::from_secs(5)).unwrap();
    Keystone::new(Arc::new(http), settings, cache)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

fn token(keystone: &Keystone) -> String {
    keystone.token(soon()).unwrap().unwrap().expose().to_owned()
}

/// Answers like Keystone v2.0, with a new token each time.
fn v2(expires: &'static str) -> Server {
    let mut count = 0;
    Server::acting(move |seen: &Seen| match seen.line.as_str() {
        "POST /v2.0/tokens" => {
            count += 1;
            Act::Answer(200, access(count, expires))
        }
        _ => answer(404, r#"{"error":{"code":404,"message":"Not Found"}}"#),
    })
}

fn access(number: u32, expires: &str) -> String {
    format!(r#"{{"access":{{"token":{{"id":"v2-{number}","expires":"{expires}"}}}}}}"#)
}

fn v3() -> Server {
    let header = ("X-Subject-Token", "v3-1".to_owned());
    let body = r#"{"token":{"expires_at":"2099-01-01T00:00:00.000000Z"}}"#;
    Server::start(vec![Act::With(201, header, body.to_owned())])
}

#[test]
fn version_2_is_asked_with_tenant_and_password() {
    let dir = tempfile::tempdir().unwrap();
    let server = v2("2099-01-01T00:00:00Z");
    let keystone = keystone(server.url("/v2.0"), dir.path());
    assert_eq!(token(&keystone), "v2-1");
    let seen = server.seen().pop().unwrap();
    assert_eq!(seen.line, "POST /v2.0/tokens");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert!(seen.body.contains(r#""tenantName":"demo""#));
}

#[test]
fn version_3_gives_its_token_in_a_header() {
    let dir = tempfile::tempdir().unwrap();
    let server = v3();
    let keystone = keystone(server.url("/v3"), dir.path());
    assert_eq!(token(&keystone), "v3-1");
    assert_eq!(server.lines(), ["POST /v3/auth/tokens"]);
}

#[test]
fn without_a_version_3_is_tried_before_2() {
    let dir = tempfile::tempdir().unwrap();
    let server = v2("2099-01-01T00:00:00Z");
    assert_eq!(token(&keystone(server.url(""), dir.path())), "v2-1");
    assert_eq!(
        server.lines(),
        ["POST /v3/auth/tokens", "POST /v2.0/tokens"]
    );
    let server = v3();
    assert_eq!(token(&keystone(server.url("/"), dir.path())), "v3-1");
    assert_eq!(server.lines().len(), 1);
}

#[test]
fn a_token_or_an_application_credential_can_stand_for_the_password() {
    let dir = tempfile::tempdir().unwrap();
    let (project, secret) = (Subject::Id("p1".into()), Secret::new("geheim"));
    let token = Identity::Token {
        token: secret.clone(),
        project,
    };
    let credential = Identity::ApplicationCredential {
        credential: Credential::Id("c1".into()),
        secret,
    };
    for (identity, version, path) in [
        (token.clone(), None, "/v2.0/tokens"),
        (token, Some(Version::V3), "/v3/auth/tokens"),
        (credential, None, "/v3/auth/tokens"),
    ] {
        let server = match path {
            "/v2.0/tokens" => v2("2099-01-01T00:00:00Z"),
            _ => v3(),
        };
        let url = match version {
            None if path == "/v2.0/tokens" => server.url("/v2.0"),
            _ => server.url(""),
        };
        let keystone = with(
            KeystoneSettings {
                url,
                version,
                identity,
            },
            dir.path(),
        );
        self::token(&keystone.unwrap());
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.line, format!("POST {path}"));
        assert!(seen.body.contains("geheim"), "{}", seen.body);
    }
}

#[test]
fn a_token_is_kept_for_the_next_process_until_it_must_be_renewed() {
    let dir = tempfile::tempdir().unwrap();
    let server = v2("2099-01-01T00:00:00Z");
    for _ in 0..3 {
        let keystone = keystone(server.url("/v2.0"), dir.path());
        assert_eq!(
            (token(&keystone), token(&keystone)),
            ("v2-1".into(), "v2-1".into())
        );
    }
    assert_eq!(server.lines().len(), 1);

    let short = v2("2001-01-01T00:00:00Z");
    let keystone = keystone(short.url("/v2.0"), dir.path());
    assert_eq!(
        (token(&keystone), token(&keystone)),
        ("v2-1".into(), "v2-2".into())
    );
}

#[test]
fn an_account_never_gets_the_token_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let server = v2("2099-01-01T00:00:00Z");
    let http = Http::new(&TlsSettings::default(), Duration::from_secs(5)).unwrap();
    let other = account(server.url("/v2.0"), PASSWORD, "other");
    let other = Keystone::new(Arc::new(http), other, dir.path()).unwrap();
    assert_eq!(token(&keystone(server.url("/v2.0"), dir.path())), "v2-1");
    assert_eq!(token(&other), "v2-2");
}

#[test]
fn a_wrong_password_fails_also_while_the_token_of_the_right_one_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    // Keystone itself: the right password comes first.
    let right = Act::Answer(200, access(1, "2099-01-01T00:00:00Z"));
    let server = Server::start(vec![right, answer(401, "wrong")]);
    let url = server.url("/v2.0");
    let http = || Arc::new(Http::new(&TlsSettings::default(), Duration::from_secs(5)).unwrap());
    let wrong = |cache: &Path| {
        let settings = account(url.clone(), "sesame", "demo");
        let error = Keystone::new(http(), settings, cache)
            .unwrap()
            .token(soon());
        assert!(
            matches!(error, Err(Error::Unauthorized { .. })),
            "{error:?}"
        );
    };
    assert_eq!(token(&keystone(url.clone(), dir.path())), "v2-1");
    wrong(dir.path());
    // And it costs the right one nothing.
    assert_eq!(token(&keystone(url.clone(), dir.path())), "v2-1");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_rejected_token_costs_one_request_however_many_held_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = v2("2099-01-01T00:00:00Z");
    let (a, b) = (
        keystone(server.url("/v2.0"), dir.path()),
        keystone(server.url("/v2.0"), dir.path()),
    );
    let rejected = Secret::new(token(&a));
    assert_eq!(token(&b), "v2-1");
    for keystone in [&a, &a, &b, &b] {
        let fresh = keystone.refresh(&rejected, soon()).unwrap().unwrap();
        assert_eq!(fresh.expose(), "v2-2");
    }
    assert_eq!(server.lines().len(), 2);
    assert_eq!(token(&keystone(server.url("/v2.0"), dir.path())), "v2-2");
}

#[test]
fn parallel_threads_ask_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = v2("2099-01-01T00:00:00Z");
    let keystone = keystone(server.url("/v2.0"), dir.path());
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(token(&keystone), "v2-1"));
        }
    });
    assert_eq!(server.lines().len(), 1);
}

#[test]
fn fifty_cold_processes_ask_once() {
    let dir = tempfile::tempdir().unwrap();
    // Keystone answers only when all processes are about to ask.
    let (open, gate) = mpsc::channel::<()>();
    let mut count = 0;
    let server = Server::acting(move |_| {
        let _ = gate.recv();
        count += 1;
        Act::Answer(200, access(count, "2099-01-01T00:00:00Z"))
    });
    let ready = TcpListener::bind("127.0.0.1:0").unwrap();
    let start = |_| {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "one_of_fifty_processes"])
            .env("KEYSTONE_URL", server.url("/v2.0"))
            .env("TOKEN_DIR", dir.path().join("tokens"))
            .env("READY", ready.local_addr().unwrap().to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..50).map(start).collect();
    for _ in &children {
        ready.accept().unwrap();
    }
    drop(open);
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(server.lines().len(), 1);
}

/// The child of the test above: it does its work only when that one started it.
#[test]
fn one_of_fifty_processes() {
    let (Ok(url), Ok(dir), Ok(ready)) = (
        env::var("KEYSTONE_URL"),
        env::var("TOKEN_DIR"),
        env::var("READY"),
    ) else {
        return;
    };
    TcpStream::connect(ready).unwrap();
    assert_eq!(token(&keystone(url, Path::new(&dir))), "v2-1");
}

#[test]
fn a_directory_that_cannot_be_used_costs_only_requests() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let server = v2("2099-01-01T00:00:00Z");
    for number in 1..3 {
        let keystone = keystone(server.url("/v2.0"), &file.join("tokens"));
        assert_eq!(token(&keystone), format!("v2-{number}"));
        assert_eq!(token(&keystone), format!("v2-{number}"), "kept in memory");
    }
}

#[test]
fn refused_credentials_are_named_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    for status in [401, 403] {
        // A server that repeats what it was sent.
        let text = format!(r#"{{"error":{{"message":"no user admin with {PASSWORD}"}}}}"#);
        let server = Server::start(vec![Act::Answer(status, text)]);
        let error = keystone(server.url("/v3"), dir.path())
            .token(soon())
            .unwrap_err();
        let text = contrail_core::error::report(&error);
        assert!(matches!(error, Error::Unauthorized { .. }), "{text}");
        for part in [
            "user \"admin\", the password or project",
            &server.address.to_string(),
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains(PASSWORD), "{text}");
        assert_eq!(server.lines().len(), 1);
    }
    let settings = format!("{:?}", settings("http://k".into()));
    assert!(!settings.contains(PASSWORD), "{settings}");
}

#[test]
fn credentials_that_an_answer_repeats_are_shown_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let page = format!("<html><body>you sent {PASSWORD}</body></html>");
    for act in [
        Act::Answer(400, page.clone()),
        Act::Answer(503, page),
        Act::Answer(200, format!("\"you sent {PASSWORD}\"")),
    ] {
        let server = Server::start(vec![act]);
        let keystone = keystone(server.url("/v3"), dir.path());
        let error = keystone.token(soon()).unwrap_err();
        let text = format!("{} {error:?}", contrail_core::error::report(&error));
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[test]
fn trouble_that_may_pass_is_told_from_trouble_that_stays() {
    let dir = tempfile::tempdir().unwrap();
    let failure = |act| {
        let server = Server::start(vec![act]);
        keystone(server.url("/v3"), dir.path())
            .token(soon())
            .unwrap_err()
    };
    for act in [answer(503, "busy"), answer(429, "slow down"), Act::Close] {
        assert!(failure(act).is_transient());
    }
    for act in [
        answer(500, "oops"),
        answer(404, "no"),
        answer(201, "{}"),
        answer(200, "<html>"),
    ] {
        assert!(!failure(act).is_transient());
    }
    let url = format!("http://{}/v3", nobody());
    assert!(
        keystone(url, dir.path())
            .token(soon())
            .unwrap_err()
            .is_transient()
    );
}

#[test]
fn a_hanging_keystone_ends_with_the_deadline_and_frees_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(vec![
        Act::Hang,
        Act::Answer(200, access(1, "2099-01-01T00:00:00Z")),
    ]);
    let keystone = keystone(server.url("/v2.0"), dir.path());
    let error = keystone
        .token(Deadline::after(Duration::from_millis(100)))
        .unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert_eq!(token(&keystone), "v2-1");
}
