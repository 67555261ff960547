//! The lab's network namespace: made, named, prepared and removed without the `ip` program.
//!
//! The thread that makes it stays in it. Everything that must act inside (sysctl files, `nft`,
//! netlink sockets) is done by that thread, so nothing ever has to switch back.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};

use contrail_core::{Error, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

/// Where `ip netns` and everybody else look for named namespaces.
const NETNS_DIR: &str = "/run/netns";

/// The namespace in which the lab's router lives.
pub struct Namespace {
    path: PathBuf,
    file: File,
}

/// The right to the kernel objects of a lab name, among all processes of a host: given back when the
/// value or its process ends.
pub struct Claim(#[expect(dead_code, reason = "held, not used")] UnixListener);

impl Claim {
    /// Claims a lab name. The name of a socket serves, because the kernel gives it back whatever
    /// happens to the process, and because it lives where the host ends do: in this network
    /// namespace.
    ///
    /// # Errors
    /// [`Error::System`] when a living lab has the name.
    pub fn new(lab: &str) -> Result<Self> {
        let taken = |e| Error::system(format!("claim the name of lab {lab:?}"), e);
        let address = SocketAddr::from_abstract_name(name(lab)).map_err(taken)?;
        UnixListener::bind_addr(&address).map(Self).map_err(taken)
    }
}

/// The name of the namespace of the lab `lab`.
pub fn name(lab: &str) -> String {
    format!("contrail-lab-{lab}")
}

fn path(lab: &str) -> PathBuf {
    Path::new(NETNS_DIR).join(name(lab))
}

impl Namespace {
    /// Makes the namespace of the lab `lab` and moves the calling thread into it for good. A
    /// namespace of that name from an earlier run is removed first.
    ///
    /// # Errors
    /// [`Error::System`] or [`Error::File`] when this process may not make or name a namespace.
    pub fn create(lab: &str) -> Result<Self> {
        remove(lab)?;
        prepare_directory()?;
        let path = path(lab);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o444)
            .open(&path)
            .map_err(|e| Error::file("create", &path, e))?;
        let made = unshare(CloneFlags::CLONE_NEWNET)
            .map_err(|e| Error::system("make a network namespace", e.into()))
            .and_then(|()| {
                mount(
                    Some("/proc/thread-self/ns/net"),
                    &path,
                    None::<&str>,
                    MsFlags::MS_BIND,
                    None::<&str>,
                )
                .map_err(|e| Error::system(format!("name {}", path.display()), e.into()))
            })
            .and_then(|()| File::open(&path).map_err(|e| Error::file("open", &path, e)));
        match made {
            Ok(file) => Ok(Self { path, file }),
            Err(e) => {
                if let Err(left) = fs::remove_file(&path) {
                    log::warn!("cannot remove {}: {left}", path.display());
                }
                Err(e)
            }
        }
    }

    /// The descriptor by which netlink messages name this namespace.
    pub fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// The file by which others can enter it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes the name of the lab's namespace; the kernel removes the namespace with everything in it
/// once no process and no socket is inside. Returns whether there was one.
///
/// # Errors
/// [`Error::File`] when the name cannot be removed.
pub fn remove(lab: &str) -> Result<bool> {
    let path = path(lab);
    // EINVAL: not a mount point, the run that made it ended half way. ENOENT: nothing there.
    match umount2(&path, MntFlags::MNT_DETACH) {
        Ok(()) | Err(nix::Error::EINVAL | nix::Error::ENOENT) => {}
        Err(e) => return Err(Error::file("unmount", &path, e.into())),
    }
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Error::file("remove", &path, e)),
    }
}

/// Makes the directory of names a shared mount point of its own, as `ip netns add` does, so that a
/// name disappears from every mount namespace when it is removed.
fn prepare_directory() -> Result<()> {
    let dir = Path::new(NETNS_DIR);
    fs::create_dir_all(dir).map_err(|e| Error::file("create", dir, e))?;
    let share = || {
        mount(
            None::<&str>,
            dir,
            None::<&str>,
            MsFlags::MS_SHARED | MsFlags::MS_REC,
            None::<&str>,
        )
    };
    let shared = match share() {
        Err(nix::Error::EINVAL) => mount(
            Some(dir),
            dir,
            None::<&str>,
            MsFlags::MS_BIND | MsFlags::MS_REC,
            None::<&str>,
        )
        .and_then(|()| share()),
        other => other,
    };
    shared.map_err(|e| Error::file("share", dir, e.into()))
}

/// Writes the switches of a router that answers for its members. Called inside the namespace
/// before the first device is made: devices take the values of `default`.
///
/// # Errors
/// [`Error::File`] naming the switch.
pub fn write_sysctls() -> Result<()> {
    let mut switches = vec![
        ("ipv4/ip_forward".to_owned(), "1"),
        // What the gateway itself sends carries the mark of what it answers: that is how it finds
        // its network when two networks use the same addresses.
        ("ipv4/fwmark_reflect".to_owned(), "1"),
    ];
    for device in ["all", "default"] {
        // A new namespace inherits the host's values of IPv4: set every one that matters.
        for (switch, value) in [
            ("forwarding", "1"),
            ("proxy_arp", "1"),
            ("rp_filter", "0"),
            ("accept_local", "1"),
            ("send_redirects", "0"),
            ("accept_redirects", "0"),
            ("log_martians", "0"),
        ] {
            switches.push((format!("ipv4/conf/{device}/{switch}"), value));
        }
    }
    if has_ipv6() {
        switches.push(("ipv6/fwmark_reflect".to_owned(), "1"));
        for device in ["all", "default"] {
            for (switch, value) in [
                ("disable_ipv6", "0"),
                ("forwarding", "1"),
                ("proxy_ndp", "1"),
                ("accept_dad", "0"),
                ("accept_ra", "0"),
                ("accept_redirects", "0"),
            ] {
                switches.push((format!("ipv6/conf/{device}/{switch}"), value));
            }
        }
    }
    for (switch, value) in switches {
        let path = Path::new("/proc/sys/net").join(switch);
        fs::write(&path, value).map_err(|e| Error::file("write", &path, e))?;
    }
    Ok(())
}

/// Whether this kernel has IPv6.
pub fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6").exists()
}
