//! The plugin behind a real Docker engine, over a lab in the host's own network namespace.
//!
//! Nothing of this stays on the machine: every container, network and image carries a label, and
//! each [`world::World`] removes what it made, and what killed runs before it have left.

#![allow(clippy::unwrap_used)] // all of it is a test

mod compose;
mod containers;
mod crashes;
mod engine;
mod hosts;
mod ipam;
mod members;
mod networks;
mod own_engine;
mod restarts;
mod swarm;
mod walkthrough;
mod world;
