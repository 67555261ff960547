//! The parts of the benchmark.

pub mod budget;
pub mod build;
pub mod network;
pub mod programs;
pub mod sample;
pub mod table;
