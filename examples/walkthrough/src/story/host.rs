//! The state of the host that the walk-through must leave as it was.

use std::fs;
use std::io;

use crate::members::links;

/// The network links and named network namespaces.
#[derive(Debug, PartialEq)]
pub struct HostState {
    links: Vec<String>,
    namespaces: Vec<String>,
}

impl HostState {
    /// The state in the sandbox.
    pub fn read() -> io::Result<Self> {
        let entries = match fs::read_dir("/run/netns") {
            Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let names = entries.iter().map(|entry| entry.file_name());
        Ok(Self {
            links: links()?,
            namespaces: names.map(|name| name.display().to_string()).collect(),
        })
    }
}
