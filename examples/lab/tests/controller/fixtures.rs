//! What was recorded of the real controller.

use std::fs::File;
use std::path::Path;

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A request of a recording.
#[derive(Clone, Deserialize)]
pub struct Sent {
    pub method: String,
    pub path: String,
    pub status: u16,
    #[serde(default)]
    pub body: Option<Value>,
    /// How long nothing was sent before it, in seconds.
    #[serde(default)]
    pub pause_before: f64,
}

/// Requests, and the objects after them.
#[derive(Deserialize)]
pub struct Scenario {
    pub name: String,
    pub requests: Vec<Sent>,
    pub state_after: Value,
}

/// `controller-lifecycle.json.gz`. The bodies of creations were not recorded and have been added; of tries
/// that ended differently it has one that ended badly.
#[derive(Deserialize)]
pub struct Lifecycle {
    pub variants: Vec<Variant>,
    pub nudges: Vec<Nudged>,
}

/// A way in which a member of a service instance leaves and comes back.
#[derive(Clone, Deserialize)]
pub struct Variant {
    pub variant: String,
    pub steps: Vec<Step>,
}

/// Some requests at once, and the state after them.
#[derive(Clone, Deserialize)]
pub struct Step {
    pub step: String,
    pub requests: Vec<Sent>,
    /// How long nothing was sent then, in seconds.
    pub pause_after: f64,
    pub state: Value,
}

/// What was tried after a variant had ended.
#[derive(Deserialize)]
pub struct Nudged {
    pub variant: String,
    pub then: Vec<Nudge>,
}

/// One thing that was tried.
#[derive(Deserialize)]
pub struct Nudge {
    pub what: String,
    /// How many routing instances of service legs there were after it.
    pub service_routing_instances: usize,
}

pub fn scenarios() -> Vec<Scenario> {
    read("controller-chains.json.gz")
}

pub fn lifecycle() -> Lifecycle {
    read("controller-lifecycle.json.gz")
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let file = File::open(path.join(name)).unwrap();
    serde_json::from_reader(GzDecoder::new(file)).unwrap()
}
