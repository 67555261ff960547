//! The answers of the configuration API.

use std::sync::Arc;
use std::time::Duration;

use contrail_core::api::{
    Client, InstanceIp, ListQuery, NetworkPolicy, ServiceInstance, ServiceTemplate, VirtualMachine,
    VirtualMachineInterface, VirtualNetwork,
};
use contrail_core::error::report;
use contrail_core::settings::{Settings, Sources};
use contrail_core::{Deadline, FqName};
use serde_json::Value;
use uuid::Uuid;

use crate::fuzz;
use crate::transport::answering;

const OBJECTS: &str = include_str!("../../contrail-core/tests/fixtures/objects.json");
const REFUSALS: &str = include_str!("../../contrail-core/tests/fixtures/refusals.json");

/// The recorded bodies, whole and in parts.
fn corpus() -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    for text in [OBJECTS, REFUSALS] {
        let document: Value = serde_json::from_str(text).unwrap();
        parts(&document, 0, &mut texts);
    }
    texts
}

fn parts(value: &Value, depth: usize, texts: &mut Vec<Vec<u8>>) {
    if depth < 4 {
        match value {
            Value::Array(items) => items.iter().for_each(|item| parts(item, depth + 1, texts)),
            Value::Object(fields) => fields
                .values()
                .for_each(|field| parts(field, depth + 1, texts)),
            _ => {}
        }
    }
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.len() < 20_000 {
        texts.push(text.into_bytes());
    }
}

fn client(status: u16, body: &[u8]) -> Client {
    let settings = Settings::load(&Sources {
        nearer: Vec::new(),
        environment: &|_| None,
        files: Vec::new(),
        read: &|_| Err(std::io::ErrorKind::NotFound.into()),
        host_name: Some("test".into()),
    });
    let servers = settings.unwrap().servers;
    let tokens = Arc::new(contrail_core::keystone::NoAuth);
    let timeout = Duration::from_secs(1);
    let client = Client::new(
        answering(status, body),
        servers,
        tokens,
        "test".into(),
        timeout,
    );
    client.until(Deadline::after(Duration::from_secs(1)))
}

/// What was read is looked at.
fn used<T>(value: T) {
    std::hint::black_box(value);
}

/// Everything that is read in one way or another.
fn ask(client: &Client) -> Vec<contrail_core::Result<()>> {
    let id = Uuid::from_u128(7);
    let name = FqName::new(["default-domain", "admin", "net1"]);
    let all = ListQuery::all();
    vec![
        client
            .get::<VirtualNetwork>(id)
            .map(|network| used(network.subnets().count())),
        client
            .get::<VirtualMachineInterface>(id)
            .map(|interface| used(interface.mac())),
        client.get_opt::<InstanceIp>(id).map(drop),
        client
            .get::<ServiceTemplate>(id)
            .map(|template| used((template.version(), template.mode().len()))),
        client.lookup::<VirtualNetwork>(&name).map(drop),
        client.id_of::<VirtualNetwork>(&name).map(drop),
        client.list::<VirtualMachine>(&all).map(drop),
        client.list::<NetworkPolicy>(&all).map(drop),
        client.list::<ServiceInstance>(&all.detail()).map(drop),
        client.create(&VirtualMachine::new(id)).map(drop),
        client.delete::<VirtualNetwork>(id).map(drop),
        client.annotate::<VirtualNetwork>(id, "a", Some("b")),
    ]
}

#[test]
fn every_answer_of_the_api_is_understood_or_refused() {
    fuzz(&corpus(), |text| {
        for status in [200, 404, 409, 500] {
            for outcome in ask(&client(status, text)) {
                if let Err(error) = outcome {
                    let said = report(&error);
                    assert!(said.len() < 10_000, "{} bytes", said.len());
                }
            }
        }
    });
}
