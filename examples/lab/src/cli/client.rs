//! Asks a running lab through its control endpoint.

use std::net::SocketAddr;
use std::time::Duration;

use contrail_core::http::{Http, Method, Request, Response, TlsSettings, Transport};
use contrail_core::{Deadline, Error as CoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Error, Result};
use super::options::Which;
use super::run_file::{self, End, Found, Running};

/// A lab answers at once, or it hangs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a lab that no longer listens may take to end.
const ENDING: Duration = Duration::from_secs(5);

/// The control endpoint of a lab.
pub struct Client {
    lab: String,
    http: Http,
    address: SocketAddr,
}

impl Client {
    /// The endpoint of a running lab.
    ///
    /// # Errors
    /// [`Error::NotRunning`] or [`Error::Starting`] when no lab of this name serves.
    pub fn of(which: &Which) -> Result<Self> {
        let Some(running) = running(&which.name)? else {
            return Err(Error::NotRunning(which.name.clone()));
        };
        match running.content.addresses {
            Some(addresses) => Self::at(&which.name, addresses.control),
            None => Err(Error::Starting(which.name.clone())),
        }
    }

    /// The endpoint at an address.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn at(lab: &str, address: SocketAddr) -> Result<Self> {
        Ok(Self {
            lab: lab.to_owned(),
            http: Http::new(&TlsSettings::default(), TIMEOUT)?,
            address,
        })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When the lab does not answer or answers something else.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.request(Method::GET, path);
        let answer = self.send(&request);
        let answer = answer.map_err(|e| self.explain(e))?;
        let document = answer.json(|| format!("the lab's answer to {path}"))?;
        Ok(document)
    }

    /// Sends a document; the answer is not looked at.
    ///
    /// # Errors
    /// When the lab does not answer or refuses.
    pub fn post(&self, path: &str, body: &impl Serialize) -> Result<()> {
        let request = self
            .request(Method::POST, path)
            .json(&serde_json::json!(body));
        self.send(&request).map(|_| ())
    }

    /// Sends a document and reads the one that answers it.
    ///
    /// # Errors
    /// When the lab does not answer, refuses or answers something else.
    pub fn ask<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let request = self
            .request(Method::POST, path)
            .json(&serde_json::json!(body));
        let answer = self.send(&request).map_err(|e| self.explain(e))?;
        Ok(answer.json(|| format!("the lab's answer to {path}"))?)
    }

    /// Deletes something.
    ///
    /// # Errors
    /// When the lab does not answer or refuses.
    pub fn delete(&self, path: &str) -> Result<()> {
        self.send(&self.request(Method::DELETE, path)).map(|_| ())
    }

    fn request(&self, method: Method, path: &str) -> Request {
        let url = format!("http://{}{path}", self.address);
        Request::new(method, url, Deadline::after(TIMEOUT))
    }

    fn send(&self, request: &Request) -> Result<Response> {
        let service = format!("lab {:?} at {}", self.lab, self.address);
        let answer = self.http.send(request);
        let answer =
            answer.map_err(|e| e.into_error(service.clone(), request, TIMEOUT.as_secs_f32()))?;
        if answer.is_success() {
            return Ok(answer);
        }
        Err(Error::Lab(CoreError::Refused {
            service,
            method: request.method.clone(),
            path: request.url.clone(),
            status: answer.status,
            message: answer.text(),
        }))
    }

    /// A lab that was ending closed the connection: what matters is that it does not run.
    fn explain(&self, error: Error) -> Error {
        let Error::Lab(CoreError::Unreachable { .. }) = error else {
            return error;
        };
        let has_ended = match running(&self.lab) {
            Ok(Some(running)) if running.is_at(self.address) => {
                matches!(running.ends_within(ENDING), Ok(End::Clean | End::Left(_)))
            }
            Ok(_) => true,
            Err(_) => false,
        };
        if has_ended {
            Error::NotRunning(self.lab.clone())
        } else {
            error
        }
    }
}

/// The lab of this name. What a killed one left is `contrail-lab down`'s to remove.
fn running(lab: &str) -> Result<Option<Running>> {
    match run_file::find(lab)? {
        Found::Running(running) => Ok(Some(running)),
        Found::Killed(left) => {
            left.keep();
            Ok(None)
        }
        Found::Nothing => Ok(None),
    }
}
