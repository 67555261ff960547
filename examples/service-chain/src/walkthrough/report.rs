//! What the reader sees: one line a step, with the time it took.

use std::io::{self, Write};
use std::time::Instant;

use crate::failure::Failure;

/// Prints a line.
pub fn say(line: &str) {
    // A reader who has gone away must not stop the clean-up.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Runs a step and prints its name, its time, and below it what it returns.
pub fn step<T>(
    name: &str,
    action: impl FnOnce() -> Result<(T, Vec<String>), Failure>,
) -> Result<T, Failure> {
    let start = Instant::now();
    let (value, details) = action()?;
    let time = start.elapsed().as_secs_f64() * 1000.0;
    say(&format!("{name:<66} {time:>7.1} ms"));
    for line in details {
        say(&format!("    {line}"));
    }
    Ok(value)
}
