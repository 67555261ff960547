//! The plugins as cargo builds them for release, beside the benchmark.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

/// Where this program's neighbours lie: `<target>/<profile>`.
pub fn directory() -> Result<PathBuf, Box<dyn Error>> {
    let program = env::current_exe()?;
    let directory = program.ancestors().nth(2);
    Ok(directory
        .ok_or("a benchmark lies in <target>/<profile>/deps")?
        .to_owned())
}

/// Builds a plugin as it is released, unless it is there already.
pub fn build(package: &str) -> Result<(), Box<dyn Error>> {
    let directory = directory()?;
    let target = directory.parent().ok_or("no target directory")?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--package", package, "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err("the plugin cannot be built".into()),
    }
}
