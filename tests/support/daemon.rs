//! The Docker plugin as an engine has it: a program that serves a socket.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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
        wait_for("the socket", || socket.exists());
        Self { child, socket }
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
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let mut stream = UnixStream::connect(&self.socket).expect("the socket is served");
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: \r\nUser-Agent: Go-http-client/1.1\r\n\
             Content-Length: {}\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .expect("the plugin reads its requests");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("the plugin answers in text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let json = serde_json::from_str(body).expect("answers are JSON");
        (status.expect("a status"), json)
    }
}
