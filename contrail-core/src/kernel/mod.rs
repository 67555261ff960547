//! The second seam: everything that changes the kernel's network. Nothing outside this module names
//! netlink, namespaces or sysctls.

mod configure;
mod dataplane;
mod error;
mod inspect;
mod link;
mod linux;
mod netlink;
mod netns;
mod route;
mod sysctl;
mod veth;

pub use dataplane::Dataplane;
pub use error::{Error, Result};
pub use link::{InterfaceConfig, Link, VethSpec};
pub use linux::Kernel;
pub use netns::{Netns, NetnsId};
pub use route::Route;
