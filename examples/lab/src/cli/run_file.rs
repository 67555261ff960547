//! The run file of a lab: who serves it, where, and which directories were made for it. It is locked
//! as long as the lab lives, so that a killed lab is told from a living one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contrail_core::Error as CoreError;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::run_dir::{self, RunDir, is_same_file};
use crate::status::Addresses;

/// How often a waiting process looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The process that serves the lab.
    pub pid: u32,
    /// Where its services listen; `None` before they do.
    pub addresses: Option<Addresses>,
    /// The directories that were made for the lab, innermost first: they go with it when they are
    /// empty.
    #[serde(default)]
    pub made: Vec<PathBuf>,
}

/// The run file of a lab that this process serves or removes. Whatever is left of the lab in the
/// file system goes when the value is dropped.
pub struct RunFile {
    lab: String,
    path: PathBuf,
    file: File,
    content: Content,
    is_kept: bool,
}

/// Where a lab in the background writes what it has to say.
pub fn log_path(lab: &str) -> PathBuf {
    run_dir::path().join(format!("{lab}.log"))
}

impl RunFile {
    /// Takes the name of a lab for this process, and makes the directories that it needs.
    ///
    /// # Errors
    /// [`Error::NameInUse`] when a lab of this name runs, or when a directory cannot be made.
    pub fn take(lab: &str, needed: &[&Path]) -> Result<Self> {
        let (directory, mut made) = RunDir::make()?;
        let path = directory.run_file(lab);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| CoreError::file("open", &path, e))?;
        if !try_lock(&file, &path)? {
            return Err(Error::NameInUse(lab.to_owned()));
        }
        // A killed lab of this name could not remove its directories.
        made.extend(read(&file).unwrap_or_default().made);
        made.extend(to_remove(needed, &directory, &path)?);
        made.sort_by(|a, b| b.cmp(a)); // what is inside comes first
        made.dedup();
        let content = Content {
            pid: std::process::id(),
            addresses: None,
            made,
        };
        write(&file, &path, &content)?;
        let make =
            |dir: &&Path| fs::create_dir_all(dir).map_err(|e| CoreError::file("make", *dir, e));
        let are_made = needed.iter().try_for_each(make);
        // Before the value below can be dropped, which locks it again.
        drop(directory);
        let taken = Self {
            lab: lab.to_owned(),
            path,
            file,
            content,
            is_kept: false,
        };
        are_made.map(|()| taken).map_err(Into::into)
    }

    /// Tells others that the lab serves, and where.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn serves_at(&mut self, addresses: Addresses) -> Result<()> {
        let _directory = RunDir::lock()?;
        self.content.addresses = Some(addresses);
        write(&self.file, &self.path, &self.content)
    }

    /// Leaves everything for `contrail-lab down`, as after a kill: not all of the lab is gone.
    pub fn keep(mut self) {
        self.is_kept = true;
    }

    /// Removes the files, and the directories that are empty then.
    fn remove(&self) -> Result<()> {
        let Some(directory) = RunDir::lock()? else {
            return Ok(());
        };
        let others = made_by_others(&directory, &self.path)?;
        // The run file last: without it the rest cannot be found.
        for path in [&log_path(&self.lab), &self.path] {
            match fs::remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(CoreError::file("remove", path, e).into());
                }
                _ => {}
            }
        }
        let made = self.content.made.iter();
        made.filter(|dir| !others.contains(dir))
            .for_each(|dir| remove_if_empty(dir));
        Ok(())
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        if let Err(e) = self.remove() {
            log::warn!("{}", contrail_core::error::report(&e));
        }
    }
}

/// What of the needed directories and those around them goes with a lab: what does not exist yet, and
/// what other labs made.
fn to_remove(needed: &[&Path], directory: &RunDir, own: &Path) -> Result<Vec<PathBuf>> {
    let others = made_by_others(directory, own)?;
    let all = needed.iter().copied().chain([directory.path()]);
    let parts = all
        .flat_map(Path::ancestors)
        .filter(|dir| !dir.as_os_str().is_empty());
    let ours = parts.filter(|dir| !dir.exists() || others.iter().any(|other| other == dir));
    Ok(ours.map(Path::to_path_buf).collect())
}

/// The directories that other labs will remove: they use them, or found them as this one did.
fn made_by_others(directory: &RunDir, own: &Path) -> Result<Vec<PathBuf>> {
    let others = directory
        .run_files()?
        .into_iter()
        .filter(|path| path != own);
    // A file that is no run file says nothing.
    let contents = others.filter_map(|path| read(&File::open(path).ok()?).ok());
    Ok(contents.flat_map(|content| content.made).collect())
}

fn read(mut file: &File) -> io::Result<Content> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

fn write(mut file: &File, path: &Path, content: &Content) -> Result<()> {
    let text = serde_json::to_string_pretty(content).unwrap_or_default() + "\n";
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(text.as_bytes()))
        .map_err(|e| CoreError::file("write", path, e).into())
}

fn try_lock(file: &File, path: &Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(e)) => Err(CoreError::file("lock", path, e).into()),
    }
}

/// What is known of a lab by its run file.
pub enum Found {
    /// It runs, or is starting or ending.
    Running(Running),
    /// Its process was killed: what it left in the file system goes with the value.
    Killed(RunFile),
    /// There is none.
    Nothing,
}

/// A lab that another process serves.
pub struct Running {
    /// What it says of itself.
    pub content: Content,
    lab: String,
    path: PathBuf,
    file: File,
}

/// How a lab ended that was waited for.
pub enum End {
    /// It removed everything.
    Clean,
    /// It was killed, or could not remove everything.
    Left(Box<RunFile>),
    /// It did not end in time.
    No,
}

impl Running {
    /// Whether this is the lab whose control endpoint is at `control`.
    pub fn is_at(&self, control: SocketAddr) -> bool {
        let addresses = self.content.addresses;
        addresses.is_some_and(|addresses| addresses.control == control)
    }

    /// Waits until the lab has ended.
    ///
    /// # Errors
    /// When the run file cannot be looked at.
    pub fn ends_within(self, time: Duration) -> Result<End> {
        let deadline = Instant::now() + time;
        loop {
            let directory = RunDir::lock()?;
            if !is_same_file(&self.file, &self.path) {
                return Ok(End::Clean);
            }
            if try_lock(&self.file, &self.path)? {
                return Ok(End::Left(Box::new(RunFile {
                    content: read(&self.file).unwrap_or(self.content),
                    lab: self.lab,
                    path: self.path,
                    file: self.file,
                    is_kept: false,
                })));
            }
            drop(directory);
            if Instant::now() >= deadline {
                return Ok(End::No);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// The certainty that no process has a name or takes it as long as the value lives.
pub struct Vacancy {
    _directory: RunDir,
    made: Vec<PathBuf>,
}

impl Vacancy {
    /// `None` if another process has the name by now.
    ///
    /// # Errors
    /// When the directory of run files cannot be made or locked.
    pub fn of(lab: &str) -> Result<Option<Self>> {
        let (directory, made) = RunDir::make()?;
        let is_free = !directory.run_file(lab).exists();
        let vacancy = Self {
            _directory: directory,
            made,
        };
        Ok(is_free.then_some(vacancy))
    }
}

impl Drop for Vacancy {
    fn drop(&mut self) {
        self.made.iter().for_each(|dir| remove_if_empty(dir));
    }
}

/// A directory that is not empty belongs to someone else.
fn remove_if_empty(directory: &Path) {
    if let Err(e) = fs::remove_dir(directory) {
        log::debug!("{} stays: {e}", directory.display());
    }
}

/// Looks for a lab.
///
/// # Errors
/// When the file cannot be read.
pub fn find(lab: &str) -> Result<Found> {
    let Some(directory) = RunDir::lock()? else {
        return Ok(Found::Nothing);
    };
    let path = directory.run_file(lab);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(e) => return Err(CoreError::file("open", &path, e).into()),
    };
    let lab = lab.to_owned();
    if try_lock(&file, &path)? {
        return Ok(Found::Killed(RunFile {
            lab,
            content: read(&file).unwrap_or_default(),
            path,
            file,
            is_kept: false,
        }));
    }
    Ok(Found::Running(Running {
        content: read(&file).map_err(|e| CoreError::file("read", &path, e))?,
        lab,
        path,
        file,
    }))
}
