//! Replays what was recorded of the real server: the lab must answer every exchange alike, but
//! for ids, times and the order of lists.
//!
//! Exchanges that differ are listed, with the reason, in
//! `tests/fixtures/config-api-differences.json`; the test fails when the list is wrong either way.

// In every helper too; and the test reports on stdout, as tests do.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod client;
mod compare;
mod recording;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;

use contrail_lab::config::{Auth, ConfigApi};
use contrail_lab::http::{Server, ServiceName, Watch};

use crate::compare::Comparison;

#[test]
fn the_lab_answers_as_the_recorded_server_did() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = Arc::new(ConfigApi::new(Auth::None, &[]));
    let server = Server::start(listener, ServiceName::ConfigApi, api, Watch::default()).unwrap();
    let exchanges = recording::exchanges();
    let mut comparison = Comparison::default();
    let mut differences = BTreeMap::new();
    for (number, exchange) in exchanges.iter().enumerate() {
        let request = recording::request(exchange, &comparison);
        let answer = client::send(server.local_addr(), &request);
        if let Err(difference) = comparison.compare(&exchange.response, &answer) {
            let method = &exchange.request.method;
            let path = &exchange.request.path;
            let text = format!("{} ({method} {path:.120}): {difference}", exchange.name);
            differences.insert(number, text);
        }
    }
    let listed = recording::listed_differences();
    let unlisted: Vec<String> = differences
        .iter()
        .filter(|(number, _)| !listed.contains_key(number))
        .map(|(number, text)| format!("{number}: {text}"))
        .collect();
    let obsolete: Vec<&usize> = listed
        .keys()
        .filter(|n| !differences.contains_key(n))
        .collect();
    println!(
        "{} matched, {} listed differences",
        exchanges.len() - differences.len(),
        differences.len() - unlisted.len()
    );
    assert!(unlisted.is_empty(), "not listed:\n{}", unlisted.join("\n"));
    assert!(obsolete.is_empty(), "listed, but alike: {obsolete:?}");
    assert!(listed.len() <= 20, "too many listed differences");
}
