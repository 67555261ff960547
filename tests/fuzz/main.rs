//! What comes from outside, spoiled in every way: whatever it is, it is understood or refused.
//!
//! Each corpus of [`fuzz/corpus`](../../fuzz/corpus) is replayed as it is, and with mutations for a second.
//! `FUZZ_SECONDS=600 cargo test -p opencontrail-tests --test fuzz` goes on longer, with other mutations each
//! time. `fuzz/` has the same functions for `cargo fuzz`, which is guided by the code that a text reaches.

#![allow(clippy::unwrap_used)] // all of it is a test

mod mutate;
mod targets;

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contrail_lab::sandbox;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::targets::{TARGETS, Target};

/// How many mutations are made between two looks at the clock.
const BATCH: u32 = 64;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

/// The texts of a corpus, in the order of their names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(corpora().join(name)).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// How long mutations are tried, and whether they are those of every run.
fn time() -> (Duration, bool) {
    match std::env::var("FUZZ_SECONDS") {
        Ok(seconds) => (Duration::from_secs(seconds.parse().unwrap()), false),
        Err(_) => (Duration::from_secs(1), true),
    }
}

/// Feeds a corpus to its target, as it is and with mutations; a text that fails is made shorter.
fn fuzz(name: &str, target: Target) {
    let corpus = corpus(name);
    corpus.iter().for_each(|text| target(text));
    let (time, is_same) = time();
    let config = Config {
        cases: BATCH,
        failure_persistence: None,
        ..Config::default()
    };
    let mut seeds = match is_same {
        true => TestRunner::new_with_rng(
            config.clone(),
            TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        ),
        false => TestRunner::new(config.clone()),
    };
    let executions = Cell::new(corpus.len());
    let started = Instant::now();
    let mutations = mutate::mutations(corpus);
    while started.elapsed() < time {
        // A runner counts its cases once.
        let mut runner = TestRunner::new_with_rng(config.clone(), seeds.new_rng());
        let outcome = runner.run(&mutations, |text| {
            executions.set(executions.get() + 1);
            target(&text);
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let executions = executions.get();
    let text = format!("{name}: {executions} texts in {:.1?}", started.elapsed());
    sandbox::note(&text);
}

macro_rules! replayed {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                fuzz(stringify!($name), targets::$name);
            }
        )*

        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

replayed! {
    agent annotation api_error api_list api_object chain cni_environment date docker_options docker_request environment
    ini netconf state stored_token token yaml
}

#[test]
fn each_target_is_replayed_has_a_small_corpus_and_a_program_for_cargo_fuzz() {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, REPLAYED);
    let mut directories: Vec<String> = fs::read_dir(corpora())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    directories.sort();
    assert_eq!(directories, names);
    for name in names {
        assert!((1..=20).contains(&corpus(name).len()), "{name}");
        let program = corpora().join(format!("../fuzz_targets/{name}.rs"));
        assert!(program.exists(), "{name}");
        let manifest = fs::read_to_string(corpora().join("../Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
