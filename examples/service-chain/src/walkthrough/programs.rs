//! The programs that the walk-through uses, and how it calls them.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::failure::Failure;

/// The plugins, the lab and the command for chains, built from this workspace.
pub struct Programs {
    dir: PathBuf,
}

const PROGRAMS: [&str; 4] = [
    "cni-opencontrail",
    "cnm-opencontrail",
    "contrail-lab",
    "service-chain",
];

/// What the containers run, beside the other programs.
pub const PAUSE: &str = "walkthrough-pause";

/// Where the Docker plugin serves, and engines look for it.
pub const SOCKET: &str = "/run/docker/plugins/opencontrail.sock";

/// The name of this host, from which the plugins compute ids.
pub const NODE: &str = "demo";

/// The lab's, with the names of the walk-through's CNI source file and of its `common.env`.
const ENVIRONMENT: [(&str, &str); 12] = [
    ("CONTRAIL_NODE_NAME", NODE),
    ("API_SERVER_IP", "127.0.0.1"),
    ("API_SERVER_PORT", "8082"),
    ("OS_TENANT_NAME", "admin"),
    ("OS_AUTH_URL", "http://127.0.0.1:35357/v2.0"),
    ("OS_USERNAME", "admin"),
    ("OS_PASSWORD", "contrail123"),
    ("CONFIG_API_SERVER", "127.0.0.1"),
    ("KEYSTONE_SERVER", "127.0.0.1"),
    ("ADMIN_USER", "admin"),
    ("ADMIN_PASSWORD", "contrail123"),
    ("ADMIN_TENANT", "admin"),
];

/// Builds the programs if it was cargo that started this one; whoever starts it by hand has them.
/// Not in the sandbox, where there is no network to fetch what they need.
pub fn build() -> Result<(), Failure> {
    let Some(cargo) = env::var_os("CARGO") else {
        return Ok(());
    };
    let output = Command::new(cargo)
        .args(["build", "--quiet"])
        // Not this program itself, which runs.
        .args(PROGRAMS.iter().flat_map(|name| ["--bin", name]))
        .stderr(Stdio::inherit())
        .output()?;
    check("cargo build", &output)?;
    build_pause()
}

/// Builds what the containers run as one file that needs no other.
fn build_pause() -> Result<(), Failure> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .args([
            "--crate-name",
            "pause",
            "-C",
            "target-feature=+crt-static",
            "-o",
        ])
        .arg(Programs::beside_this_one()?.path(PAUSE))
        .arg("-");
    check("rustc", &with_input(&mut rustc, include_str!("pause.rs"))?)
}

impl Programs {
    /// The programs where cargo puts them: beside the one that runs.
    pub fn beside_this_one() -> Result<Self, Failure> {
        let dir = env::current_exe()?
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        Ok(Self { dir })
    }

    /// Where a program is.
    pub fn path(&self, program: &str) -> PathBuf {
        self.dir.join(program)
    }

    /// A program with the lab's environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.path(program));
        command.envs(ENVIRONMENT);
        command
    }

    /// Runs a command of the lab.
    pub fn lab(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = self.command("contrail-lab").args(arguments).output()?;
        check(&format!("contrail-lab {}", arguments.join(" ")), &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What the lab says of itself.
    pub fn status(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.lab(&["status", "--json"])?)?)
    }

    /// Runs a command for the service chain that stands on its standard input.
    pub fn service_chain(&self, arguments: &[&str], chain: &str) -> Result<String, Failure> {
        let output = self.run_service_chain(arguments, chain)?;
        check(&format!("service-chain {}", arguments.join(" ")), &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Shows a chain: the exit code, and what stands there.
    pub fn show_chain(&self, chain: &str) -> Result<(Option<i32>, String), Failure> {
        let output = self.run_service_chain(&["show"], chain)?;
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok((output.status.code(), shown))
    }

    fn run_service_chain(&self, arguments: &[&str], chain: &str) -> Result<Output, Failure> {
        let mut program = self.command("service-chain");
        with_input(program.args(arguments).arg("-"), chain)
    }

    /// Calls the CNI plugin as a runtime would. An ADD answers with its result, a DEL with nothing.
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

/// Fails with what a command said unless it has succeeded.
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
