//! What a lab is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::dataplane::Mode;
use crate::keystone::{KeystoneOptions, PASSWORD, PROJECT, USER};

/// The variables with which a program reaches a lab on the ports that `contrail-lab up` chooses, as the
/// lab's default user.
pub const CLIENT_ENVIRONMENT: [(&str, &str); 5] = [
    ("API_SERVER_IP", "127.0.0.1"),
    ("OS_AUTH_URL", "http://127.0.0.1:35357/v2.0"),
    ("OS_USERNAME", USER),
    ("OS_PASSWORD", PASSWORD),
    ("OS_TENANT_NAME", PROJECT),
];

/// How a lab is set up.
#[derive(Clone, Debug)]
pub struct LabOptions {
    /// Its name: labs with different names can run side by side.
    pub name: String,
    /// Where the configuration API listens; port 0 is any free one, here and below.
    pub config_api: SocketAddr,
    /// Where Keystone listens.
    pub keystone: SocketAddr,
    /// Where the agent listens.
    pub agent: SocketAddr,
    /// Where the lab's own endpoint listens.
    pub control: SocketAddr,
    /// The directory of the agent's port files.
    pub ports_dir: PathBuf,
    /// A file that keeps the configuration over the lab's end.
    pub snapshot: Option<PathBuf>,
    /// Whether packets are forwarded.
    pub data_plane: Mode,
    /// Whether the configuration API wants a Keystone token.
    pub authentication: bool,
    /// Whether a token without the role admin is good for what access lists and the permissions of
    /// objects allow (`aaa_mode = rbac`); if unset, for nothing.
    pub rbac: bool,
    /// The `cluster_id` of the configuration API's server, if it has one.
    pub cluster_id: Option<String>,
    /// The users that Keystone knows.
    pub users: KeystoneOptions,
    /// How long the agent waits after `/syncports`.
    pub sync_timeout: Duration,
    /// The `nft` program; found in the path when absent.
    pub nft: Option<PathBuf>,
}

impl LabOptions {
    /// A lab named `lab` on free ports of the loopback address that forwards if it may.
    pub fn new(ports_dir: impl Into<PathBuf>) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            name: "lab".into(),
            config_api: any,
            keystone: any,
            agent: any,
            control: any,
            ports_dir: ports_dir.into(),
            snapshot: None,
            data_plane: Mode::default(),
            authentication: false,
            rbac: false,
            cluster_id: None,
            users: KeystoneOptions::default(),
            sync_timeout: Duration::from_secs(60),
            nft: None,
        }
    }
}

/// What the name of a lab may look like.
pub const NAME_RULE: &str =
    "up to 32 letters, digits, '-', '_' and '.' are expected, a letter or digit first";

/// Whether a lab may have this name, see [`NAME_RULE`]: it becomes part of file names and of
/// interface aliases.
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    starts_well && name.len() <= 32 && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_leave_its_directory_is_refused() {
        for bad in ["", "a/b", "..", ".a", "-a", "a b", &"x".repeat(33)] {
            assert!(!is_name(bad), "{bad:?}");
        }
        for good in ["lab", "lab2", "my-lab_1.0"] {
            assert!(is_name(good), "{good}");
        }
    }
}
