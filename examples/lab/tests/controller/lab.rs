//! A lab's configuration API with the controller's processes, and a clock that the test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contrail_lab::clock::Clock;
use contrail_lab::config::{Auth, ConfigApi};
use contrail_lab::http::{Request, Service};
use contrail_lab::keystone::Project;
use contrail_lab::view::ChainView;
use serde_json::Value;
use uuid::Uuid;

use crate::fixtures::Sent;

/// The id of the project `admin` in the recordings.
const PROJECT: Uuid = Uuid::from_u128(0x96c1f362_665b_5cee_a9f7_2b70b57c9ea2);

/// How long a request takes, in milliseconds.
const REQUEST: u64 = 5;

pub struct Lab {
    api: ConfigApi,
    milliseconds: Arc<AtomicU64>,
}

impl Lab {
    pub fn new() -> Self {
        let milliseconds = Arc::new(AtomicU64::new(1_800_000_000_000));
        let read = Arc::clone(&milliseconds);
        let clock = Clock::new(move || Duration::from_millis(read.load(Ordering::Relaxed)));
        let project = Project {
            name: "admin".into(),
            id: PROJECT,
        };
        Self {
            api: ConfigApi::new(Auth::None, &[project]).with_processes_by(clock),
            milliseconds,
        }
    }

    /// Lets so many seconds pass.
    pub fn pause(&self, seconds: f64) {
        let milliseconds = (seconds * 1000.0) as u64;
        self.milliseconds.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// Sends a recorded request, which must be answered with the recorded status.
    pub fn send(&self, sent: &Sent) {
        self.pause(sent.pause_before);
        self.milliseconds.fetch_add(REQUEST, Ordering::Relaxed);
        let (status, answer) = self.request(&sent.method, &sent.path, sent.body.as_ref());
        assert_eq!(
            status, sent.status,
            "{} {}: {answer}",
            sent.method, sent.path
        );
    }

    /// A request that must succeed.
    pub fn ok(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.request(method, path, body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// All objects of a type as they are shown one by one.
    pub fn all(&self, kind: &str) -> Vec<Value> {
        let list = self.ok("GET", &format!("/{kind}s"), None);
        let objects = list[format!("{kind}s")].as_array().unwrap().clone();
        let ids = objects
            .iter()
            .map(|object| object["uuid"].as_str().unwrap());
        ids.map(|id| self.ok("GET", &format!("/{kind}/{id}"), None)[kind].clone())
            .collect()
    }

    /// The service chains that the data plane finds built.
    pub fn chains(&self) -> Vec<ChainView> {
        self.api.view().chains.clone()
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let content_type = ("content-type".into(), "application/json".into());
        let response = self.api.handle(&Request {
            method: method.into(),
            path: path.into(),
            headers: vec![("host".into(), "127.0.0.1:8082".into()), content_type],
            body: body
                .map(|body| body.to_string().into_bytes())
                .unwrap_or_default(),
            ..Request::default()
        });
        (response.status, String::from_utf8(response.body).unwrap())
    }
}
