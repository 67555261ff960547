//! A plugin on a socket of its own, and an engine that talks to it byte by byte.
#![allow(dead_code, reason = "each test program uses its part")]
#![allow(
    clippy::unwrap_used,
    reason = "a test's helper: a panic is its failure"
)]

pub mod program;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use cnm_opencontrail::Plugin;
use cnm_opencontrail::server::{Limits, Server};
use cnm_opencontrail::socket::Bound;
use serde_json::Value;
use tokio::sync::oneshot;

/// A server in a thread of its own; dropping it stops it.
pub struct Running {
    path: PathBuf,
    server: Arc<Server>,
    stop: std::sync::Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
    _directory: tempfile::TempDir,
}

impl Running {
    /// Serves `plugin` on a new socket. It is there when this returns.
    pub fn start(plugin: Arc<dyn Plugin>, limits: Limits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("opencontrail.sock");
        let (listener, published) = Bound::beside(&path).unwrap().publish().unwrap();
        let server = Server::new(plugin, limits);
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&server);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime
                .block_on(serving.serve(
                    vec![listener],
                    async { stopped.await.unwrap_or(()) },
                    || drop(published),
                ))
                .unwrap();
            runtime.shutdown_background();
        });
        Self {
            path,
            server,
            stop: std::sync::Mutex::new(Some((stop, thread))),
            _directory: directory,
        }
    }

    /// The socket.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until that many calls are at work.
    pub fn wait_for_connections(&self, calls: usize) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while self.server.running_calls() < calls {
            assert!(std::time::Instant::now() < deadline, "no call arrived");
            std::thread::yield_now();
        }
    }

    /// Stops the server and waits for its end.
    pub fn stop(&self) {
        let stop = self.stop.lock().unwrap().take();
        if let Some((stop, thread)) = stop {
            stop.send(()).ok();
            let result = thread.join();
            if !std::thread::panicking() {
                result.unwrap();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A request as the engine sends it, but for one connection only.
pub fn request(method: &str, body: &str) -> String {
    format!(
        "POST /{method} HTTP/1.1\r\nHost: \r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {}\r\n\
         Accept: application/vnd.docker.plugins.v1.2+json\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Sends bytes and reads all that comes back.
pub fn exchange(path: &Path, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Sends a call; its status and JSON.
pub fn post(path: &Path, method: &str, body: &str) -> (u16, Value) {
    let answer = exchange(path, request(method, body).as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}
