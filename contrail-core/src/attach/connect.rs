//! From settings to everything that attaching needs.

use std::sync::Arc;

use super::attacher::{Attacher, Backend, DETACH_TIMEOUT, Host};
use crate::agent::Agent;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::ownership::Maker;
use crate::settings::Settings;

impl Settings {
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

    /// Attaches and detaches this host's containers in the name of `program`, which marks all objects that it
    /// creates.
    ///
    /// Set [`Settings::state_dir`] to a directory of the program's own: the default is the CNI plugin's, and
    /// programs that share one run each other's deferred removals.
    ///
    /// # Errors
    /// As [`Settings::client`].
    ///
    /// ```no_run
    /// use contrail_core::settings::Settings;
    ///
    /// let settings = Settings::from_env()?;
    /// println!("removals are deferred in {}", settings.state_dir.display());
    /// let attacher = settings.attacher("my-program")?;
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn attacher(&self, program: &str) -> Result<Attacher> {
        let maker = Maker {
            program: program.to_owned(),
            node: self.node.clone(),
            machine: self.machine,
        };
        Ok(Attacher::new(
            self.backend(program)?,
            Host {
                attach_timeout: self.timeouts.attach,
                detach_timeout: self.timeouts.attach.min(DETACH_TIMEOUT),
                ..Host::new(maker, &self.run_dir, &self.state_dir)
            },
        ))
    }
}
