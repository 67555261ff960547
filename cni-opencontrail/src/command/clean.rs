//! `cni-opencontrail clean`: shows orphans of containers of this host to an operator, and removes them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contrail_core::FqName;
use contrail_core::attach::ORPHAN_GRACE;
use contrail_core::error::Error;
use contrail_core::settings::{self, Settings};
use serde_json::Value;

use crate::config::document::{self, Config};
use crate::config::network;
use crate::config::sources::SettingsSources;
use crate::protocol::command::Command;
use crate::protocol::error::CniError;
use crate::protocol::json::{Object, lookup};
use crate::world::World;

/// How the command is called.
pub const USAGE: &str = "cni-opencontrail clean [--remove] [--grace SECONDS] [FILE]

Completes the removals that were deferred while the API or the agent was down, and shows those that are
still pending. Shows and records the orphans of this host: VM interfaces of the plugin without a link.

  --remove         remove orphans that were recorded before the grace period and still have no link
  --grace SECONDS  the grace period [default: 600]
  FILE             a network configuration, for its settings and its project [default: the environment]

Run it in the network namespace in which the runtime runs the plugin: in another one, every interface
looks like an orphan.
";

/// What is wanted.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    remove: bool,
    grace: Duration,
    file: Option<PathBuf>,
}

/// Runs the command; writes the report.
///
/// # Errors
///
/// A file that cannot be used. After the report: an API that does not answer, an orphan that
/// cannot be removed.
pub fn run(
    request: &Request,
    world: &World,
    sources: &SettingsSources,
    out: &mut dyn Write,
) -> Result<(), CniError> {
    let mut print = |text: &str| {
        let written = out.write_all(text.as_bytes());
        written.map_err(|error| Error::system("write to standard output", error))
    };
    let mut outcome = Ok(());
    for (settings, project) in places(request, sources)? {
        (world.start_log)(&settings.log);
        let grace = request.remove.then_some(request.grace);
        let cleaned = (world.connect)(&settings)?.clean(&project, grace)?;
        print(&cleaned.to_string())?;
        outcome = outcome.and(cleaned.outcome());
    }
    Ok(outcome?)
}

impl Request {
    /// Reads the arguments.
    ///
    /// # Errors
    ///
    /// The first one that is none; an option with what it probably means.
    pub fn parse(arguments: &[String]) -> Result<Self, Error> {
        let mut request = Self {
            remove: false,
            grace: ORPHAN_GRACE,
            file: None,
        };
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            match argument {
                "--remove" => request.remove = true,
                "--grace" => {
                    let given = arguments.next().unwrap_or_default();
                    let seconds = given.parse().map_err(|_| {
                        Error::invalid("--grace", given, "a number of seconds is expected")
                    })?;
                    request.grace = Duration::from_secs(seconds);
                }
                file if !file.starts_with('-') && request.file.is_none() => {
                    request.file = Some(file.into());
                }
                other => {
                    let reason = match settings::nearest(other, ["--remove", "--grace"]) {
                        Some(near) => format!("did you mean {near}?"),
                        None => "--remove, --grace SECONDS and one FILE are expected".to_string(),
                    };
                    return Err(Error::invalid("argument", other, reason));
                }
            }
        }
        Ok(request)
    }
}

/// The projects to look at, each with the settings that lead there.
fn places(
    request: &Request,
    sources: &SettingsSources,
) -> Result<Vec<(Settings, FqName)>, CniError> {
    let Some(file) = &request.file else {
        let settings = sources.load(Vec::new())?;
        let project = settings.project_name();
        return Ok(vec![(settings, project)]);
    };
    let mut places: Vec<(Settings, FqName)> = Vec::new();
    for config in read(file, sources)? {
        for network in &config.networks {
            let settings = sources.load(network.layers()?)?;
            // As GC: of the project in which the virtual network is.
            let name = network.options(Command::Gc, &settings)?.network;
            let project = name.parent().ok_or_else(|| {
                Error::invalid("virtual network", name.to_string(), "it is in no project")
            })?;
            let is_known =
                |(known, of): &(Settings, FqName)| known.is_same_place(&settings) && *of == project;
            if !places.iter().any(is_known) {
                places.push((settings, project));
            }
        }
    }
    if places.is_empty() {
        let reason = "it has no plugin of type opencontrail";
        return Err(Error::invalid("FILE", file.display().to_string(), reason).into());
    }
    Ok(places)
}

/// The networks of a configuration file, or of the plugins of this type in a list of plugins.
fn read(file: &Path, sources: &SettingsSources) -> Result<Vec<Config>, CniError> {
    let text = sources
        .read(file)
        .map_err(|error| Error::file("read", file, error))?;
    let object = document::decode(text.as_bytes())?;
    let Some(plugins) = lookup(&object, "plugins").and_then(Value::as_array) else {
        let is_other = lookup(&object, "type").is_some() && !network::is_own_type(&object);
        return match is_other {
            true => Ok(Vec::new()),
            false => Ok(vec![Config::read(object)?]),
        };
    };
    let ours = plugins
        .iter()
        .filter_map(Value::as_object)
        .filter(|plugin| network::is_own_type(plugin));
    let names = ["name", "cniVersion"];
    ours.map(|plugin| {
        let mut single: Object = plugin.clone();
        let inherited = names.iter().filter_map(|key| object.get_key_value(*key));
        single.extend(inherited.map(|(key, value)| (key.clone(), value.clone())));
        Config::read(single)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Request, Error> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Request::parse(&arguments)
    }

    #[test]
    fn nothing_is_removed_without_being_asked_for() {
        let request = parse("/etc/cni/net.d/10-opencontrail.conflist").unwrap();
        assert!(!request.remove);
        assert_eq!(request.grace, ORPHAN_GRACE);
        assert!(USAGE.contains(&format!("[default: {}]", ORPHAN_GRACE.as_secs())));
        let request = parse("--remove --grace 5").unwrap();
        assert_eq!((request.remove, request.file), (true, None));
        assert_eq!(request.grace, Duration::from_secs(5));
    }

    #[test]
    fn what_is_no_argument_is_named() {
        for (line, named) in [
            ("--force", "--force"),
            ("--remve", "did you mean --remove?"),
            ("--grace", "--grace"),
            ("--grace soon", "soon"),
            ("a b", "\"b\""),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(named), "{line}: {error}");
        }
    }
}
