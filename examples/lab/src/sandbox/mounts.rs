//! What a program sees of the file system in a sandbox.

use std::fs::{self, DirEntry, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::mount::{MsFlags, mount};

/// The host's own settings must not have an effect inside: empty there, where they exist.
const HIDDEN: [&str; 3] = ["/etc/contrail", "/etc/cni", "/var/log/contrail"];

/// Below `/var/lib` everything stays as it is but what begins so: the state of the agent, of this
/// project and of CNI.
const HIDDEN_STATE: [&str; 2] = ["contrail", "cni"];

/// What every sandbox has of its own.
const REPLACED: [&str; 3] = ["/proc", "/run", "/var/run"];

/// Whether there is something else at this absolute path in the sandbox.
pub(super) fn hides(path: &Path) -> bool {
    if REPLACED
        .iter()
        .chain(&HIDDEN)
        .any(|dir| path.starts_with(dir))
    {
        return true;
    }
    let Ok(below) = path.strip_prefix("/var/lib") else {
        return false;
    };
    // Only the entries themselves are the host's, not the directory.
    let mut parts = below.components().map(|part| part.as_os_str());
    match (parts.next(), parts.next()) {
        (Some(entry), Some(_)) => is_hidden_state(&entry.to_string_lossy()),
        _ => true,
    }
}

fn is_hidden_state(entry: &str) -> bool {
    HIDDEN_STATE.iter().any(|prefix| entry.starts_with(prefix))
}

/// Replaces, in the mount namespace of this process, what the code in the sandbox may change.
pub(super) fn prepare() -> io::Result<()> {
    // Before anything else: otherwise the mounts below would appear on the host too.
    mount_at("/", None, MsFlags::MS_REC | MsFlags::MS_PRIVATE)?;
    // The process numbers of the new process namespace.
    mount_at(
        "/proc",
        Some("proc"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
    )?;
    mount_at("/run", Some("tmpfs"), MsFlags::MS_NOSUID)?;
    // A link to /run nearly everywhere; what a minimal system does not have needs no replacement.
    if fs::canonicalize("/var/run").is_ok_and(|real| real != Path::new("/run")) {
        bind(Path::new("/run"), Path::new("/var/run"))?;
    }
    for dir in HIDDEN.iter().filter(|dir| Path::new(dir).is_dir()) {
        mount_at(dir, Some("tmpfs"), MsFlags::MS_NOSUID)?;
    }
    match Path::new("/var/lib") {
        state if state.is_dir() => writable(state),
        _ => Ok(()),
    }
}

/// Puts a writable directory in the place of `dir` that shows what `dir` holds. An overlay would
/// not do: its directories keep their owner, whom a user namespace may not stand for.
fn writable(dir: &Path) -> io::Result<()> {
    let scratch = Path::new("/run/.sandbox");
    fs::create_dir(scratch)?;
    mount_at("/run/.sandbox", Some("tmpfs"), MsFlags::MS_NOSUID)?;
    for entry in fs::read_dir(dir)? {
        show(&entry?, scratch)?;
    }
    mount(
        Some(scratch),
        dir,
        None::<&str>,
        MsFlags::MS_MOVE,
        None::<&str>,
    )?;
    fs::remove_dir(scratch)
}

fn show(entry: &DirEntry, place: &Path) -> io::Result<()> {
    let name = entry.file_name();
    let text = name.to_string_lossy();
    if is_hidden_state(&text) {
        return Ok(());
    }
    let (source, target) = (entry.path(), place.join(&name));
    let kind = entry.file_type()?;
    if kind.is_symlink() {
        return symlink(fs::read_link(source)?, target);
    }
    if kind.is_dir() {
        fs::create_dir(&target)?;
    } else {
        File::create(&target)?;
    }
    bind(&source, &target)
}

/// With everything that is mounted below: a user namespace must not uncover what that hides.
fn bind(source: &Path, target: &Path) -> io::Result<()> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(source), target, None::<&str>, flags, None::<&str>).map_err(Into::into)
}

fn mount_at(target: &str, kind: Option<&str>, flags: MsFlags) -> io::Result<()> {
    let options = (kind == Some("tmpfs")).then_some("mode=0755");
    mount(kind, target, kind, flags, options).map_err(|errno| {
        let error = io::Error::from(errno);
        io::Error::new(error.kind(), format!("mount on {target}: {error}"))
    })
}
