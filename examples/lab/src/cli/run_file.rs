//! The run file of a lab: who serves it and where. It is locked as long as the lab lives, so that
//! a killed lab is told from a living one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contrail_core::{Error, Result};
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use crate::status::Addresses;

/// How often a waiting process looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The process that serves the lab.
    pub pid: u32,
    /// Where its services listen.
    pub addresses: Addresses,
}

/// The run file of a lab that this process serves.
pub struct RunFile {
    path: PathBuf,
    file: File,
}

/// The directory of run files: `CONTRAIL_LAB_RUN_DIR`, or one that the user may write.
pub fn directory() -> PathBuf {
    if let Some(directory) = std::env::var_os("CONTRAIL_LAB_RUN_DIR").filter(|d| !d.is_empty()) {
        return directory.into();
    }
    if geteuid().is_root() {
        return "/run/contrail-lab".into();
    }
    match std::env::var_os("XDG_RUNTIME_DIR").filter(|d| !d.is_empty()) {
        Some(directory) => Path::new(&directory).join("contrail-lab"),
        None => std::env::temp_dir().join(format!("contrail-lab-{}", geteuid())),
    }
}

fn path(lab: &str) -> PathBuf {
    directory().join(format!("{lab}.json"))
}

/// Where a lab in the background writes what it has to say.
pub fn log_path(lab: &str) -> PathBuf {
    directory().join(format!("{lab}.log"))
}

impl RunFile {
    /// Takes the name of a lab for this process.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a lab of this name runs.
    pub fn take(lab: &str) -> Result<Self> {
        let directory = directory();
        fs::create_dir_all(&directory).map_err(|e| Error::file("make", &directory, e))?;
        let path = path(lab);
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|e| Error::file("open", &path, e))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::invalid(
                        "lab name",
                        lab,
                        "a lab of this name runs already: stop it with `contrail-lab down`, or \
                         give this one another --name",
                    ));
                }
                Err(TryLockError::Error(e)) => return Err(Error::file("lock", &path, e)),
            }
            // The one before may have removed it between the two calls.
            if is_same_file(&file, &path) {
                return Ok(Self { path, file });
            }
        }
    }

    /// Tells others where the lab is.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write(&mut self, content: &Content) -> Result<()> {
        let text = serde_json::to_string_pretty(content).unwrap_or_default() + "\n";
        let file = &mut self.file;
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(|e| Error::file("write", &self.path, e))
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        if let Err(e) = fs::remove_file(&self.path) {
            log::warn!("cannot remove {}: {e}", self.path.display());
        }
    }
}

fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.ino() == named.ino() && open.dev() == named.dev(),
        _ => false,
    }
}

/// What is known of a lab by its run file.
pub enum Found {
    /// It runs.
    Running(Content, Waiter),
    /// Its process was killed: the file is all that is left of it, besides the kernel's objects.
    Killed,
    /// There is none.
    Nothing,
}

/// Waits for the end of a lab.
pub struct Waiter(File);

impl Waiter {
    /// Returns whether the lab ended within `time`.
    pub fn ends_within(self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        loop {
            if self.0.try_lock().is_ok() {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// Looks for a lab.
///
/// # Errors
/// [`Error::File`] or [`Error::Decode`] when the file cannot be read.
pub fn find(lab: &str) -> Result<Found> {
    let path = path(lab);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(e) => return Err(Error::file("open", &path, e)),
    };
    match file.try_lock() {
        Ok(()) => return Ok(Found::Killed),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(e)) => return Err(Error::file("lock", &path, e)),
    }
    let mut text = String::new();
    file.read_to_string(&mut text)
        .map_err(|e| Error::file("read", &path, e))?;
    let content = serde_json::from_str(&text).map_err(|source| Error::Decode {
        what: path.display().to_string(),
        source,
    })?;
    Ok(Found::Running(content, Waiter(file)))
}

/// Removes the files of a lab that has ended.
///
/// # Errors
/// [`Error::File`].
pub fn remove(lab: &str) -> Result<()> {
    for path in [path(lab), log_path(lab)] {
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(Error::file("remove", &path, e));
            }
            _ => {}
        }
    }
    Ok(())
}
