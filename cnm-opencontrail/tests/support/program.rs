//! The program in an environment of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// An address without a listener: the controller is down.
pub const DEAD: &str = "127.0.0.1:1";

pub struct Program {
    directory: tempfile::TempDir,
}

impl Program {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnm-opencontrail"));
        command
            .env_clear()
            .env("CONFIG_API_SERVER", DEAD)
            .env("VROUTER_AGENT_IP", DEAD)
            .env("SOCKET_PATH", self.path("plugins"))
            .env("CONTRAIL_STATE_DIR", self.path("state"))
            .env("CONTRAIL_RUN_DIR", self.path("run"))
            .env("VNC_API_LIB_INI", self.empty_file())
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    fn empty_file(&self) -> PathBuf {
        let path = self.path("vnc_api_lib.ini");
        std::fs::write(&path, "").unwrap();
        path
    }
}
