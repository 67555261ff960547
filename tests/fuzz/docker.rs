//! The requests of Docker.

use cnm_opencontrail::proto::Call;
use serde_json::Value;

use crate::fuzz;

const REQUESTS: &str = include_str!("../fixtures/docker-requests.jsonl");

/// Path and body of each recorded request, and those two of a mutation again, divided by a line's end.
fn corpus() -> Vec<Vec<u8>> {
    let requests = REQUESTS.lines().map(|line| {
        let request: Value = serde_json::from_str(line).unwrap();
        let path = request["path"].as_str().unwrap();
        let body = match &request["body"] {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        format!("{path}\n{body}").into_bytes()
    });
    requests.collect()
}

#[test]
fn every_request_is_understood_or_refused() {
    fuzz(&corpus(), |text| {
        let end = text
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(text.len());
        let (path, body) = text.split_at(end);
        let path = String::from_utf8_lossy(path);
        if let Err(error) = Call::parse(&path, body) {
            let said = contrail_core::error::report(&error);
            assert!(
                !said.is_empty() && said.len() < 10_000,
                "{} bytes",
                said.len()
            );
        }
    });
}
