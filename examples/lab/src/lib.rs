//! An OpenContrail on one host.

pub mod sandbox;
