//! One call of a runtime: what it asks for, and with what.

use std::io::Read;
use std::time::Instant;

use contrail_core::error::Error;
use contrail_core::settings::Settings;

use crate::config::document::{self, Config};
use crate::config::network::Network;
use crate::config::sources::SettingsSources;
use crate::operations::Operations;
use crate::protocol::command::Command;
use crate::protocol::environment::Args;
use crate::protocol::error::CniError;
use crate::protocol::stdin;
use crate::protocol::version::CniVersion;
use crate::world::World;

/// A call that has been read.
pub struct Call<'a> {
    /// The command.
    pub command: Command,
    /// Its parameters.
    pub args: Args,
    /// Its configuration.
    pub config: Config,
    /// Where its settings come from.
    pub sources: &'a SettingsSources<'a>,
    /// The outside.
    pub world: &'a World<'a>,
    started: Instant,
}

impl<'a> Call<'a> {
    /// Reads and checks a call in the protocol's order: environment, input, JSON, name, version.
    /// `version` becomes the version of the configuration as soon as it is known.
    ///
    /// # Errors
    ///
    /// Codes 1, 4, 5, 6 and 7, as the protocol has them.
    pub fn read(
        command: Command,
        world: &'a World<'a>,
        sources: &'a SettingsSources<'a>,
        stdin: &mut dyn Read,
        version: &mut Option<CniVersion>,
    ) -> Result<Self, CniError> {
        let started = Instant::now();
        let environment = &world.environment;
        let strict = match Args::read(command, environment) {
            Err(error) if !Args::may_be_for_list(command, environment) => return Err(error),
            strict => strict,
        };
        let object = document::decode(&read_all(stdin)?);
        let args = match &object {
            Ok(object) if document::is_list(object) => Args::read_for_list(command, environment)?,
            _ => strict?,
        };
        let config = Config::read(object?)?;
        *version = Some(config.version);
        if config.version < command.since() {
            return Err(no_such_command(command, config.version));
        }
        Ok(Self {
            command,
            args,
            config,
            sources,
            world,
            started,
        })
    }

    /// The settings of a network, as the command needs them.
    ///
    /// # Errors
    ///
    /// Code 7 for a setting that cannot be used, code 5 for a file that cannot be read.
    pub fn settings(&self, network: &Network) -> Result<Settings, CniError> {
        if self.command != Command::Del {
            return self.sources.load(network.layers()?);
        }
        match network.layers() {
            Ok(layers) => self.sources.load_for_removal(layers),
            Err(unusable) => {
                let settings = self.sources.load_for_removal(network.usable_layers())?;
                let reason = "the configuration has a setting that cannot be used";
                Ok(settings.without_api(&Error::invalid("setting", unusable.to_string(), reason)))
            }
        }
    }

    /// Makes the connection of networks that share one. Each connection gets the time that is left
    /// of the whole call's.
    ///
    /// # Errors
    ///
    /// As [`World::connect`].
    pub fn connect(
        &self,
        settings: &Settings,
    ) -> contrail_core::attach::Result<Box<dyn Operations>> {
        let mut settings = settings.clone();
        let timeout = &mut settings.timeouts.attach;
        *timeout = timeout.saturating_sub(self.started.elapsed());
        match (self.world.connect)(&settings) {
            // A certificate that is gone keeps no container.
            Err(error) if self.command == Command::Del => {
                Ok((self.world.connect)(&settings.without_api(&error))?)
            }
            connected => Ok(connected?),
        }
    }
}

fn read_all(stdin: &mut dyn Read) -> Result<Vec<u8>, CniError> {
    let refused =
        |reason: String| CniError::new(CniError::IO, "cannot read standard input").with(reason);
    let mut bytes = Vec::new();
    let read = stdin.take(stdin::MAX_SIZE + 1).read_to_end(&mut bytes);
    read.map_err(|e| refused(e.to_string()))?;
    match bytes.len() as u64 > stdin::MAX_SIZE {
        true => Err(refused(format!(
            "it is larger than {} MiB",
            stdin::MAX_SIZE >> 20
        ))),
        false => Ok(bytes),
    }
}

fn no_such_command(command: Command, version: CniVersion) -> CniError {
    let msg = format!("config version does not allow {}", command.name());
    CniError::new(CniError::VERSION, msg).with(format!(
        "the configuration has cniVersion {}, {} came with {}",
        version.as_str(),
        command.name(),
        command.since().as_str()
    ))
}
