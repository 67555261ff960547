//! Options that several commands have.

use clap::Args;

use crate::lab::{NAME_RULE, is_name};

/// Which lab a command is for.
#[derive(Clone, Debug, Args)]
pub struct Which {
    /// The lab's name.
    #[arg(long, default_value = "lab", value_parser = lab_name)]
    pub name: String,
}

/// What a command shows, and how.
#[derive(Clone, Debug, Args)]
pub struct Shown {
    #[command(flatten)]
    pub lab: Which,
    /// As JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

/// Reads the name of a lab. The parser of the command line says which value is wrong.
pub fn lab_name(text: &str) -> std::result::Result<String, &'static str> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err(NAME_RULE)
    }
}
