//! What commands print.

use contrail_core::process::output;

use super::error::Result;

/// Prints text as it is.
pub fn print(text: &str) -> Result<()> {
    Ok(output::print(text)?)
}

/// Prints a value as JSON for programs.
pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text =
        serde_json::to_string_pretty(value).map_err(|source| contrail_core::Error::Decode {
            what: "the lab's state".into(),
            source,
        })?;
    print(&format!("{text}\n"))
}
