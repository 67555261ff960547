//! The parts of the benchmark.

pub mod budget;
pub mod installed;
pub mod network;
pub mod programs;
pub mod sample;
pub mod table;
