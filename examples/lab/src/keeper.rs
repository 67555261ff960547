//! Keeps the configuration in a file: writes it after changes, one write for all changes that came
//! during the one before.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use contrail_core::{Error, Result};

use crate::config::ConfigApi;

/// The thread that writes. When it is dropped, every change is in the file.
pub struct Keeper {
    news: Sender<News>,
    thread: Option<JoinHandle<()>>,
}

enum News {
    Changed,
    End,
}

impl Keeper {
    /// Writes the configuration to `path` now and after every change.
    ///
    /// # Errors
    /// [`Error::File`] when the file cannot be written now.
    pub fn start(config: &Arc<ConfigApi>, path: PathBuf) -> Result<Self> {
        let directory = path.parent().map_or(Ok(()), fs::create_dir_all);
        let saved = directory.and_then(|()| config.save(&path));
        saved.map_err(|e| Error::file("write", &path, e))?;
        let (news, heard) = channel();
        let kept = Arc::clone(config);
        let thread = std::thread::Builder::new()
            .name("snapshot".into())
            .spawn(move || keep(&kept, &path, &heard))
            .map_err(|e| Error::system("start the snapshot's thread", e))?;
        let told = news.clone();
        // A keeper that has ended needs no news.
        config.on_change(move || drop(told.send(News::Changed)));
        Ok(Self {
            news,
            thread: Some(thread),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // A thread that has ended by itself is joined all the same.
        drop(self.news.send(News::End));
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            log::error!("the snapshot's thread panicked");
        }
    }
}

fn keep(config: &ConfigApi, path: &Path, heard: &Receiver<News>) {
    while let Ok(first) = heard.recv() {
        let waiting: Vec<News> = std::iter::once(first).chain(heard.try_iter()).collect();
        if waiting.iter().any(|news| matches!(news, News::Changed))
            && let Err(e) = config.save(path)
        {
            log::error!("cannot write {}: {e}", path.display());
        }
        if waiting.iter().any(|news| matches!(news, News::End)) {
            return;
        }
    }
}
