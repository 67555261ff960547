//! The flags: those of the 2016 driver, spelled as there and with dashes.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use contrail_core::settings::{Key, Layer, Origin};

use crate::socket::NAME;

/// The flags. They may be given before or after a sub-command.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    /// A file of lines `key: value` [default: /etc/contrail/opencontrail.conf, if it exists].
    #[arg(short = 'f', long = "file", value_name = "FILE", global = true)]
    pub(super) file: Option<PathBuf>,
    /// Keystone user.
    #[arg(
        short = 'u',
        long = "admin_user",
        alias = "admin-user",
        value_name = "NAME"
    )]
    #[arg(global = true)]
    admin_user: Option<String>,
    /// Keystone project of the user.
    #[arg(
        short = 't',
        long = "admin_tenant",
        alias = "admin-tenant",
        value_name = "NAME"
    )]
    #[arg(global = true)]
    admin_tenant: Option<String>,
    /// Password of the Keystone user. Every user of this host can read it on the command line: use
    /// ADMIN_PASSWORD_FILE, the name of a file that holds it, instead.
    #[arg(
        short = 'p',
        long = "admin_password",
        alias = "admin-password",
        value_name = "PASSWORD"
    )]
    #[arg(global = true)]
    admin_password: Option<String>,
    /// Configuration API servers, separated by commas.
    #[arg(
        short = 'a',
        long = "api_server",
        alias = "api-server",
        value_name = "HOST[:PORT],…"
    )]
    #[arg(global = true)]
    api_server: Option<String>,
    /// Host of Keystone.
    #[arg(
        short = 'k',
        long = "keystone_server",
        alias = "keystone-server",
        value_name = "HOST"
    )]
    #[arg(global = true)]
    keystone_server: Option<String>,
    /// Port of the API servers.
    #[arg(
        short = 'x',
        long = "api_port",
        alias = "api-port",
        value_name = "PORT",
        global = true
    )]
    api_port: Option<String>,
    /// OpenContrail project of the virtual networks [default: the Keystone project].
    #[arg(short = 'y', long = "tenant", value_name = "NAME", global = true)]
    tenant: Option<String>,
    /// Directory of the sockets, or the path of a single socket.
    #[arg(
        short = 's',
        long = "socketpath",
        alias = "socket-path",
        value_name = "PATH"
    )]
    #[arg(global = true)]
    socketpath: Option<String>,
    /// `local`, or `global` for a swarm.
    #[arg(short = 'g', long = "scope", value_name = "SCOPE", global = true)]
    scope: Option<String>,
    /// Log each step.
    #[arg(short = 'd', long = "debug", value_name = "BOOL", global = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    debug: Option<String>,
    /// Name of the driver, as in `docker network create -d NAME`; may be given several times.
    #[arg(long = "name", value_name = "NAME", global = true, action = ArgAction::Append)]
    #[arg(default_value = NAME)]
    pub(super) name: Vec<String>,
    /// Directory of the state that must survive a restart.
    #[arg(
        long = "state-dir",
        alias = "state_dir",
        value_name = "DIR",
        global = true
    )]
    state_dir: Option<String>,
}

impl Flags {
    /// The settings among the flags.
    pub(super) fn layer(&self) -> Layer {
        let mut layer = Layer::default();
        for (key, flag, value) in [
            (Key::AdminUser, "--admin_user", &self.admin_user),
            (Key::TenantName, "--admin_tenant", &self.admin_tenant),
            (Key::AdminPassword, "--admin_password", &self.admin_password),
            (Key::ApiServer, "--api_server", &self.api_server),
            (
                Key::KeystoneServer,
                "--keystone_server",
                &self.keystone_server,
            ),
            (Key::ApiPort, "--api_port", &self.api_port),
            (Key::Project, "--tenant", &self.tenant),
            (Key::SocketPath, "--socketpath", &self.socketpath),
            (Key::Scope, "--scope", &self.scope),
            (Key::Debug, "--debug", &self.debug),
            (Key::StateDir, "--state-dir", &self.state_dir),
        ] {
            if let Some(value) = value {
                layer.set(key, value, Origin::Flag(flag.into()));
            }
        }
        layer
    }

    /// Whether a secret was given where all users of the host can read it.
    pub(super) fn has_secret(&self) -> bool {
        self.admin_password
            .as_ref()
            .is_some_and(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::Cli;
    use super::*;

    fn flags(line: &str) -> Flags {
        Cli::try_parse_from(format!("x {line}").split(' '))
            .unwrap()
            .flags
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_flags_of_the_older_driver_are_understood_in_three_spellings() {
        let short = flags("-u u -t t -p p -a a -k k -x 1 -y y -s /s -g local -d");
        let long = flags(
            "--admin_user u --admin_tenant t --admin_password p --api_server a \
             --keystone_server k --api_port 1 --tenant y --socketpath /s --scope local --debug=true",
        );
        let dashes = flags(
            "--admin-user u --admin-tenant t --admin-password p --api-server a \
             --keystone-server k --api-port 1 --tenant y --socket-path /s --scope local --debug",
        );
        assert!(short.layer() == long.layer() && long.layer() == dashes.layer());
        let given = short.layer().get(Key::Project).unwrap().clone();
        assert_eq!(
            (given.text.as_str(), given.origin.to_string().as_str()),
            ("y", "flag --tenant")
        );
        assert!(short.has_secret());
    }

    #[test]
    fn the_driver_has_one_name_unless_others_are_given() {
        assert_eq!(flags("-d").name, ["opencontrail"]);
        assert_eq!(flags("--name a --name b").name, ["a", "b"]);
        assert_eq!(flags("ping --name a").name, ["a"]);
    }
}
