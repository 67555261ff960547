//! The port API of the vRouter agent on this host: it plugs an interface into its virtual network.
//!
//! The agent answers 200 before anything has happened, keeps an older port of the same id whatever
//! the new one says, and checks next to nothing. So ports are checked here before they are sent, and
//! read back until the agent really has them.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::{Error, Result, quoted};
use crate::http::{Method, Request, Response, Transport, TransportError};
use crate::values::Deadline;
use crate::values::MacAddr;
use crate::values::check_ifname;

/// One request to the agent: it is on this host and answers at once or never.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the agent may take to learn a port's configuration, unless the caller sets an end.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// What an agent is to do with a port that is added.
const TAKE: &str = "take";

/// The pauses between two looks: at first nothing is lost by asking often, later the control node
/// is what everybody waits for.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A port as this project plugs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The id of the VM interface.
    pub id: Uuid,
    /// The id of the virtual machine object: the agent asks the controller for its configuration.
    pub instance_id: Uuid,
    /// The id of the virtual network.
    pub vn_id: Uuid,
    /// The id of the project, if known.
    pub project_id: Option<Uuid>,
    /// The name for people; also the name that DHCP hands out.
    pub display_name: String,
    /// The IPv4 address; none lets the configuration decide.
    pub address: Option<Ipv4Addr>,
    /// The IPv6 address; none lets the configuration decide.
    pub address6: Option<Ipv6Addr>,
    /// The Ethernet address of the container's end.
    pub mac: MacAddr,
    /// The name of the host's end.
    pub host_ifname: String,
}

impl Port {
    /// The body of the request that adds this port. All twelve keys are mandatory, none may be null.
    pub fn body(&self) -> Value {
        json!({
            "id": self.id,
            "instance-id": self.instance_id,
            "vn-id": self.vn_id,
            "vm-project-id": self.project_id.unwrap_or_default(),
            "display-name": self.display_name,
            "ip-address": self.address.unwrap_or(Ipv4Addr::UNSPECIFIED),
            "ip6-address": self.address6.map(|ip| ip.to_string()).unwrap_or_default(),
            "mac-address": self.mac,
            "system-name": self.host_ifname,
            // A VM port: the only type for which the agent asks the controller for configuration.
            "type": 0,
            "rx-vlan-id": -1,
            "tx-vlan-id": -1,
        })
    }

    /// Refuses what the agent would accept without a word: a port with a nil id cannot be deleted
    /// again, one with a name that no interface can have never works.
    fn check(&self) -> Result<()> {
        let ids = [
            ("port id", self.id),
            ("instance id of a port", self.instance_id),
            ("virtual network id of a port", self.vn_id),
        ];
        if let Some((what, id)) = ids.into_iter().find(|(_, id)| id.is_nil()) {
            return Err(Error::invalid(what, id.to_string(), "it is the nil id"));
        }
        let name = &self.host_ifname;
        check_ifname(name).map_err(|why| Error::invalid("host interface name", name, why))?;
        if !self.mac.is_usable() {
            let reason = "an interface cannot have it";
            return Err(Error::invalid(
                "MAC address of a port",
                self.mac.to_string(),
                reason,
            ));
        }
        Ok(())
    }
}

/// A port as the agent has it, once it knows its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PortInfo {
    /// The id of the VM interface.
    pub id: Uuid,
    /// The id of the virtual machine.
    pub instance_id: Uuid,
    /// The id of the virtual network, from the configuration.
    pub vn_id: Uuid,
    /// The id of the project.
    #[serde(rename = "vm-project-id")]
    pub project_id: Uuid,
    /// The Ethernet address.
    #[serde(rename = "mac-address", default, deserialize_with = "lenient")]
    pub mac: Option<MacAddr>,
    /// The name of the host's end.
    #[serde(rename = "system-name", default)]
    pub host_ifname: String,
    /// The IPv4 address.
    #[serde(rename = "ip-address", default, deserialize_with = "lenient")]
    pub address: Option<Ipv4Addr>,
    /// The length of the IPv4 subnet's prefix.
    #[serde(rename = "plen", default)]
    pub prefix_len: Option<u8>,
    /// The IPv4 gateway.
    #[serde(default, deserialize_with = "lenient")]
    pub gateway: Option<Ipv4Addr>,
    /// The IPv4 address that answers DNS.
    #[serde(rename = "dns-server", default, deserialize_with = "lenient")]
    pub dns: Option<Ipv4Addr>,
    /// The IPv6 address; the agent does not tell its prefix.
    #[serde(rename = "v6-ip-address", default, deserialize_with = "lenient")]
    pub address6: Option<Ipv6Addr>,
    /// The IPv6 gateway.
    #[serde(rename = "v6-gateway", default, deserialize_with = "lenient")]
    pub gateway6: Option<Ipv6Addr>,
    /// The IPv6 address that answers DNS.
    #[serde(rename = "v6-dns-server", default, deserialize_with = "lenient")]
    pub dns6: Option<Ipv6Addr>,
}

/// Reads what does not parse as none: it is shown to people, nothing depends on it.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
{
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

impl PortInfo {
    /// What the agent has differently from `port`, as text; none when it is the same port.
    fn difference(&self, port: &Port) -> Option<String> {
        let mut differences = Vec::new();
        if self.host_ifname != port.host_ifname {
            differences.push(format!("interface {}", quoted(&self.host_ifname)));
        }
        if self.instance_id != port.instance_id {
            differences.push(format!("instance {}", self.instance_id));
        }
        if let Some(mac) = self.mac.filter(|mac| *mac != port.mac) {
            differences.push(format!("MAC address {mac}"));
        }
        (!differences.is_empty()).then(|| differences.join(", "))
    }
}

/// The agent of this host. Cloning is cheap.
#[derive(Clone)]
pub struct Agent {
    transport: Arc<dyn Transport>,
    address: String,
    ports_dir: PathBuf,
    deadline: Option<Deadline>,
}

impl Agent {
    /// The agent at `address` (`host:port`, usually `127.0.0.1:9091`), which keeps its ports as files
    /// in `ports_dir` (usually `/var/lib/contrail/ports`).
    pub fn new(transport: Arc<dyn Transport>, address: String, ports_dir: PathBuf) -> Self {
        Self {
            transport,
            address,
            ports_dir,
            deadline: None,
        }
    }

    /// The same agent with an end: all calls together keep to the deadline.
    pub fn until(&self, deadline: Deadline) -> Agent {
        Agent {
            deadline: Some(deadline),
            ..self.clone()
        }
    }

    /// Adds a port and waits until the agent has it with its configuration. A port of the same id
    /// with another content is replaced.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a port that no agent should get, [`Error::Unreachable`] when there is no
    /// agent, [`Error::Agent`] when it refuses the port or does not have it in time.
    pub fn add(&self, port: &Port) -> Result<()> {
        port.check()?;
        let deadline = self
            .deadline
            .unwrap_or_else(|| Deadline::after(CONFIRM_TIMEOUT));
        self.post(port, deadline)?;
        // The agent has the port from here on, whatever becomes of looking for it.
        self.confirm(port, deadline).map_err(Error::unsure)
    }

    /// Waits until the agent has the port as it was posted.
    fn confirm(&self, port: &Port, deadline: Deadline) -> Result<()> {
        let mut replaced = false;
        let mut pause = FIRST_PAUSE;
        loop {
            let obstacle = match self.read(port.id, deadline) {
                Ok(Some(info)) => match info.difference(port) {
                    None => return Ok(()),
                    Some(difference) if !replaced => {
                        log::info!("agent has port {} with {difference}: replaced", port.id);
                        self.remove(port.id, deadline)?;
                        self.post(port, deadline)?;
                        replaced = true;
                        continue;
                    }
                    // The agent works off its requests later than it answers them.
                    Some(difference) => self.refusal(
                        TAKE,
                        port.id,
                        format!("it keeps another one with {difference}"),
                    ),
                },
                Ok(None) => self.never_configured(port.id),
                // It may be restarting: the port is in its files by now.
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            thread::sleep(pause.min(deadline.remaining()));
            // A look with no time left would only hide what the one before it saw.
            if deadline.has_passed() {
                return Err(obstacle);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The port as the agent has it; none when it does not know the port or not its configuration.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or [`Error::Agent`] for an answer that makes no sense.
    pub fn get(&self, id: Uuid) -> Result<Option<PortInfo>> {
        self.read(id, self.request_end())
    }

    /// Whether the agent has the port as it was posted, with its configuration.
    ///
    /// # Errors
    /// As [`Agent::get`].
    pub fn has(&self, port: &Port) -> Result<bool> {
        let found = self.get(port.id)?;
        Ok(found.is_some_and(|info| info.difference(port).is_none()))
    }

    /// Removes a port. One that the agent does not have is no error. When the agent does not do it, its
    /// file of the port is removed, so that a restart does not bring the port back.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Timeout`] or [`Error::Agent`] when the agent still has to be told.
    pub fn delete(&self, id: Uuid) -> Result<()> {
        if id.is_nil() {
            return Err(Error::invalid(
                "port id",
                id.to_string(),
                "it is the nil id",
            ));
        }
        let outcome = self.remove(id, self.request_end());
        if outcome.is_err() {
            self.unlink(id);
        }
        outcome
    }

    fn request_end(&self) -> Deadline {
        self.deadline
            .unwrap_or_else(|| Deadline::after(REQUEST_TIMEOUT))
    }

    fn post(&self, port: &Port, deadline: Deadline) -> Result<()> {
        let response = self.send(Method::Post, "/port", Some(port.body()), deadline)?;
        match response.is_success() {
            true => Ok(()),
            false => Err(self.refusal(TAKE, port.id, response.explained())),
        }
    }

    fn read(&self, id: Uuid, deadline: Deadline) -> Result<Option<PortInfo>> {
        let path = format!("/port/{id}");
        let response = self.send(Method::Get, &path, None, deadline)?;
        if response.is_success() {
            let what = || format!("the answer of {} to GET {path}", self.service());
            return response.json(what).map(Some);
        }
        let text = response.text();
        // An agent that does not know the request answers 404 as well.
        if response.status == 404 && !text.contains("Unknown Request") {
            return Ok(None);
        }
        Err(self.refusal("show", id, response.explained()))
    }

    fn remove(&self, id: Uuid, deadline: Deadline) -> Result<()> {
        let response = self.send(Method::Delete, &format!("/port/{id}"), None, deadline)?;
        match response.is_success() {
            true => Ok(()),
            false => Err(self.refusal("remove", id, response.explained())),
        }
    }

    /// Sends one request, and once more when the connection broke: all three may be repeated.
    fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        deadline: Deadline,
    ) -> Result<Response> {
        let attempt = |reuse| {
            let url = format!("http://{}{path}", self.address);
            let mut request = Request::new(method, url, deadline.at_most(REQUEST_TIMEOUT));
            request.reuse = reuse;
            if let Some(body) = &body {
                request = request.json(body);
            }
            let seconds = request.deadline.remaining().as_secs_f32();
            (self.transport.send(&request), request, seconds)
        };
        let mut outcome = attempt(true);
        let lost = matches!(outcome.0, Err(TransportError::Lost { .. }));
        if lost {
            outcome = attempt(false);
        }
        let (answer, request, seconds) = outcome;
        answer.map_err(|error| {
            let error = error.into_error(self.service(), &request, seconds);
            if lost { error.unsure() } else { error }
        })
    }

    fn unlink(&self, id: Uuid) {
        let path = self.ports_dir.join(id.to_string());
        match std::fs::remove_file(&path) {
            Ok(()) => log::info!("removed {}: the agent did not", path.display()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => log::warn!("cannot remove {}: {error}", path.display()),
        }
    }

    fn service(&self) -> String {
        format!("vRouter agent {}", self.address)
    }

    fn never_configured(&self, id: Uuid) -> Error {
        let message = "it accepted the port, but did not learn its configuration in time; \
                       is it connected to a control node, and is the address in a subnet of the network?";
        self.refusal(TAKE, id, message.to_owned())
    }

    fn refusal(&self, operation: &'static str, port: Uuid, message: String) -> Error {
        Error::Agent {
            agent: self.address.clone(),
            operation,
            port,
            message,
        }
    }
}

#[cfg(test)]
mod tests;
