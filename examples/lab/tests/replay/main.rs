//! Replays what was recorded of the real server: the lab must answer every exchange alike, but
//! for ids, times and the order of lists.
//!
//! Exchanges that differ are listed, with the reason, in `tests/fixtures/*-differences.json`; the
//! tests fail when a list is wrong either way.

// In every helper too; and the tests report on stdout, as tests do.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod client;
mod compare;
mod recording;
mod server;

use std::collections::BTreeMap;

use crate::compare::Comparison;
use crate::recording::{Exchange, Recording};
use crate::server::Recorded;

#[test]
fn the_lab_answers_as_the_recorded_server_did() {
    let recording = recording::first();
    let server = Recorded::start(None);
    let mut comparison = Comparison::of(&["Content-Type", "Allow"]);
    let mut differences = BTreeMap::new();
    for (number, exchange) in recording.exchanges.iter().enumerate() {
        if let Err(difference) = replay(&server, &mut comparison, exchange) {
            differences.insert(number, difference);
        }
    }
    report(&recording, &differences, 0);
    assert!(recording.differences.is_empty(), "all 574 are alike");
}

#[test]
fn the_lab_answers_sequences_with_errors_as_the_recorded_servers_did() {
    let recording = recording::second();
    let mut differences = BTreeMap::new();
    let mut races = 0;
    for configuration in server::configurations(&recording.exchanges) {
        let server = Recorded::start(configuration);
        let mut comparison = server.comparison();
        let of_server = |e: &&Exchange| e.server.as_deref() == configuration;
        // What a set-up found there had been made before the recording began.
        let found = |e: &&Exchange| e.setup && e.response.status == 409;
        for exchange in recording.exchanges.iter().filter(of_server).filter(found) {
            let mut request = recording::request(exchange, &comparison);
            server.replace_token(&mut request);
            assert_eq!(client::send(server.address(), &request).status, 200);
        }
        for (number, exchange) in recording.exchanges.iter().enumerate() {
            if exchange.server.as_deref() != configuration {
                continue;
            }
            if exchange.race {
                races += 1;
                continue;
            }
            if let Err(difference) = replay(&server, &mut comparison, exchange) {
                differences.insert(number, difference);
            }
        }
    }
    report(&recording, &differences, races);
    assert!(recording.differences.len() <= 10, "too many differences");
}

/// Sends one exchange's request and compares the answers.
fn replay(
    server: &Recorded,
    comparison: &mut Comparison,
    exchange: &Exchange,
) -> Result<(), String> {
    let mut request = recording::request(exchange, comparison);
    server.replace_token(&mut request);
    let answer = client::send(server.address(), &request);
    let compared = match &exchange.truncated {
        Some(truncated) => comparison.compare_cut(&exchange.response, truncated, &answer),
        None => comparison.compare(&exchange.response, &answer),
    };
    compared.map_err(|difference| {
        let (method, path) = (&exchange.request.method, &exchange.request.path);
        let Exchange { cause, name, .. } = exchange;
        format!("{cause}: {name} ({method} {path:.120}): {difference}")
    })
}

/// Fails when the listed differences are not exactly those that were found.
fn report(recording: &Recording, differences: &BTreeMap<usize, String>, races: usize) {
    let listed = &recording.differences;
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
        "{} matched, {} listed differences, {races} of races",
        recording.exchanges.len() - differences.len() - races,
        differences.len() - unlisted.len()
    );
    assert!(unlisted.is_empty(), "not listed:\n{}", unlisted.join("\n"));
    assert!(obsolete.is_empty(), "listed, but alike: {obsolete:?}");
}
