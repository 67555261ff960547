//! The log of every program: what it never holds, and that nothing waits for it.

#![allow(clippy::unwrap_used)] // all of it is a test

mod commands;
mod levels;
mod secrets;
mod stuck;
