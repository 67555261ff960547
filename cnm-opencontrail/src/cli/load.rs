//! From the flags, the environment and the files to the settings of this run.

use std::io;
use std::path::{Path, PathBuf};

use contrail_core::Error as CoreError;
use contrail_core::settings::{
    Key, Layer, Origin, Overview, Resolved, Settings, Sources, Warning, parse_flat_yaml,
};

use super::Flags;
use crate::error::{Error, Result};
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
    let scope = scope(settings.value(Key::Scope))?;
    let sockets = sockets(settings.value(Key::SocketPath), names)?;
    Ok(Loaded {
        settings,
        scope,
        sockets,
    })
}

/// All settings, for people, with everything that keeps the plugin from using them.
pub(super) struct Shown {
    pub(super) values: Vec<Resolved>,
    pub(super) problems: Vec<Error>,
    pub(super) warnings: Vec<Warning>,
}

/// Resolves as much as can be resolved.
pub(super) fn show(flags: &Flags) -> Shown {
    let process = Sources::of_process();
    let (file, unread) = match file(flags, process.read) {
        Ok(layer) => (layer, None),
        Err(error) => (Layer::default(), Some(error)),
    };
    let sources = Sources {
        nearer: vec![flags.layer()],
        files: vec![file, own_defaults()],
        ..process
    };
    let mut shown = overview(&sources, &flags.name);
    shown.problems.splice(0..0, unread);
    shown
}

fn overview(sources: &Sources, names: &[String]) -> Shown {
    let Overview {
        values,
        problems,
        warnings,
    } = Overview::of(sources);
    let mut problems: Vec<Error> = problems.into_iter().map(Error::from).collect();
    let row = |key| values.iter().find(|row| row.setting.key == key);
    problems.extend(row(Key::Scope).and_then(|row| scope(row).err()));
    problems.extend(row(Key::SocketPath).and_then(|row| sockets(row, names).err()));
    Shown {
        values,
        problems,
        warnings,
    }
}

fn scope(given: &Resolved) -> Result<Scope> {
    let text = given.value.as_deref().unwrap_or_default();
    let refused = |_| {
        let what = format!("scope ({})", given.origin);
        CoreError::invalid(what, text, "local or global is expected").into()
    };
    text.parse().map_err(refused)
}

fn sockets(given: &Resolved, names: &[String]) -> Result<Vec<PathBuf>> {
    socket::paths(Path::new(given.value.as_deref().unwrap_or_default()), names)
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

    #[test]
    fn all_settings_are_shown_beside_every_one_that_is_missing_or_refused() {
        let shown = |given: &[(&str, &str)]| {
            let environment = |name: &str| {
                let mut found = given.iter().filter(|(known, _)| *known == name);
                found.next().map(|(_, value)| (*value).to_owned())
            };
            let shown = overview(&sources(&environment), &["opencontrail".into()]);
            let text = contrail_core::settings::render(&shown.values);
            let problems: Vec<String> = shown.problems.iter().map(|e| e.to_string()).collect();
            (text, problems)
        };
        for (given, expected) in [
            (&[("API_SERVER_IP", "10.0.0.1")][..], &[][..]),
            (
                &[("API_SERVER_IP", "10.0.0.1"), ("ADMIN_USER", "admin")],
                &["admin_password is missing"],
            ),
            (
                &[
                    ("API_SERVER_IP", "10.0.0.1"),
                    ("ADMIN_USER", "admin"),
                    ("SCOPE", "world"),
                    ("API_SERVER_PORT", "x"),
                    ("SOCKET_PATH", "sockets"),
                ],
                &[
                    "invalid api_port",
                    "admin_password is missing",
                    "invalid scope",
                    "invalid --socketpath",
                ],
            ),
            (
                &[
                    ("API_SERVER_IP", "10.0.0.1"),
                    ("VNC_API_LIB_INI", "/none.ini"),
                ],
                &["cannot read vnc_api_lib (environment variable VNC_API_LIB_INI) from /none.ini"],
            ),
        ] {
            let (text, problems) = shown(given);
            assert!(text.contains("10.0.0.1"), "{text}");
            assert_eq!(
                text.lines().count(),
                contrail_core::settings::SETTINGS.len()
            );
            assert_eq!(problems.len(), expected.len(), "{problems:?}");
            for (problem, expected) in problems.iter().zip(expected) {
                assert!(problem.contains(expected), "{problem}");
            }
        }
    }
}
