//! Named network namespaces for tests, without the `ip` program.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use contrail_core::kernel::{Error, Netns, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use rtnetlink::LinkUnspec;
use tokio::runtime::Builder;

/// A network namespace `/run/netns/<name>`, as `ip netns add` makes it. It goes when this value
/// does.
#[derive(Debug)]
pub struct TestNetns {
    netns: Netns,
}

impl TestNetns {
    /// Makes the namespace. Its loopback interface is down, and it has no other.
    ///
    /// # Errors
    /// When the name is taken or the system does not allow it.
    pub fn new(name: &str) -> Result<Self> {
        let path = Path::new("/run/netns").join(name);
        let failed = |error| Error::kernel(format!("make the namespace {}", path.display()), error);
        fs::create_dir_all("/run/netns").map_err(failed)?;
        File::create_new(&path).map_err(failed)?;
        let made = mount_new_namespace(&path)
            .map_err(failed)
            .and_then(|()| Netns::open(&path));
        match made {
            Ok(netns) => Ok(Self { netns }),
            Err(error) => {
                remove(&path);
                Err(error)
            }
        }
    }

    /// The namespace, to work with.
    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.netns.path()
    }

    /// Runs a program inside and collects its output.
    ///
    /// # Errors
    /// When the program cannot be started; how it ends is part of the output.
    pub fn output(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        self.netns
            .run(|| Command::new(program).args(arguments).output())?
            .map_err(|error| Error::kernel(format!("run {program}"), error))
    }
}

impl Drop for TestNetns {
    fn drop(&mut self) {
        remove(self.netns.path());
    }
}

fn remove(path: &Path) {
    // A test may have unmounted or removed it itself.
    let _ = umount2(path, MntFlags::MNT_DETACH);
    let _ = fs::remove_file(path);
}

fn mount_new_namespace(path: &Path) -> io::Result<()> {
    let target = PathBuf::from(path);
    // A thread of its own: its namespace changes for good.
    let maker = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET)?;
        mount(
            Some("/proc/thread-self/ns/net"),
            &target,
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )
    });
    match maker.join() {
        Ok(made) => Ok(made?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Sets the loopback interface of this process's namespace up.
pub(super) fn set_loopback_up() -> io::Result<()> {
    /// In every namespace it is the first interface.
    const LOOPBACK: u32 = 1;
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        let up = LinkUnspec::new_with_index(LOOPBACK).up().build();
        let done = handle.link().set(up).execute().await;
        done.map_err(|error| io::Error::other(error.to_string()))
    })
}
