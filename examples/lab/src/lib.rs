//! An OpenContrail on one host.

pub mod ping;
pub mod sandbox;
