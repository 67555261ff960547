//! Programs for `cargo fuzz`, one for each parser of text from outside: see [`targets::TARGETS`].

#[path = "../../tests/fuzz/targets/mod.rs"]
pub mod targets;
