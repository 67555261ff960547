//! The CNI plugin as a whole: the real program, the lab, the kernel.

#![allow(clippy::unwrap_used)] // all of it is a test

mod attach;
mod check;
mod clean;
mod connections;
mod faults;
mod flat;
mod kernel;
mod late;
mod limits;
mod machines;
mod outage;
mod refuse;
mod removal;
mod service;
mod state;
mod status;
mod storage;
mod subnets;
mod upgrade;
