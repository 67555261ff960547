//! The command line: its flags, and what each sub-command does.

mod clean;
mod command;
mod flags;
mod generate;
mod load;
mod options;
mod ping;
mod place;
mod remembered;
mod serve;

pub use command::{Cli, run};
pub use flags::Flags;
pub use options::docker_options;
