//! Asks a running lab through its control endpoint.

use std::net::SocketAddr;
use std::time::Duration;

use contrail_core::http::{Http, Method, Request, Response, TlsSettings, Transport};
use contrail_core::{Deadline, Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Which;
use super::run_file::{self, Found};

/// A lab answers at once, or it hangs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The control endpoint of a lab.
pub struct Client {
    http: Http,
    address: SocketAddr,
}

impl Client {
    /// The endpoint of a running lab.
    ///
    /// # Errors
    /// [`Error::Missing`] when no lab of this name runs.
    pub fn of(which: &Which) -> Result<Self> {
        match run_file::find(&which.name)? {
            Found::Running(content, _) => Self::at(content.addresses.control),
            Found::Killed | Found::Nothing => Err(Error::missing(
                format!("a running lab named {:?}", which.name),
                "start it with `contrail-lab up`, or name another one with --name",
            )),
        }
    }

    /// The endpoint at an address.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn at(address: SocketAddr) -> Result<Self> {
        let http = Http::new(&TlsSettings::default(), TIMEOUT)?;
        Ok(Self { http, address })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When the lab does not answer or answers something else.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.request(Method::Get, path);
        self.send(&request)?
            .json(|| format!("the lab's answer to {path}"))
    }

    /// Sends a document; the answer is not looked at.
    ///
    /// # Errors
    /// When the lab does not answer or refuses.
    pub fn post(&self, path: &str, body: &impl Serialize) -> Result<()> {
        let request = self.request(Method::Post, path).json(body);
        self.send(&request).map(|_| ())
    }

    /// Deletes something.
    ///
    /// # Errors
    /// When the lab does not answer or refuses.
    pub fn delete(&self, path: &str) -> Result<()> {
        self.send(&self.request(Method::Delete, path)).map(|_| ())
    }

    fn request(&self, method: Method, path: &str) -> Request {
        let url = format!("http://{}{path}", self.address);
        Request::new(method, url, Deadline::after(TIMEOUT))
    }

    fn send(&self, request: &Request) -> Result<Response> {
        let service = format!("the lab at {}", self.address);
        let answer = self.http.send(request);
        let answer =
            answer.map_err(|e| e.into_error(service.clone(), request, TIMEOUT.as_secs_f32()))?;
        if answer.is_success() {
            return Ok(answer);
        }
        Err(Error::Refused {
            service,
            method: request.method.as_str(),
            path: request.url.clone(),
            status: answer.status,
            message: answer.text(),
        })
    }
}
