//! The programs that the walk-through calls: the plugins, the lab and the command for service chains.

mod build;
mod daemon;

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use contrail_lab::keystone::{PASSWORD, PROJECT, USER};
use contrail_lab::lab::CLIENT_ENVIRONMENT;
pub use daemon::Daemon;
use serde_json::Value;

use crate::failure::Failure;

/// Where the programs are.
pub struct Programs {
    dir: PathBuf,
}

const PROGRAMS: [&str; 4] = [
    "cni-opencontrail",
    "cnm-opencontrail",
    "contrail-lab",
    "service-chain",
];

/// The program of the containers, in the same directory.
pub const PAUSE: &str = "walkthrough-pause";

/// The socket of the Docker plugin, where engines look for it.
pub const SOCKET: &str = "/run/docker/plugins/opencontrail.sock";

/// The name of the host, from which the plugins compute ids.
pub const NODE: &str = "demo";

/// The settings for the lab that [`CLIENT_ENVIRONMENT`] lacks: together, the variables of `cnirc` and
/// `common.env` in examples/service-chain.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("CONTRAIL_NODE_NAME", NODE),
    ("API_SERVER_PORT", "8082"),
    ("CONFIG_API_SERVER", "127.0.0.1"),
    ("KEYSTONE_SERVER", "127.0.0.1"),
    ("ADMIN_USER", USER),
    ("ADMIN_PASSWORD", PASSWORD),
    ("ADMIN_TENANT", PROJECT),
];

impl Programs {
    /// The programs in the directory of this one, where cargo puts all of them.
    pub fn beside_this_one() -> Result<Self, Failure> {
        let dir = env::current_exe()?
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        Ok(Self { dir })
    }

    /// The path of a program.
    pub fn path(&self, program: &str) -> PathBuf {
        self.dir.join(program)
    }

    /// A call of a program with the settings for the lab.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.path(program));
        command.envs(CLIENT_ENVIRONMENT).envs(ENVIRONMENT);
        command
    }

    /// Runs a command of the lab.
    pub fn lab(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = self.command("contrail-lab").args(arguments).output()?;
        check(&format!("contrail-lab {}", arguments.join(" ")), &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The status of the lab.
    pub fn status(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.lab(&["status", "--json"])?)?)
    }

    /// Runs a command of `service-chain` for a chain, which it reads from its standard input.
    pub fn service_chain(&self, arguments: &[&str], chain: &str) -> Result<String, Failure> {
        let output = self.run_service_chain(arguments, chain)?;
        check(&format!("service-chain {}", arguments.join(" ")), &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The exit code and the output of `service-chain show`.
    pub fn show_chain(&self, chain: &str) -> Result<(Option<i32>, String), Failure> {
        let output = self.run_service_chain(&["show"], chain)?;
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok((output.status.code(), shown))
    }

    fn run_service_chain(&self, arguments: &[&str], chain: &str) -> Result<Output, Failure> {
        let mut program = self.command("service-chain");
        with_input(program.args(arguments).arg("-"), chain)
    }

    /// Calls the CNI plugin as a runtime does. The result of ADD; `None` for DEL.
    pub fn plugin(
        &self,
        command: &str,
        netns: &str,
        configuration: &str,
    ) -> Result<Option<Value>, Failure> {
        let mut plugin = self.command("cni-opencontrail");
        plugin
            .env("CNI_COMMAND", command)
            .env("CNI_CONTAINERID", netns)
            .env("CNI_NETNS", format!("/var/run/netns/{netns}"))
            .env("CNI_IFNAME", "eth0")
            .env("CNI_PATH", "/opt/cni/bin");
        let output = with_input(&mut plugin, configuration)?;
        check(&format!("cni-opencontrail {command} {netns}"), &output)?;
        match output.stdout.is_empty() {
            true => Ok(None),
            false => Ok(Some(serde_json::from_slice(&output.stdout)?)),
        }
    }
}

fn with_input(command: &mut Command, input: &str) -> Result<Output, Failure> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    Ok(child.wait_with_output()?)
}

/// Fails with the output of a command unless the command succeeded.
pub fn check(command: &str, output: &Output) -> Result<(), Failure> {
    if output.status.success() {
        return Ok(());
    }
    let text = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    Err(Failure::Command {
        command: command.to_owned(),
        status: output.status.to_string(),
        output: text.join(" ").trim().to_owned(),
    })
}
