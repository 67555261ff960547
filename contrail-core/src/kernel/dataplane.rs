//! The trait of the seam.

use std::path::Path;

use super::error::Result;
use super::link::{InterfaceConfig, Link, VethSpec};
use super::netns::Netns;

/// The changes of the kernel's network that attaching and detaching a container need.
///
/// [`Kernel`](super::Kernel) is the real one; tests replace it. The methods block, so an asynchronous task should call
/// them from a thread for blocking work.
pub trait Dataplane: Send + Sync {
    /// Opens the network namespace at `path`.
    ///
    /// # Errors
    /// [`Error::Netns`](super::Error::Netns) when nothing is there, when it is not a network
    /// namespace, and when it is the one that the caller runs in.
    fn open_netns(&self, path: &Path) -> Result<Netns>;

    /// Creates a veth pair whose container end is created in `netns` or, if unset, in the caller's own
    /// namespace. The host end is up afterwards, the container end is not.
    ///
    /// # Errors
    /// [`Error::InterfaceExists`](super::Error::InterfaceExists) when one of the two names is taken,
    /// [`Error::Invalid`](super::Error::Invalid) for an invalid one: nothing of the
    /// pair is left then.
    fn create_veth(&self, spec: &VethSpec, netns: Option<&Netns>) -> Result<()>;

    /// Gives the interface `ifname` in `netns` its addresses, sets it up and adds its routes.
    /// Afterwards every address is usable as a source. What already exists is kept, so that it can
    /// be repeated.
    fn configure(&self, netns: &Netns, ifname: &str, config: &InterfaceConfig) -> Result<()>;

    /// Deletes the interface `name` of the caller's own namespace and with it its peer; `false` when
    /// it does not exist, or is another one: with an alias other than this one.
    fn delete_link(&self, name: &str, alias: Option<&str>) -> Result<bool>;

    /// Whether the caller's own namespace has an interface `name`.
    fn has_link(&self, name: &str) -> Result<bool> {
        Ok(self.link(None, name)?.is_some())
    }

    /// The interface `name` in `netns`, or in the caller's own namespace; `None` when it is not
    /// there.
    fn link(&self, netns: Option<&Netns>, name: &str) -> Result<Option<Link>>;
}
