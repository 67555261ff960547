//! The Docker plugin as an engine has it: a program that serves a socket.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use contrail_lab::plugin_socket;
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
        Self::start_as(Command::new(program), &[])
    }

    /// Starts a command of it with these variables.
    ///
    /// # Panics
    /// As [`Program::start`].
    pub fn start_as(mut command: Command, environment: &[(&str, &str)]) -> Self {
        fs::create_dir_all(SOCKETS).expect("/run is writable in the sandbox");
        let child = command
            .args(["--socketpath", SOCKETS])
            .env_clear()
            .envs(environment.iter().copied())
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
