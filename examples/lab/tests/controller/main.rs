//! The controller's processes in the lab against recordings of the real ones.

// In every helper too; and the tests report on stdout, as tests do.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod fixtures;
mod lab;
mod lifecycle;
mod normal;
mod scenarios;
