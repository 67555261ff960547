//! What the plugin sees of the outside. Tests give it a map, byte buffers and a recorder.

use std::io::{self, Read, Write};
use std::path::Path;

use contrail_core::settings::{LogSettings, Settings};

use crate::interrupts::Interrupts;
use crate::operations::Operations;
use crate::protocol::environment::Environment;

/// What the plugin sees of the outside, except its streams.
pub struct World<'a> {
    /// The environment variables.
    pub environment: Environment,
    /// Reads a file.
    pub read_file: &'a dyn Fn(&Path) -> io::Result<String>,
    /// Makes the connection that settings describe.
    pub connect: &'a dyn Fn(&Settings) -> contrail_core::Result<Box<dyn Operations>>,
    /// Starts logging; only the first call of it counts.
    pub start_log: &'a dyn Fn(&LogSettings),
    /// Tells whether the caller has given up.
    pub interrupts: &'a dyn Interrupts,
}

/// The streams of the process.
pub struct Streams<'a> {
    /// The configuration comes from here.
    pub stdin: &'a mut dyn Read,
    /// The result, and nothing else, goes here in one piece.
    pub stdout: &'a mut dyn Write,
    /// Explanations for people go here.
    pub stderr: &'a mut dyn Write,
}
