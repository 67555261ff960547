//! The cases T1–T20 of the port API, on the service without sockets.

mod add;
mod life;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Agent, AgentOptions};
use crate::http::{Request, Response, Service};
use crate::view::{ConfigView, InterfaceView, MachineView, NetworkView, SubnetView};

const U: &str = "97556910-7aaf-11eb-9576-00163e6d1150";
const OTHER: &str = "11111111-7aaf-11eb-9576-00163e6d1150";
const VM: &str = "c5f1802e-a98d-48fd-81f8-07ee5a8a2bac";
const VN: &str = "a1ad1cf5-4a7e-4896-a719-bcf9d58b701b";

struct Bench {
    agent: Arc<Agent>,
    directory: tempfile::TempDir,
    view: Arc<Mutex<ConfigView>>,
}

fn bench() -> Bench {
    bench_with(Duration::from_secs(60))
}

fn bench_with(sync_timeout: Duration) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let view = Arc::new(Mutex::new(ConfigView::default()));
    let (seen, part) = (Arc::clone(&view), Arc::clone(&view));
    let agent = Agent::new(AgentOptions {
        ports_dir: directory.path().to_owned(),
        sync_timeout,
        view: Box::new(move || Arc::new(seen.lock().unwrap().clone())),
        view_of_interface: Box::new(move |_| part.lock().unwrap().clone()),
        link_exists: Box::new(|name| name == "tap97556910-7a"),
        changed: Box::new(|| {}),
    })
    .unwrap();
    agent.restart();
    Bench {
        agent,
        directory,
        view,
    }
}

fn body() -> Value {
    json!({
        "id": U, "instance-id": VM, "vn-id": VN,
        "vm-project-id": "0f2c9a10-2c0e-4a61-9d2e-6a1e5a2f7d11",
        "display-name": "web-1", "ip-address": "10.10.0.5", "ip6-address": "",
        "mac-address": "02:97:55:69:10:7a", "system-name": "tap97556910-7a",
        "type": 0, "rx-vlan-id": -1, "tx-vlan-id": -1
    })
}

fn with(key: &str, value: Value) -> Value {
    let mut body = body();
    body[key] = value;
    body
}

impl Bench {
    fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let response = self.agent.handle(&Request {
            method: method.into(),
            path: path.into(),
            body: body.into(),
            ..Request::default()
        });
        check_framing(&response);
        let text = String::from_utf8(response.body).unwrap();
        (response.status, text)
    }

    fn post(&self, body: &Value) -> (u16, String) {
        self.send("POST", "/port", &body.to_string())
    }

    fn get(&self, id: &str) -> (u16, String) {
        self.send("GET", &format!("/port/{id}"), "")
    }

    fn delete(&self, id: &str) -> (u16, String) {
        self.send("DELETE", &format!("/port/{id}"), "")
    }

    fn file(&self, id: &str) -> PathBuf {
        self.directory.path().join(id)
    }

    fn files(&self) -> usize {
        fs::read_dir(self.directory.path()).unwrap().count()
    }

    fn configure(&self) {
        let id = |text: &str| text.parse::<Uuid>().unwrap();
        *self.view.lock().unwrap() = ConfigView {
            networks: vec![NetworkView {
                uuid: id(VN),
                fq_name: "default-domain:admin:net1".parse().unwrap(),
                subnets: vec![SubnetView {
                    prefix: "10.10.0.0/24".parse().unwrap(),
                    gateway: Some("10.10.0.1".parse().unwrap()),
                    dns: Some("10.10.0.2".parse().unwrap()),
                }],
                rules: Vec::new(),
            }],
            service_instances: Vec::new(),
            chains: Vec::new(),
            interfaces: vec![InterfaceView {
                uuid: id(U),
                fq_name: "default-domain:admin:port".parse().unwrap(),
                display_name: "port".into(),
                network: Some(id(VN)),
                machine: Some(id(VM)),
                mac: Some("02:97:55:69:10:7a".parse().unwrap()),
                addresses: vec!["10.10.0.5".parse().unwrap()],
                annotations: Vec::new(),
            }],
            machines: vec![MachineView {
                uuid: id(VM),
                name: "vm1".into(),
                display_name: "web-1".into(),
                on_router: false,
            }],
        };
    }
}

fn check_framing(response: &Response) {
    assert_eq!(response.reason, "OK");
    let kind = "application/json; charset=UTF-8".to_owned();
    assert_eq!(response.headers, [("Content-Type".to_owned(), kind)]);
}

fn ok() -> (u16, String) {
    (200, "{}".into())
}

fn error(status: u16, text: &str) -> (u16, String) {
    (status, json!({ "error": text }).to_string())
}
