//! The README, held against the programs: its commands run, its tables are the code's.

#![allow(clippy::unwrap_used)] // all of it is a test

mod codes;
mod commands;
mod settings;

/// The README as it is.
const README: &str = include_str!("../../README.md");
