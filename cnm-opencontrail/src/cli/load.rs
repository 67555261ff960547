//! From the flags, the environment and the files to the settings of this run.

use std::io;
use std::path::{Path, PathBuf};

use contrail_core::Error as CoreError;
use contrail_core::settings::{Key, Layer, Origin, Settings, Sources, parse_flat_yaml};

use super::Flags;
use crate::error::Result;
use crate::proto::Scope;
use crate::socket;

/// The file that is read when no other is named.
const FILE: &str = "/etc/contrail/opencontrail.conf";

/// Where this program keeps its state: not in the CNI plugin's directory, whose files have other meanings.
const STATE_DIR: &str = "/var/lib/contrail/cnm-opencontrail";

/// The settings, with those that only this program has.
pub(super) struct Loaded {
    pub(super) settings: Settings,
    pub(super) scope: Scope,
    pub(super) sockets: Vec<PathBuf>,
}

/// Resolves the settings from the outside world.
pub(super) fn load(flags: &Flags) -> Result<Loaded> {
    let process = Sources::of_process();
    let sources = Sources {
        nearer: vec![flags.layer()],
        files: vec![file(flags, process.read)?, own_defaults()],
        ..process
    };
    resolve(&sources, &flags.name)
}

fn resolve(sources: &Sources, names: &[String]) -> Result<Loaded> {
    let settings = Settings::load(sources)?;
    let text = |key| settings.value(key).value.clone().unwrap_or_default();
    let scope = text(Key::Scope).parse().map_err(|_| {
        CoreError::invalid(
            format!("scope ({})", settings.value(Key::Scope).origin),
            text(Key::Scope),
            "local or global is expected",
        )
    })?;
    let sockets = socket::paths(Path::new(&text(Key::SocketPath)), names)?;
    Ok(Loaded {
        settings,
        scope,
        sockets,
    })
}

fn file(flags: &Flags, read: &dyn Fn(&Path) -> io::Result<String>) -> Result<Layer> {
    let path = flags.file.as_deref().unwrap_or(Path::new(FILE));
    let text = match read(path) {
        Ok(text) => text,
        Err(error) if flags.file.is_none() && error.kind() == io::ErrorKind::NotFound => {
            return Ok(Layer::default());
        }
        Err(error) => return Err(CoreError::file("read", path, error).into()),
    };
    Ok(Layer::of_entries(parse_flat_yaml(&text, path)?, &[])?)
}

/// Where a daemon wants another default than a plugin that runs for a moment.
fn own_defaults() -> Layer {
    let mut layer = Layer::default();
    layer.set(Key::StateDir, STATE_DIR, Origin::Default);
    layer.set(Key::LogLevel, "info", Origin::Default);
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The environment file of the walk-through, with names of machines that a test has not.
    fn walkthrough(name: &str) -> Option<String> {
        let value = match name {
            "ADMIN_PASSWORD" | "ADMIN_TOKEN" | "OS_TOKEN" => "contrail123",
            "ADMIN_TENANT" | "ADMIN_USER" => "admin",
            "CONFIG_API_SERVER" | "KEYSTONE_SERVER" => "10.87.64.34",
            "OS_URL" => "http://10.87.64.34:35357/v2.0",
            "SOCKET_PATH" => "/run/docker/plugins",
            "SCOPE" => "global",
            "DEBUG" => "true",
            _ => return None,
        };
        Some(value.to_string())
    }

    fn sources<'a>(environment: &'a dyn Fn(&str) -> Option<String>) -> Sources<'a> {
        Sources {
            nearer: Vec::new(),
            environment,
            files: vec![own_defaults()],
            read: &|_| Err(io::ErrorKind::NotFound.into()),
            host_name: Some("node1".into()),
        }
    }

    #[test]
    fn the_environment_of_the_walk_through_is_understood() {
        let loaded = resolve(&sources(&walkthrough), &["opencontrail".into()]).unwrap();
        assert_eq!(loaded.scope, Scope::Global);
        assert_eq!(
            loaded.sockets,
            [Path::new("/run/docker/plugins/opencontrail.sock")]
        );
        assert_eq!(
            loaded.settings.servers[0].base_url(),
            "http://10.87.64.34:8082"
        );
        assert_eq!(loaded.settings.log.level, log::LevelFilter::Debug);
        assert_eq!(loaded.settings.state_dir, Path::new(STATE_DIR));
    }

    #[test]
    fn an_invalid_scope_is_refused_with_its_origin() {
        let environment = |name: &str| (name == "SCOPE").then(|| "swarm".to_string());
        let error = resolve(&sources(&environment), &["a".into()])
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "invalid scope (environment variable SCOPE) \"swarm\": local or global is expected"
        );
    }
}
