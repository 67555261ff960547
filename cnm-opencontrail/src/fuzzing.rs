//! What fuzz targets call and is private otherwise.

use contrail_core::FqName;

use crate::proto::Options;
use crate::{driver, ipam};

/// Reads the options of a network, an endpoint and a pool; which were understood.
pub fn read_options(options: &Options) -> [bool; 3] {
    let project = FqName::new(["default-domain", "admin"]);
    let [network, endpoint] = driver::reads(options, &project);
    [network, endpoint, ipam::reads(options, &project)]
}
