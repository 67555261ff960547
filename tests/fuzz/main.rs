//! What comes from outside, spoiled in every way: the configuration on standard input, Docker's requests,
//! the answers of the API and those of the agent. Whatever it is, it is understood or refused.
//!
//! Each corpus is replayed as it is and with mutations that are the same in every run. For more of them:
//! `OPENCONTRAIL_FUZZ_ROUNDS=100000 cargo test -p opencontrail-tests --test fuzz`.

#![allow(clippy::unwrap_used)] // all of it is a test

mod agent;
mod api;
mod configuration;
mod docker;
mod mutate;
mod transport;

/// Feeds each text of a corpus to a target, as it is and with mutations.
fn fuzz(corpus: &[Vec<u8>], target: impl Fn(&[u8])) {
    let rounds = std::env::var("OPENCONTRAIL_FUZZ_ROUNDS");
    let rounds = rounds.map_or(2_000, |text| text.parse().unwrap());
    assert!(!corpus.is_empty());
    corpus.iter().for_each(|text| target(text));
    for round in 0..rounds {
        target(&mutate::mutation(corpus, round));
    }
}
