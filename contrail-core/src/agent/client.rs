//! The client of the agent: adds ports, reads them back, removes them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::info::PortInfo;
use super::port::Port;
use super::wire;
use crate::error::{Error, Result};
use crate::http::{AnswerKind, Method, Request, Response, Transport, TransportError};
use crate::values::Deadline;

/// The time limit of one request: the agent is on this host and answers at once or never.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the agent may take to learn a port's configuration, unless the caller sets a deadline.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// The operation that a failed addition of a port names.
const TAKE: &str = "activate";

/// The pauses between two reads of a port: short at first, longer when the agent has to wait for the
/// control node.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

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

    /// The same agent with a deadline for all its calls together.
    pub fn until(&self, deadline: Deadline) -> Agent {
        Agent {
            deadline: Some(deadline),
            ..self.clone()
        }
    }

    /// Adds a port and waits until the agent has it with its configuration. A port with the same id and
    /// other values is replaced.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a port that the agent could not remove again, [`Error::Unreachable`] if there
    /// is no agent, [`Error::Agent`] if it refuses the port or does not have it in time.
    pub fn add(&self, port: &Port) -> Result<()> {
        port.check()?;
        let deadline = self
            .deadline
            .unwrap_or_else(|| Deadline::after(CONFIRM_TIMEOUT));
        self.post(port, deadline)?;
        // The agent has the port from here on, even if it cannot be read back.
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
                        log::info!(
                            "the agent had port {} with {difference}: replaced it",
                            port.id
                        );
                        self.remove(port.id, deadline)?;
                        self.post(port, deadline)?;
                        replaced = true;
                        continue;
                    }
                    // The agent answers requests before it carries them out.
                    Some(difference) => self.refusal(
                        TAKE,
                        port.id,
                        format!("it keeps another one with {difference}"),
                    ),
                },
                Ok(None) => self.never_configured(port.id),
                // It may be restarting: the port is already in its files.
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            thread::sleep(pause.min(deadline.remaining()));
            // A read without time would only hide the result of the one before it.
            if deadline.has_passed() {
                return Err(obstacle);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The port as the agent has it; `None` if it does not know the port or its configuration.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Timeout`] or [`Error::Agent`] if the agent does not answer as it
    /// should; [`Error::Decode`] for an answer that cannot be understood.
    pub fn get(&self, id: Uuid) -> Result<Option<PortInfo>> {
        self.read(id, self.request_end())
    }

    /// Whether the agent answers: asks it for a port under an id that no port has.
    ///
    /// # Errors
    /// As [`Agent::get`].
    pub fn probe(&self) -> Result<()> {
        self.get(wire::NO_ID).map(drop)
    }

    /// Whether the agent has the port as it was posted, with its configuration.
    ///
    /// # Errors
    /// As [`Agent::get`].
    pub fn has(&self, port: &Port) -> Result<bool> {
        let found = self.get(port.id)?;
        Ok(found.is_some_and(|info| info.difference(port).is_none()))
    }

    /// Removes a port. One that the agent does not have is no error. If the agent fails, its file of the
    /// port is removed, so that a restart does not bring the port back.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Timeout`] or [`Error::Agent`] if the removal must be repeated.
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
        let response = self.send(Method::POST, "/port", Some(port.body()), deadline)?;
        match response.is_success() {
            true => Ok(()),
            false => Err(self.refusal(TAKE, port.id, response.explained())),
        }
    }

    fn read(&self, id: Uuid, deadline: Deadline) -> Result<Option<PortInfo>> {
        let path = format!("/port/{id}");
        let response = self.send(Method::GET, &path, None, deadline)?;
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
        let response = self.send(Method::DELETE, &format!("/port/{id}"), None, deadline)?;
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
            let mut request = Request::new(method.clone(), url, deadline.at_most(REQUEST_TIMEOUT))
                .answered_by(AnswerKind::Port);
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
            Ok(()) => log::info!("removed {}, which the agent had left", path.display()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => log::warn!("cannot remove {}: {error}", path.display()),
        }
    }

    fn service(&self) -> String {
        format!("vRouter agent {}", self.address)
    }

    fn never_configured(&self, id: Uuid) -> Error {
        let message = "it has the port, but no configuration for it arrived in time; \
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

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("address", &self.address)
            .field("ports_dir", &self.ports_dir)
            .field("deadline", &self.deadline)
            .finish()
    }
}
