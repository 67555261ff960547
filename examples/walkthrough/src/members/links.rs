//! The network links of a namespace.

use std::fs;
use std::io;

/// The names of the links in the network namespace of the caller. Not from /sys, which shows the namespace
/// in which it was mounted.
pub fn links() -> io::Result<Vec<String>> {
    let table = fs::read_to_string("/proc/thread-self/net/dev")?;
    let names = table
        .lines()
        .skip(2)
        .filter_map(|line| line.split(':').next());
    let mut names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
    names.sort();
    Ok(names)
}
