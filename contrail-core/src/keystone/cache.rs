//! Tokens on disk, so that short-lived processes share one: a file for each account in a directory
//! that only its owner can enter.
//!
//! The directory is what protects the files: it must belong to this user, with mode 0700, and not be
//! a link. Then no other user can place or replace anything in it.
//!
//! A token is given only to callers that know the password: the file also holds a digest of the
//! password, keyed with the token, which is of no use to anyone who cannot read the token itself.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use ring::hmac;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::message::Grant;
use crate::files;
use crate::stored;
use crate::values::{Deadline, Secret, identity};

/// The files of one account's token.
#[derive(Clone, Debug)]
pub struct TokenCache {
    dir: PathBuf,
    name: String,
}

/// A held lock; dropping it releases it.
pub struct Lock {
    _file: File,
}

/// Why the lock could not be taken.
pub enum NoLock {
    /// Another process held it until the deadline.
    Timeout,
    /// The directory cannot be used for a cache.
    Unusable(io::Error),
}

/// A token as it is stored.
#[derive(Serialize, Deserialize)]
struct Entry {
    token: String,
    /// Seconds since 1970.
    renew_at: u64,
    /// See [`digest`].
    digest: String,
}

impl stored::Entry for Entry {
    const KIND: &str = "token";
    const VERSION: u32 = 1;
}

impl TokenCache {
    /// The cache in `dir` for the account that `parts` describe. The name of the file does not
    /// reveal them.
    pub fn new(dir: &Path, parts: &[&str]) -> Self {
        let key: String = parts
            .iter()
            .map(|part| format!("{}:{part};", part.len()))
            .collect();
        Self {
            dir: dir.to_owned(),
            name: identity::name_based(Uuid::NAMESPACE_URL, &key)
                .simple()
                .to_string(),
        }
    }

    /// The stored token, if it was got with `password` and need not be replaced yet.
    pub fn read(&self, password: &Secret, now: SystemTime) -> Option<Grant> {
        let path = self.dir.join(&self.name);
        check_dir(&self.dir).ok()?;
        let metadata = fs::symlink_metadata(&path).ok()?;
        if !metadata.is_file() || metadata.mode() & 0o077 != 0 {
            log::debug!("{} is not used: it is not private", path.display());
            return None;
        }
        let content = files::read_private(&path).ok()?;
        // Another token is got if this one is unknown, whatever the reason.
        let stored: Entry = stored::decode(&content).ok()?;
        let renew_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(stored.renew_at))?;
        let token = Secret::new(stored.token);
        let is_ours = stored.digest == digest(&token, password);
        (is_ours && now < renew_at).then_some(Grant {
            token,
            renew_at: Some(renew_at),
        })
    }

    /// Stores a token that was got with `password`, whole or not at all. A token of unknown lifetime
    /// is not stored.
    pub fn write(&self, grant: &Grant, password: &Secret) -> io::Result<()> {
        let Some(renew_at) = grant.renew_at else {
            return Ok(());
        };
        let since_epoch = renew_at.duration_since(SystemTime::UNIX_EPOCH);
        let stored = Entry {
            token: grant.token.expose().to_owned(),
            renew_at: since_epoch.unwrap_or_default().as_secs(),
            digest: digest(&grant.token, password),
        };
        self.prepare_dir()?;
        let content = stored::encode(&stored)?;
        files::write_private_unsynced(&self.dir.join(&self.name), &content)
            .map_err(io::Error::other)
    }

    /// Waits until no other process asks Keystone for this account's token.
    pub fn lock(&self, deadline: Deadline) -> Result<Lock, NoLock> {
        let file = self
            .prepare_dir()
            .and_then(|()| {
                let path = self.dir.join(format!("{}.lock", self.name));
                let mut options = private();
                let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
                let options = options.write(true).create(true).custom_flags(flags);
                let file = options.open(path)?;
                files::check_plain(&file.metadata()?)?;
                Ok(file)
            })
            .map_err(NoLock::Unusable)?;
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(NoLock::Unusable(error)),
        }
        // The system's lock has no time limit, so a thread waits for it. If the receiver no longer exists
        // when it gets the lock, the lock is released at once.
        let (sender, receiver) = mpsc::sync_channel(0);
        thread::Builder::new()
            .name("token-lock".to_owned())
            .spawn(move || {
                let locked = file.lock().map(|()| Lock { _file: file });
                let _ = sender.send(locked);
            })
            .map_err(NoLock::Unusable)?;
        match receiver.recv_timeout(deadline.remaining()) {
            Ok(locked) => locked.map_err(NoLock::Unusable),
            Err(_) => Err(NoLock::Timeout),
        }
    }

    fn prepare_dir(&self) -> io::Result<()> {
        if !self.dir.exists() {
            if let Some(parent) = self.dir.parent() {
                fs::create_dir_all(parent)?;
            }
            match DirBuilder::new().mode(0o700).create(&self.dir) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        check_dir(&self.dir)
    }
}

/// A digest (HMAC-SHA-256, in hexadecimal) of a password with a token as its key.
fn digest(token: &Secret, password: &Secret) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.expose().as_bytes());
    let tag = hmac::sign(&key, password.expose().as_bytes());
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Refuses a directory in which another user could place a file, and narrows a mode that is too wide.
fn check_dir(dir: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(dir)?;
    let own = fs::metadata("/proc/self")?.uid();
    if !metadata.is_dir() || metadata.uid() != own {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} is not a directory of this user", dir.display()),
        ));
    }
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use serde_json::{Value, json};

    use super::*;

    fn grant(token: &str) -> Grant {
        Grant {
            token: Secret::new(token),
            renew_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000)),
        }
    }

    fn password() -> Secret {
        Secret::new("contrail123")
    }

    fn cache(dir: &Path) -> TokenCache {
        TokenCache::new(&dir.join("run/tokens"), &["http://k", "admin", "demo"])
    }

    #[test]
    fn what_was_written_is_read_until_it_must_be_renewed() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        assert_eq!(cache.read(&password(), SystemTime::now()), None);
        cache.write(&grant("first"), &password()).unwrap();
        cache.write(&grant("second"), &password()).unwrap();
        assert_eq!(
            cache.read(&password(), SystemTime::now()),
            Some(grant("second"))
        );
        assert_eq!(cache.read(&password(), grant("").renew_at.unwrap()), None);
    }

    #[test]
    fn files_and_directory_are_private_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        cache.write(&grant("t"), &password()).unwrap();
        assert_eq!(fs::metadata(&cache.dir).unwrap().mode() & 0o777, 0o700);
        let names: Vec<_> = fs::read_dir(&cache.dir).unwrap().collect();
        assert_eq!(names.len(), 1);
        let file = names[0].as_ref().unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        let name = file.file_name().into_string().unwrap();
        assert!(!name.contains("admin"), "{name}");
    }

    #[test]
    fn each_account_has_its_own_file() {
        let names = [&["u", "ab", "c"], &["u", "a", "bc"]]
            .map(|parts| TokenCache::new(Path::new("/x"), parts).name);
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn a_token_is_not_given_to_another_password_and_the_password_is_not_stored() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        cache.write(&grant("t"), &password()).unwrap();
        assert_eq!(cache.read(&Secret::new("wrong"), SystemTime::now()), None);
        assert_eq!(cache.read(&password(), SystemTime::now()), Some(grant("t")));
        let stored = fs::read_to_string(cache.dir.join(&cache.name)).unwrap();
        assert!(!stored.contains("contrail123"), "{stored}");
    }

    #[test]
    fn a_linked_directory_or_file_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        symlink(other.path(), dir.path().join("tokens")).unwrap();
        let linked = TokenCache::new(&dir.path().join("tokens"), &["k"]);
        assert!(linked.write(&grant("t"), &password()).is_err());
        assert!(matches!(
            linked.lock(Deadline::after(Duration::ZERO)),
            Err(NoLock::Unusable(_))
        ));
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);

        let cache = cache(dir.path());
        cache.write(&grant("t"), &password()).unwrap();
        let path = cache.dir.join(&cache.name);
        fs::rename(&path, other.path().join("token")).unwrap();
        symlink(other.path().join("token"), &path).unwrap();
        assert_eq!(cache.read(&password(), SystemTime::now()), None);
        // Writing replaces the link and leaves its target alone.
        cache.write(&grant("second"), &password()).unwrap();
        assert_eq!(
            cache.read(&password(), SystemTime::now()),
            Some(grant("second"))
        );
        let target = fs::read_to_string(other.path().join("token")).unwrap();
        assert!(!target.contains("second"));
    }

    #[test]
    fn a_file_that_others_can_read_and_garbage_are_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        cache.write(&grant("t"), &password()).unwrap();
        let path = cache.dir.join(&cache.name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(cache.read(&password(), SystemTime::now()), None);
        cache.write(&grant("t"), &password()).unwrap();
        fs::write(&path, b"{\"token\":\"t\",\"renew_at\"").unwrap();
        assert_eq!(cache.read(&password(), SystemTime::now()), None);
    }

    #[test]
    fn the_form_has_a_version_and_that_of_release_0_1_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        cache.write(&grant("t"), &password()).unwrap();
        let path = cache.dir.join(&cache.name);
        let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let entry = &written["entry"];
        assert_eq!(
            (&written["kind"], &written["version"]),
            (&json!("token"), &json!(1))
        );
        let with = |key: &str, value: Value| {
            let mut other = written.clone();
            other[key] = value;
            other
        };
        for (content, is_read) in [
            (written.clone(), true),
            // Release 0.1.0 wrote the entry alone.
            (entry.clone(), true),
            (with("version", json!(2)), false),
            (with("kind", json!("lease")), false),
            (with("entry", json!({"token": "t"})), false),
            (json!({"token": "t"}), false),
            (json!(null), false),
        ] {
            fs::write(&path, content.to_string()).unwrap();
            let read = cache.read(&password(), SystemTime::now());
            assert_eq!(read, is_read.then(|| grant("t")), "{content}");
        }
    }

    #[test]
    fn a_lock_is_waited_for_but_not_beyond_the_deadline() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        let soon = || Deadline::after(Duration::from_millis(20));
        let held = cache.lock(soon()).ok().unwrap();
        assert!(matches!(cache.lock(soon()), Err(NoLock::Timeout)));
        let waiter = {
            let cache = cache.clone();
            thread::spawn(move || cache.lock(Deadline::after(Duration::from_secs(20))).is_ok())
        };
        drop(held);
        assert!(waiter.join().unwrap());
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        cache.prepare_dir().unwrap();
        for name in [cache.name.clone(), format!("{}.lock", cache.name)] {
            nix::unistd::mkfifo(&cache.dir.join(name), nix::sys::stat::Mode::S_IRWXU).unwrap();
        }
        assert_eq!(cache.read(&password(), SystemTime::now()), None);
        let lock = cache.lock(Deadline::after(Duration::from_secs(20)));
        assert!(matches!(lock, Err(NoLock::Unusable(_))));
    }
}
