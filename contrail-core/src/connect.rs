//! From settings to clients of the servers that they name.

use std::sync::Arc;

use crate::api::Client;
use crate::error::Result;
use crate::http::{Http, Transport};
use crate::keystone::{FixedToken, Keystone, NoAuth, NoToken, TokenSource};
use crate::settings::{Auth, Settings};

impl Settings {
    /// A client of the configuration API. Nothing is sent yet. `program` names the caller in the
    /// API's audit log.
    ///
    /// # Errors
    /// When a certificate cannot be used, or the address of Keystone makes no sense.
    ///
    /// ```no_run
    /// use contrail_core::settings::Settings;
    ///
    /// let client = Settings::from_env()?.client("my-program")?;
    /// println!("{client:?}");
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn client(&self, program: &str) -> Result<Client> {
        self.client_over(&self.transport()?, program)
    }

    /// The transport to the API and the agent. Says what about the settings deserves attention: from
    /// here on they are used.
    pub(crate) fn transport(&self) -> Result<Arc<dyn Transport>> {
        self.warn();
        Ok(Arc::new(Http::new(&self.tls, self.timeouts.connect)?))
    }

    fn keystone_transport(&self, api: &Arc<dyn Transport>) -> Result<Arc<dyn Transport>> {
        match self.keystone_tls == self.tls {
            true => Ok(api.clone()),
            false => Ok(Arc::new(Http::new(
                &self.keystone_tls,
                self.timeouts.connect,
            )?)),
        }
    }

    pub(crate) fn client_over(
        &self,
        transport: &Arc<dyn Transport>,
        program: &str,
    ) -> Result<Client> {
        let tokens: Arc<dyn TokenSource> = match &self.auth {
            Auth::None => Arc::new(NoAuth),
            Auth::Unknown { reason } => Arc::new(NoToken(reason.clone())),
            Auth::Token(token) => Arc::new(FixedToken(token.clone())),
            Auth::Keystone(account) => Arc::new(Keystone::new(
                self.keystone_transport(transport)?,
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
