//! The documentation compared with the programs: commands are executed, tables match the code, links lead
//! somewhere.

#![allow(clippy::unwrap_used)] // all of it is a test

mod codes;
mod commands;
mod examples;
mod links;
mod options;
mod settings;
mod tables;
