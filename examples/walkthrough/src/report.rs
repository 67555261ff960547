//! The output: a line for each step with the time that it took.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use crate::failure::Failure;

/// Prints a line.
pub fn say(line: &str) {
    // A closed output must not stop the clean-up.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Runs a step and prints its time and its name, then the lines that it returns.
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

/// Prints the name of the running step on a terminal; the final line overwrites it.
fn announce(name: &str) {
    let mut stdout = io::stdout().lock();
    if stdout.is_terminal() {
        let _ = write!(stdout, "       … ms  {name}\r");
        let _ = stdout.flush();
    }
}
