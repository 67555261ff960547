//! Starting a program in namespaces of its own.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getegid, geteuid, getpid, getppid, write};

/// Makes `command` start its program in namespaces of its own for the network, the mounts and the
/// processes. The program is process 1 there, so that everything it started ends with it; and it
/// ends when the thread that starts it does.
pub(super) fn isolate(command: &mut Command) {
    let user = User {
        is_root: geteuid().is_root(),
        uids: format!("0 {} 1", geteuid()),
        gids: format!("0 {} 1", getegid()),
    };
    let starter = getpid();
    // SAFETY: the closure runs between fork and exec, where only this thread exists: it allocates
    // nothing, takes no lock and calls nothing but system calls. What it forks itself either
    // returns at once, towards exec, or only waits and ends by _exit.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(move || enter(&user, starter));
    }
}

/// Who starts the program, and what the user namespace makes of that: root of its own.
struct User {
    is_root: bool,
    uids: String,
    gids: String,
}

fn enter(user: &User, starter: Pid) -> io::Result<()> {
    let own = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID;
    // Root of a container may lack the privilege that root of a host has.
    if !user.is_root || unshare(own).is_err() {
        unshare(own | CloneFlags::CLONE_NEWUSER)?;
        write_to(c"/proc/self/setgroups", "deny")?;
        write_to(c"/proc/self/uid_map", &user.uids)?;
        write_to(c"/proc/self/gid_map", &user.gids)?;
    }
    // After the change of the user: that would clear it.
    set_pdeathsig(Signal::SIGKILL)?;
    if getppid() != starter {
        return Err(Errno::ESRCH.into());
    }
    // A new process namespace begins with the next child, which becomes process 1 of it.
    // SAFETY: see `isolate`.
    #[allow(unsafe_code)]
    match unsafe { fork() }? {
        ForkResult::Child => Ok(set_pdeathsig(Signal::SIGKILL)?),
        ForkResult::Parent { child } => end_like(child),
    }
}

fn write_to(path: &std::ffi::CStr, text: &str) -> io::Result<()> {
    let file = open(path, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    write(file, text.as_bytes())?;
    Ok(())
}

/// Waits for the child and ends as it does.
fn end_like(child: Pid) -> ! {
    // The starter waits until no process holds the pipe through which it would hear of a failed exec.
    // SAFETY: this process has no use for any file any more, and _exit runs no code of it.
    #[allow(unsafe_code)]
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
    }
    let code = loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => break code,
            Ok(WaitStatus::Signaled(_, signal, _)) => break 128 + signal as libc::c_int,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => break 1,
        }
    };
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe {
        libc::_exit(code)
    }
}
