//! What the reader sees: a line for each step with the time it took, while it runs without.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use crate::failure::Failure;

/// Prints a line.
pub fn say(line: &str) {
    // A reader who has gone away must not stop the clean-up.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Runs a step and prints its time and its name, and below it what it returns.
pub fn step<T>(
    name: &str,
    action: impl FnOnce() -> Result<(T, Vec<String>), Failure>,
) -> Result<T, Failure> {
    let start = Instant::now();
    announce(name);
    let (value, details) = action()?;
    let time = start.elapsed().as_secs_f64() * 1000.0;
    say(&format!("{time:>8.1} ms  {name}"));
    for line in details {
        say(&format!("             {line}"));
    }
    Ok(value)
}

/// The name of a step that runs, to be overwritten when it has ended.
fn announce(name: &str) {
    let mut stdout = io::stdout().lock();
    if stdout.is_terminal() {
        let _ = write!(stdout, "       … ms  {name}\r");
        let _ = stdout.flush();
    }
}
