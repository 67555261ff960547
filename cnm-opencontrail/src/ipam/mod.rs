//! The IPAM driver: pools are subnets of virtual networks, addresses are instance IPs.
//!
//! So Docker, the CNI plugin and virtual machines share one allocator, on all hosts. An address that
//! Docker requests is reserved by an instance IP without an interface; the network driver hands that one to
//! the interface ([`Ipam::reservation`]), and it remains when the interface is removed, until Docker releases
//! the address.
//!
//! `pools` and `addresses` carry out Docker's calls, `release` completes removals, `network` and
//! `pool_network` are the virtual network of a pool, `store` is what must survive a restart.

mod addresses;
mod ipam_driver;
mod network;
mod options;
mod pool;
mod pool_network;
mod pools;
mod release;
mod store;

pub use ipam_driver::{ADDRESS_SPACES, Ipam};
pub(crate) use options::POOL_OPTIONS;

/// Whether options can be read as those of a pool.
#[cfg(feature = "fuzzing")]
pub(crate) fn reads(options: &crate::proto::Options, project: &contrail_core::FqName) -> bool {
    options::read(options, project).is_ok()
}

/// Reads the state of pools and addresses in a directory; how many there are.
#[cfg(feature = "fuzzing")]
pub(crate) fn stored(dir: &std::path::Path) -> crate::error::Result<usize> {
    let store = store::Store::open(dir)?;
    let index = store.lock();
    Ok(index.pools().count() + index.addresses().count())
}
