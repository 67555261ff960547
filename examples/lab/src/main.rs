//! The `contrail-lab` command.
fn main() {}
