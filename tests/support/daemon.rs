//! The Docker plugin as an engine has it: a program that serves a socket.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use contrail_lab::plugin_socket;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

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
        Self::start_with(program, |_| {})
    }

    /// The same with another environment, or another standard error.
    ///
    /// # Panics
    /// As [`Program::start`].
    pub fn start_with(program: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(program);
        command.env_clear().stderr(Stdio::null());
        change(&mut command);
        Self::start_command(command)
    }

    /// The same of a command that lacks nothing but the path of the socket.
    ///
    /// # Panics
    /// As [`Program::start`].
    pub fn start_command(mut command: Command) -> Self {
        fs::create_dir_all(SOCKETS).expect("/run is writable in the sandbox");
        let child = command.args(["--socketpath", SOCKETS]).spawn();
        let child = child.expect("the plugin starts");
        let socket = Path::new(SOCKETS).join("opencontrail.sock");
        // A killed one leaves its socket.
        wait_for("the socket", || UnixStream::connect(&socket).is_ok());
        Self { child, socket }
    }

    /// Its socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Asks it to end and waits until it has.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn stop(mut self) -> ExitStatus {
        kill(Pid::from_raw(self.pid() as i32), Signal::SIGTERM).expect("the plugin runs");
        let mut status = None;
        wait_for("the end of the plugin", || {
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        status.expect("it has ended")
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Calls a method of the network driver that has to succeed.
    ///
    /// # Errors
    /// The answer, if it is another.
    ///
    /// # Panics
    /// As [`Program::post`].
    pub fn call(&self, method: &str, body: &Value) -> Result<(), String> {
        match self.post(&format!("/NetworkDriver.{method}"), body) {
            (200, _) => Ok(()),
            (status, answer) => Err(format!("{method}: {status} {answer}")),
        }
    }

    /// Creates the network `n1`, virtual network `net1`, with room for many containers: 10.1.0.0/16.
    ///
    /// # Errors
    /// As [`Program::call`].
    ///
    /// # Panics
    /// As [`Program::post`].
    pub fn create_large_network(&self) -> Result<(), String> {
        let network = json!({
            "NetworkID": "n1",
            "Options": {"com.docker.network.generic": {"name": "net1"}},
            "IPv4Data": [{
                "AddressSpace": "LocalDefault", "Pool": "10.1.0.0/16", "Gateway": "10.1.0.1/16",
            }],
            "IPv6Data": [],
        });
        self.call("CreateNetwork", &network)
    }

    /// Connects a container to that network: one of 60,000, each with an address of its own.
    ///
    /// # Errors
    /// As [`Program::call`].
    ///
    /// # Panics
    /// As [`Program::post`].
    pub fn connect(&self, number: usize) -> Result<(), String> {
        let mut create = ids(number);
        let address = format!("10.1.{}.{}/16", 1 + number / 250, 2 + number % 250);
        create["Interface"] = json!({"Address": address, "AddressIPv6": "", "MacAddress": ""});
        create["Options"] = json!({});
        self.call("CreateEndpoint", &create)?;
        let mut join = ids(number);
        join["SandboxKey"] = json!(format!("/var/run/docker/netns/{number}"));
        self.call("Join", &join)
    }

    /// Disconnects it again.
    ///
    /// # Errors
    /// As [`Program::call`].
    ///
    /// # Panics
    /// As [`Program::post`].
    pub fn disconnect(&self, number: usize) -> Result<(), String> {
        self.call("Leave", &ids(number))?;
        self.call("DeleteEndpoint", &ids(number))
    }

    /// Sends a request as an engine does; its status and its JSON. No body for `Null`.
    ///
    /// # Panics
    /// When the answer is no HTTP, or its body no JSON.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        plugin_socket::post(&self.socket, path, body).expect("the plugin answers")
    }
}

/// The network and the endpoint of a container.
fn ids(number: usize) -> Value {
    json!({"NetworkID": "n1", "EndpointID": format!("e{number}")})
}
