//! From settings to the outside world: one backend for everything that a program does.

use std::sync::Arc;
use std::time::Duration;

use crate::agent::Agent;
use crate::api::Client;
use crate::attachment::{Attacher, Backend, Host};
use crate::error::Result;
use crate::http::{Http, Transport};
use crate::keystone::{FixedToken, Keystone, NoAuth, TokenSource};
use crate::net::Kernel;
use crate::settings::{Auth, Settings};

/// How long detaching waits for the API and the agent before it puts off what is left: a runtime
/// that removes a container does not wait for a controller.
const DETACH_TIMEOUT: Duration = Duration::from_secs(5);

impl Settings {
    /// A client of the configuration API. Nothing is sent yet. `program` names the caller in the
    /// API's audit log.
    ///
    /// # Errors
    /// When a certificate cannot be used, or the address of Keystone makes no sense.
    pub fn client(&self, program: &str) -> Result<Client> {
        self.client_over(&self.transport()?, program)
    }

    /// The API, the agent and this host's kernel. Nothing is sent yet.
    ///
    /// # Errors
    /// As [`Settings::client`].
    pub fn backend(&self, program: &str) -> Result<Backend> {
        let transport = self.transport()?;
        Ok(Backend {
            client: self.client_over(&transport, program)?,
            agent: Agent::new(transport, self.agent.clone(), self.ports_dir.clone()),
            dataplane: Arc::new(Kernel::new()),
        })
    }

    /// Attaches and detaches this host's containers in the name of `program`.
    ///
    /// # Errors
    /// As [`Settings::client`].
    pub fn attacher(&self, program: &str) -> Result<Attacher> {
        Ok(Attacher::new(
            self.backend(program)?,
            Host {
                node: self.node.clone(),
                machine: self.machine,
                owner: program.to_owned(),
                run_dir: self.run_dir.clone(),
                state_dir: self.state_dir.clone(),
                attach_timeout: self.timeouts.attach,
                detach_timeout: self.timeouts.attach.min(DETACH_TIMEOUT),
            },
        ))
    }

    fn transport(&self) -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(Http::new(&self.tls, self.timeouts.connect)?))
    }

    fn client_over(&self, transport: &Arc<dyn Transport>, program: &str) -> Result<Client> {
        let tokens: Arc<dyn TokenSource> = match &self.auth {
            Auth::None => Arc::new(NoAuth),
            Auth::Token(token) => Arc::new(FixedToken(token.clone())),
            Auth::Keystone(account) => Arc::new(Keystone::new(
                transport.clone(),
                account.clone(),
                &self.run_dir.join("tokens"),
            )?),
        };
        Ok(Client::new(
            transport.clone(),
            self.servers.clone(),
            tokens,
            format!("{}:{program}", self.node),
            self.timeouts.request,
        ))
    }
}
