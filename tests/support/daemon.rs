//! The Docker plugin as an engine has it: a program that serves a socket.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use contrail_lab::plugin_socket;
use serde_json::Value;

use crate::wait_for;

/// The directory of the socket.
const SOCKETS: &str = "/run/plugins";

/// The program while it runs; it is killed in the end.
pub struct Program {
    child: Child,
    socket: PathBuf,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Program {
    /// Starts it with its defaults and waits until it serves.
    ///
    /// # Panics
    /// When it cannot be started, or does not serve in time.
    pub fn start(program: &Path) -> Self {
        fs::create_dir_all(SOCKETS).expect("/run is writable in the sandbox");
        let child = Command::new(program)
            .args(["--socketpath", SOCKETS])
            .env_clear()
            .stderr(Stdio::null())
            .spawn()
            .expect("the plugin starts");
        let socket = Path::new(SOCKETS).join("opencontrail.sock");
        // A killed one leaves its socket.
        wait_for("the socket", || UnixStream::connect(&socket).is_ok());
        Self { child, socket }
    }

    /// Its socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request as an engine does; its status and its JSON. No body for `Null`.
    ///
    /// # Panics
    /// When the answer is no HTTP, or its body no JSON.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        plugin_socket::post(&self.socket, path, body).expect("the plugin answers")
    }
}
