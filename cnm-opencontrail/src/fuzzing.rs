//! What fuzz targets call and is private otherwise.

use contrail_core::FqName;

use crate::proto::Options;
use crate::{driver, ipam};

/// Reads the options of a network, an endpoint and a pool; how many were understood.
pub fn read_options(options: &Options) -> usize {
    let project = FqName::new(["default-domain", "admin"]);
    let read = [
        driver::read_network_options(options, &project, "0123456789ab").is_ok(),
        driver::read_endpoint_options(options, &project).is_ok(),
        ipam::read_options(options, &project).is_ok(),
    ];
    read.into_iter().filter(|understood| *understood).count()
}
