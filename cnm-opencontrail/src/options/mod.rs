//! The options of Docker's commands: what is common to `-o`, `--driver-opt` and `--ipam-opt`.
//!
//! A `Table` has a row for each option: its key, its meaning and how its value is read. Everything else
//! works from the rows: reading, the nearest known key, and the help of `cnm-opencontrail --help`.

mod table;
mod target;
mod values;

pub(crate) use table::{DockerOption, Given, Table};
pub use table::{OptionHelp, TableHelp};
pub(crate) use target::{NamesTarget, Target, TargetNames, target_options};
pub(crate) use values::{flag, items, mtu, name_in_project, truth};
