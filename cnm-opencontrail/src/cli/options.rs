//! The options of Docker's commands, for `cnm-opencontrail --help`.

use std::fmt::Write as _;

use crate::driver::{ENDPOINT_OPTIONS, NETWORK_OPTIONS};
use crate::ipam::POOL_OPTIONS;
use crate::options::TableHelp;

/// All options that Docker's commands take for this plugin.
pub fn docker_options() -> [TableHelp; 3] {
    [
        NETWORK_OPTIONS.help(),
        ENDPOINT_OPTIONS.help(),
        POOL_OPTIONS.help(),
    ]
}

/// The options as a part of the help.
pub(super) fn help() -> String {
    let mut text = String::new();
    for table in docker_options() {
        let separator = if text.is_empty() { "" } else { "\n" };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{separator}{}:", table.command);
        for option in table.options {
            let given = format!("{}={}", option.key, option.example);
            let _ = writeln!(text, "  {given:<26}  {}", option.meaning);
        }
    }
    text
}
