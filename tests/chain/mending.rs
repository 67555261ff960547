//! Every way in which a member left and came back and the real controller lost the chain: the chain
//! is not built then, `bring_up` brings it back, and the second time nothing is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use contrail_core::api::{Client, ListQuery, NetworkPolicy, PortTuple, Resource, ServiceInstance};
use contrail_core::http::{self, Method, Response, Scheme, Server, Transport, TransportError};
use contrail_core::keystone::NoAuth;
use contrail_core::parallel;
use contrail_core::service_chain::{Description, Event, Progress, Repair, ServiceChains};
use contrail_lab::clock::Clock;
use contrail_lab::config::{Auth, ConfigApi};
use contrail_lab::http::{Request, Service as _};
use contrail_lab::keystone::Project;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use uuid::Uuid;

const RECORDED: &[u8] =
    include_bytes!("../../examples/lab/tests/fixtures/controller-lifecycle.json.gz");
/// The id of the project `admin` in the recordings.
const PROJECT: Uuid = Uuid::from_u128(0x96c1f362_665b_5cee_a9f7_2b70b57c9ea2);

/// A controller in this process. Its time goes on by itself, and is put forward over the pauses of a
/// recording.
struct Controller {
    api: ConfigApi,
    ahead: Arc<AtomicU64>,
    writes: AtomicUsize,
}

impl Controller {
    fn new() -> Arc<Self> {
        let ahead = Arc::new(AtomicU64::new(1_800_000_000_000));
        let (start, read) = (Instant::now(), Arc::clone(&ahead));
        let now = move || Duration::from_millis(read.load(Ordering::Relaxed)) + start.elapsed();
        let project = Project {
            name: "admin".into(),
            id: PROJECT,
        };
        let api = ConfigApi::new(Auth::None, &[project]).with_processes_by(Clock::new(now));
        Arc::new(Self {
            api,
            ahead,
            writes: AtomicUsize::new(0),
        })
    }

    fn pause(&self, seconds: &Value) {
        let milliseconds = seconds.as_f64().unwrap_or_default() * 1000.0;
        self.ahead.fetch_add(milliseconds as u64, Ordering::Relaxed);
    }

    fn run(&self, step: &Value) {
        for sent in step["requests"].as_array().unwrap() {
            self.pause(&sent["pause_before"]);
            self.pause(&json!(0.005));
            let body = Some(&sent["body"]).filter(|body| !body.is_null());
            let body = body.map(|body| body.to_string().into_bytes());
            let [method, path] = ["method", "path"].map(|key| sent[key].as_str().unwrap());
            let (status, answer) = self.request(method, path, body.unwrap_or_default());
            let answer = String::from_utf8(answer).unwrap();
            assert_eq!(json!(status), sent["status"], "{method} {path}: {answer}");
        }
        self.pause(&step["pause_after"]);
    }

    fn request(&self, method: &str, target: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let content_type = ("content-type".into(), "application/json".into());
        let answer = self.api.handle(&Request {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            headers: vec![("host".into(), "127.0.0.1:8082".into()), content_type],
            body,
        });
        (answer.status, answer.body)
    }
}

impl Transport for Controller {
    fn send(&self, request: &http::Request) -> Result<Response, TransportError> {
        let target = &request.url["http://api:8082".len()..];
        let is_question = target == "/fqname-to-id" || target == "/list-bulk-collection";
        if request.method != Method::GET && !is_question {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        let body = request.body.clone().unwrap_or_default();
        let (status, body) = self.request(&request.method.to_string(), target, body);
        Ok(Response::new(status, body))
    }
}

fn client(controller: Arc<Controller>) -> Client {
    let server = Server {
        scheme: Scheme::Http,
        host: "api".into(),
        port: 8082,
    };
    let limit = Duration::from_secs(10);
    Client::new(
        controller,
        vec![server],
        Arc::new(NoAuth),
        "host:test".into(),
        limit,
    )
}

/// Marks all objects of a type as made by a chain: the recorded ones have no mark.
fn mark<R: Resource>(client: &Client) {
    for object in client.list::<R>(&ListQuery::all()).unwrap() {
        let id = object.uuid().unwrap();
        let owner = ("container-plugin.owner", Some("service-chain"));
        client.annotate::<R>(id, owner.0, owner.1).unwrap();
    }
}

/// What was done to bring the chain of a variant back.
fn mended(variant: &Value) -> Vec<Repair> {
    let name = &variant["variant"];
    let controller = Controller::new();
    let steps = variant["steps"].as_array().unwrap();
    steps.iter().for_each(|step| controller.run(step));
    let client = client(Arc::clone(&controller));
    mark::<NetworkPolicy>(&client);
    mark::<ServiceInstance>(&client);
    mark::<PortTuple>(&client);

    let chains = ServiceChains::new(client, "default-domain:admin".parse().unwrap());
    let text = json!({"name": "chain", "left": "net1", "right": "net2",
        "services": [{"name": "fw", "template": "st-in-network"}]});
    let description = Description::read(&text.to_string(), "chain.json").unwrap();
    let plan = chains.apply(&description).unwrap();
    assert!(plan.is_complete(), "{name}: {:?}", plan.changes);
    let state = chains.built(&description).unwrap();
    assert_eq!(state.progress(), Progress::Unbuilt, "{name}");
    assert!(!state.broken_services().is_empty(), "{name}");

    let mut repairs = Vec::new();
    let limit = Duration::from_secs(60);
    let state = chains.bring_up(&description, limit, |event| {
        if let Event::Repaired(repair) = event {
            repairs.push(*repair);
        }
    });
    let state = state.unwrap();
    assert!(state.is_built(), "{name}: {state:?}");

    controller.writes.store(0, Ordering::Relaxed);
    assert!(chains.apply(&description).unwrap().is_complete(), "{name}");
    let again = chains.bring_up(&description, limit, |event| panic!("{name}: {event:?}"));
    assert!(again.unwrap().is_built(), "{name}");
    assert_eq!(controller.writes.load(Ordering::Relaxed), 0, "{name}");
    repairs
}

#[test]
fn every_recorded_way_to_lose_a_chain_is_mended_and_then_nothing_is_written() {
    let recorded: Value = serde_json::from_reader(GzDecoder::new(RECORDED)).unwrap();
    let lost = [
        "a_new",
        "a_same",
        "a_fast",
        "g",
        "g_fast",
        "a_keep",
        "b_keep_fast",
        "c_bad",
        "c_bad1",
        "e2",
        "f_bad",
    ];
    let variants = recorded["variants"].as_array().unwrap().iter();
    let lost = variants.filter(|v| lost.iter().any(|name| v["variant"] == *name));
    let lost: Vec<&Value> = lost.collect();
    assert_eq!(lost.len(), 11);
    let rejoined = parallel::map(lost, |variant| {
        let repairs = mended(variant);
        (repairs == [Repair::Rejoin]).then(|| variant["variant"].as_str().unwrap())
    });
    let rejoined: Vec<&str> = rejoined.into_iter().flatten().collect();
    // The others are made again.
    assert_eq!(rejoined, ["a_same", "a_keep", "b_keep_fast", "e2"]);
}
