//! The Docker network driver against the lab, called as the engine calls it.

#![allow(clippy::unwrap_used)] // all of it is a test

mod clean;
mod conflicts;
mod deletion;
mod driver;
mod engine;
mod faults;
mod garbage;
mod hosts;
mod interleavings;
mod keep;
mod kills;
mod life;
mod options;
mod recovery;
mod renamed;
mod replay;
mod services;
mod shared;
mod storage;
mod upgrade;
