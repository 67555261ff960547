//! What fuzz targets call and is private otherwise.

use std::path::Path;

use contrail_core::FqName;

use crate::error::Result;
use crate::proto::Options;
use crate::{driver, ipam};

/// Reads the options of a network, an endpoint and a pool; which were understood.
pub fn read_options(options: &Options) -> [bool; 3] {
    let project = FqName::new(["default-domain", "admin"]);
    let [network, endpoint] = driver::reads(options, &project);
    [network, endpoint, ipam::reads(options, &project)]
}

/// Reads the state of both drivers in a state directory; how many entries there are.
///
/// # Errors
/// As at the start of the daemon.
pub fn read_state(state_dir: &Path) -> Result<usize> {
    Ok(driver::stored(state_dir)? + ipam::stored(&state_dir.join("ipam"))?)
}

/// Whether the annotation of a virtual network of Docker can be read.
pub fn reads_note(note: &str) -> bool {
    driver::reads_note(note)
}
