//! The plugin as it is installed: a static program.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `examples/deploy/build-static` puts its programs: `<target>/static`.
pub fn directory() -> Result<PathBuf, Box<dyn Error>> {
    Ok(target()?.join("static"))
}

/// Builds a plugin, unless it is there already.
pub fn build(package: &str) -> Result<(), Box<dyn Error>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy/build-static");
    let status = Command::new(script)
        .arg(package)
        .env("CARGO_TARGET_DIR", target()?)
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err("the plugin cannot be built".into()),
    }
}

fn target() -> Result<PathBuf, Box<dyn Error>> {
    let program = env::current_exe()?;
    let directory = program.ancestors().nth(3);
    Ok(directory
        .ok_or("a benchmark lies in <target>/<profile>/deps")?
        .to_owned())
}
