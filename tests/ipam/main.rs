//! The IPAM driver against a lab: what Docker asks, and what the API then has.

#![allow(clippy::unwrap_used)] // all of it is a test

mod addresses;
mod pools;
mod world;
