//! The real data plane: the kernel that this program runs on.

use std::io;
use std::os::fd::AsFd;
use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use nix::errno::Errno;
use nix::libc;
use nix::net::if_::if_nametoindex;

use super::dataplane::Dataplane;
use super::error::{Error, Result};
use super::link::{InterfaceConfig, Link, VethSpec};
use super::netlink::Netlink;
use super::netns::Netns;
use super::{configure, inspect, sysctl, veth};
use crate::values::Family;
use crate::values::Invalid;
use crate::values::check_ifname;

/// The kernel that this program runs on. It needs `CAP_NET_ADMIN` here and in the containers'
/// namespaces, and `CAP_SYS_ADMIN` to enter those; inside a user namespace it needs nothing of the
/// host.
///
/// ```
/// use contrail_core::kernel::{Dataplane, Kernel};
///
/// let kernel = Kernel::new();
/// assert_eq!(kernel.link(None, "no-such-link")?, None);
/// # Ok::<(), contrail_core::kernel::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Kernel {
    requests: AtomicU64,
}

impl Kernel {
    /// A data plane that has not sent anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many netlink requests it has sent. The number for an operation does not depend on the
    /// machine, therefore tests assert it.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn open(&self) -> Result<Netlink<'_>> {
        Netlink::open(&self.requests).map_err(|error| Error::kernel("open a netlink socket", error))
    }

    fn open_in(&self, netns: Option<&Netns>) -> Result<Netlink<'_>> {
        match netns {
            Some(netns) => netns.run(|| self.open())?,
            None => self.open(),
        }
    }

    /// Which name of a pair is already taken.
    fn taken(&self, netlink: &Netlink<'_>, spec: &VethSpec, netns: Option<&Netns>) -> Result<()> {
        let failed = |error| Error::kernel(format!("look for interface {}", spec.host), error);
        let exists = |ifname: &str, place: String| {
            Err(Error::InterfaceExists {
                ifname: ifname.to_owned(),
                place,
            })
        };
        let here = "the host's network namespace".to_owned();
        if netlink.link(&spec.host).map_err(failed)?.is_some() {
            return exists(&spec.host, here);
        }
        let place = netns.map_or(here, Netns::to_string);
        let netlink = self.open_in(netns)?;
        match netlink.link(&spec.container).map_err(failed)? {
            Some(_) => exists(&spec.container, place),
            None => Ok(()),
        }
    }

    fn create_pair(&self, spec: &VethSpec, netns: Option<&Netns>) -> Result<()> {
        for name in [&spec.host, &spec.container] {
            check_ifname(name).map_err(|why| Invalid::new("interface name", name, why))?;
        }
        let netlink = self.open()?;
        if let Err(error) = netlink.create_link(veth::create(spec, netns.map(AsFd::as_fd))) {
            if error.raw_os_error() == Some(libc::EEXIST) {
                self.taken(&netlink, spec, netns)?;
            }
            return Err(Error::kernel(
                format!("create veth {} with peer {}", spec.host, spec.container),
                error,
            ));
        }
        let has_ipv6 = ignore_advertisements(&spec.host);
        if let Err(error) = netlink.set_link(veth::complete(spec, has_ipv6)) {
            // No half-made pair is left: the caller has nothing to clean up after an error.
            let _ = netlink.delete_link(&spec.host);
            return Err(Error::kernel(format!("complete veth {}", spec.host), error));
        }
        Ok(())
    }

    fn delete(&self, name: &str, alias: Option<&str>) -> Result<bool> {
        let netlink = self.open()?;
        let delete = || match alias {
            None => netlink.delete_link(name),
            Some(alias) => match netlink.link(name)? {
                None => Ok(false),
                Some(link) if inspect::has_other_alias(&link, alias) => {
                    log::warn!("kept interface {name}: it does not belong to VM interface {alias}");
                    Ok(false)
                }
                Some(_) => netlink.delete_link(name),
            },
        };
        delete().map_err(|error| Error::kernel(format!("delete interface {name}"), error))
    }

    fn read(&self, netns: Option<&Netns>, name: &str) -> Result<Option<Link>> {
        // Usually it does not exist, as before each attach, and that is cheap to find out.
        let exists = || exists(name);
        let exists = match netns {
            Some(netns) => netns.run(exists)?,
            None => exists(),
        };
        if !exists {
            return Ok(None);
        }
        let netlink = self.open_in(netns)?;
        inspect::link(&netlink, name)
            .map_err(|error| Error::kernel(format!("read interface {name}"), error))
    }
}

impl Dataplane for Kernel {
    fn open_netns(&self, path: &Path) -> Result<Netns> {
        Netns::open(path)
    }

    fn create_veth(&self, spec: &VethSpec, netns: Option<&Netns>) -> Result<()> {
        blocking(|| self.create_pair(spec, netns))
    }

    fn configure(&self, netns: &Netns, ifname: &str, config: &InterfaceConfig) -> Result<()> {
        blocking(|| configure::run(&self.requests, netns, ifname, config))
    }

    fn delete_link(&self, name: &str, alias: Option<&str>) -> Result<bool> {
        blocking(|| self.delete(name, alias))
    }

    fn has_link(&self, name: &str) -> Result<bool> {
        Ok(exists(name))
    }

    fn link(&self, netns: Option<&Netns>, name: &str) -> Result<Option<Link>> {
        blocking(|| self.read(netns, name))
    }
}

/// Whether the namespace of the calling thread has the interface, without a netlink socket.
fn exists(name: &str) -> bool {
    if_nametoindex(name) != Err(Errno::ENODEV)
}

/// Runs `work` here or, within a Tokio runtime, on a thread of its own: the runtime that netlink needs
/// can neither run nor end inside another one. The thread is in the caller's network namespace.
fn blocking<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    if tokio::runtime::Handle::try_current().is_err() {
        return work();
    }
    thread::scope(|scope| {
        let aside = thread::Builder::new()
            .name("kernel".into())
            .spawn_scoped(scope, work)
            .map_err(|error| Error::kernel("start a thread", error))?;
        aside
            .join()
            .unwrap_or_else(|panic| panic::resume_unwind(panic))
    })
}

/// Whether the operator knows that the host may heed router advertisements of containers.
static WARNED: AtomicBool = AtomicBool::new(false);

/// Makes the host ignore router advertisements on the host's end of a pair: a container must not
/// change the host's routes. Returns whether the host has IPv6 at all.
///
/// `disable_ipv6` would do more than that, but setting it spins for the lock of the routing
/// socket: with fifty pairs at a time that takes six times as long as creating them.
fn ignore_advertisements(ifname: &str) -> bool {
    match sysctl::set(Family::V6, ifname, "accept_ra", "0") {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => {
            // The cause is the host's, and the same for every interface that follows.
            let level = match WARNED.swap(true, Ordering::Relaxed) {
                false => log::Level::Warn,
                true => log::Level::Debug,
            };
            log::log!(
                level,
                "cannot set accept_ra of {ifname} ({error}): if this host accepts router \
                 advertisements, it also accepts them on the interfaces of containers; make /proc/sys/net \
                 writable"
            );
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::MacAddr;

    #[test]
    fn no_pair_is_made_with_a_name_that_the_kernel_would_change() {
        let spec = VethSpec {
            host: "tap0".into(),
            container: "eth%d".into(),
            mac: MacAddr([2, 0, 0, 0, 0, 1]),
            mtu: None,
            alias: String::new(),
        };
        let kernel = Kernel::new();
        let error = kernel.create_veth(&spec, None).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
        assert_eq!(kernel.requests(), 0);
    }

    #[test]
    fn it_can_be_called_within_an_async_runtime() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let kernel = Kernel::new();
        let found = runtime.block_on(async { kernel.link(None, "lo") });
        assert_eq!(found.unwrap().unwrap().name, "lo");
        assert!(kernel.requests() > 0);
    }
}
