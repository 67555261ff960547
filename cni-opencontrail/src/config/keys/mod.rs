//! The keys of a network. A new one needs a row in [`table`], a field in [`options`], and a parser:
//! one file here for each key whose value is more than a number.

pub mod dns;
pub mod given;
pub mod ipam;
pub mod known;
pub mod mtu;
pub mod network;
pub mod options;
pub mod service;
pub mod table;
