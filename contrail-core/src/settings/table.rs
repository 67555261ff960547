//! The one table of all settings: their names in every source, defaults and meaning.

use super::nearest::{nearest, plain};
use crate::error::Error;

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the table's `help` says what each one is
pub enum Key {
    ApiServer,
    ApiPort,
    ApiSsl,
    AuthMode,
    AuthType,
    AuthUrl,
    IdentityApiVersion,
    KeystoneServer,
    AdminUser,
    AdminUserId,
    AdminPassword,
    AdminToken,
    ApplicationCredentialId,
    ApplicationCredentialName,
    ApplicationCredentialSecret,
    TenantName,
    TenantId,
    UserDomain,
    UserDomainId,
    ProjectDomain,
    ProjectDomainId,
    DefaultDomain,
    DefaultDomainId,
    Domain,
    Project,
    CaFile,
    CertFile,
    KeyFile,
    Insecure,
    ApiCaFile,
    ApiCertFile,
    ApiKeyFile,
    ApiInsecure,
    KeystoneCaFile,
    KeystoneCertFile,
    KeystoneKeyFile,
    KeystoneInsecure,
    VrouterAgent,
    VrouterAgentPort,
    VrouterPortsDir,
    StateDir,
    RunDir,
    NodeName,
    ConnectTimeout,
    RequestTimeout,
    AttachTimeout,
    LogLevel,
    LogFile,
    Debug,
    SocketPath,
    Scope,
    VncApiLib,
}

/// What is known about a setting before any value is.
#[derive(Debug)]
pub struct Setting {
    /// Which one.
    pub key: Key,
    /// Its name in configuration documents and as a flag, and in messages.
    pub name: &'static str,
    /// Other names that documents in the field use.
    pub aliases: &'static [&'static str],
    /// The environment variables that give it; the first that is set counts.
    pub env: &'static [&'static str],
    /// Its value when no source has one; `None` where the absence itself means something.
    pub default: Option<&'static str>,
    /// What it is, in one line.
    pub help: &'static str,
    /// Whether its value must never be shown. Such a setting may also be given as a file that holds
    /// it: every name of it followed by `_file` (`_FILE`).
    pub secret: bool,
}

const fn setting(
    key: Key,
    name: &'static str,
    aliases: &'static [&'static str],
    env: &'static [&'static str],
    default: Option<&'static str>,
    help: &'static str,
) -> Setting {
    Setting {
        key,
        name,
        aliases,
        env,
        default,
        help,
        secret: matches!(
            key,
            Key::AdminPassword | Key::AdminToken | Key::ApplicationCredentialSecret
        ),
    }
}

/// Every setting, in the order in which tables show them.
#[rustfmt::skip] // one setting, one block of three lines: it is read as a table
pub const SETTINGS: &[Setting] = &[
    setting(Key::ApiServer, "api_server", &["config_api_server"],
        &["API_SERVER_IP", "CONFIG_API_SERVER", "CONFIG_NODES"], Some("127.0.0.1"),
        "configuration API servers: host, host:port or http(s)://host:port, several separated by commas"),
    setting(Key::ApiPort, "api_port", &[], &["API_SERVER_PORT", "CONFIG_API_PORT"], Some("8082"),
        "port of API servers that are given as a host only"),
    setting(Key::ApiSsl, "api_ssl", &[], &["CONFIG_API_SSL_ENABLE"], Some("false"),
        "whether API servers that are given without a scheme use TLS"),
    setting(Key::AuthMode, "auth_mode", &[], &["AUTH_MODE"], None,
        "keystone or noauth; if unset, Keystone is used if a password is given"),
    setting(Key::AuthType, "auth_type", &[], &["OS_AUTH_TYPE", "OS_AUTH_PLUGIN"], None,
        "how the plugins authenticate: password, token or v3applicationcredential with Keystone, or admin_token for a fixed token; if unset, it follows from the credentials that are set"),
    setting(Key::AuthUrl, "auth_url", &["os_auth_url"], &["OS_AUTH_URL", "OS_URL"], None,
        "URL of Keystone, version 2.0 or 3, such as http://10.0.0.1:35357/v2.0"),
    setting(Key::IdentityApiVersion, "identity_api_version", &[], &["OS_IDENTITY_API_VERSION"], None,
        "version of the Keystone API, 2.0 or 3; if unset, the one in auth_url; if that has none, 3 is tried before 2.0"),
    setting(Key::KeystoneServer, "keystone_server", &[], &["KEYSTONE_SERVER"], None,
        "host of Keystone, short for auth_url http://HOST:35357/v2.0"),
    setting(Key::AdminUser, "admin_user", &["os_username"],
        &["OS_USERNAME", "OS_USER_NAME", "ADMIN_USER", "KEYSTONE_AUTH_ADMIN_USER"], None,
        "Keystone user"),
    setting(Key::AdminUserId, "admin_user_id", &[], &["OS_USER_ID"], None,
        "id of the Keystone user, instead of name and domain"),
    setting(Key::AdminPassword, "admin_password", &["os_password"],
        &["OS_PASSWORD", "ADMIN_PASSWORD", "KEYSTONE_AUTH_ADMIN_PASSWORD"], None,
        "password of the Keystone user"),
    setting(Key::AdminToken, "admin_token", &["os_token"], &["OS_TOKEN", "ADMIN_TOKEN"], None,
        "fixed token; a password takes precedence. With auth_type token, a token that Keystone exchanges for one of the project"),
    setting(Key::ApplicationCredentialId, "application_credential_id", &[],
        &["OS_APPLICATION_CREDENTIAL_ID"], None,
        "id of an application credential (version 3)"),
    setting(Key::ApplicationCredentialName, "application_credential_name", &[],
        &["OS_APPLICATION_CREDENTIAL_NAME"], None,
        "name of an application credential of admin_user, instead of its id"),
    setting(Key::ApplicationCredentialSecret, "application_credential_secret", &[],
        &["OS_APPLICATION_CREDENTIAL_SECRET"], None,
        "secret of the application credential"),
    setting(Key::TenantName, "tenant_name", &["admin_tenant", "os_tenant_name"],
        &["OS_TENANT_NAME", "OS_PROJECT_NAME", "ADMIN_TENANT", "KEYSTONE_AUTH_ADMIN_TENANT"],
        Some("admin"),
        "Keystone project of the user"),
    setting(Key::TenantId, "tenant_id", &["project_id"], &["OS_PROJECT_ID", "OS_TENANT_ID"], None,
        "id of the Keystone project, instead of name and domain"),
    setting(Key::UserDomain, "user_domain", &["user_domain_name"],
        &["OS_USER_DOMAIN_NAME", "KEYSTONE_AUTH_USER_DOMAIN_NAME"], None,
        "Keystone domain of the user (version 3); defaults to default_domain"),
    setting(Key::UserDomainId, "user_domain_id", &[], &["OS_USER_DOMAIN_ID"], None,
        "id of the user's Keystone domain, instead of its name"),
    setting(Key::ProjectDomain, "project_domain", &["project_domain_name"],
        &["OS_PROJECT_DOMAIN_NAME", "KEYSTONE_AUTH_PROJECT_DOMAIN_NAME"], None,
        "Keystone domain of the project (version 3); defaults to default_domain"),
    setting(Key::ProjectDomainId, "project_domain_id", &[], &["OS_PROJECT_DOMAIN_ID"], None,
        "id of the project's Keystone domain, instead of its name"),
    setting(Key::DefaultDomain, "default_domain", &["default_domain_name"],
        &["OS_DEFAULT_DOMAIN_NAME"], Some("Default"),
        "Keystone domain of user and project (version 3)"),
    setting(Key::DefaultDomainId, "default_domain_id", &[],
        &["OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN"], None,
        "id of the Keystone domain of user and project, instead of its name"),
    setting(Key::Domain, "domain", &[], &["CONTRAIL_DOMAIN"], Some("default-domain"),
        "OpenContrail domain of the project"),
    setting(Key::Project, "project", &["tenant"], &["CONTRAIL_PROJECT"], None,
        "OpenContrail project of the virtual networks; defaults to tenant_name"),
    setting(Key::CaFile, "cafile", &["cacert"], &["OS_CACERT"], None,
        "file of the certificate authorities that sign the servers' certificates"),
    setting(Key::CertFile, "certfile", &["client_cert"], &["OS_CERT"], None,
        "file of the client certificate"),
    setting(Key::KeyFile, "keyfile", &["client_key"], &["OS_KEY"], None,
        "file of the client certificate's key"),
    setting(Key::Insecure, "insecure", &[], &["OS_INSECURE"], Some("false"),
        "whether to skip the verification of the servers' certificates"),
    setting(Key::ApiCaFile, "api_cafile", &[], &["CONFIG_API_SERVER_CA_CERTFILE"], None,
        "as cafile, for the API servers alone"),
    setting(Key::ApiCertFile, "api_certfile", &[], &[], None,
        "as certfile, for the API servers alone"),
    setting(Key::ApiKeyFile, "api_keyfile", &[], &[], None,
        "as keyfile, for the API servers alone"),
    setting(Key::ApiInsecure, "api_insecure", &[], &[], None,
        "as insecure, for the API servers alone"),
    setting(Key::KeystoneCaFile, "keystone_cafile", &[], &["KEYSTONE_AUTH_CA_CERTFILE"], None,
        "as cafile, for Keystone alone"),
    setting(Key::KeystoneCertFile, "keystone_certfile", &[], &["KEYSTONE_AUTH_CERTFILE"], None,
        "as certfile, for Keystone alone"),
    setting(Key::KeystoneKeyFile, "keystone_keyfile", &[], &["KEYSTONE_AUTH_KEYFILE"], None,
        "as keyfile, for Keystone alone"),
    setting(Key::KeystoneInsecure, "keystone_insecure", &[], &["KEYSTONE_AUTH_INSECURE"], None,
        "as insecure, for Keystone alone"),
    setting(Key::VrouterAgent, "vrouter_agent", &["vrouter_agent_ip", "vrouter_ip"],
        &["VROUTER_AGENT_IP"], Some("127.0.0.1"),
        "vRouter agent of this host: host or host:port"),
    setting(Key::VrouterAgentPort, "vrouter_agent_port", &["vrouter_port"],
        &["VROUTER_AGENT_PORT"], Some("9091"), "port of the vRouter agent"),
    setting(Key::VrouterPortsDir, "vrouter_ports_dir", &["ports_dir"], &["VROUTER_PORTS_DIR"],
        Some("/var/lib/contrail/ports"), "directory in which the vRouter agent keeps its port files"),
    setting(Key::StateDir, "state_dir", &[], &["CONTRAIL_STATE_DIR"],
        Some("/var/lib/contrail/cni-opencontrail"), "directory of persistent state, such as deferred removals"),
    setting(Key::RunDir, "run_dir", &[], &["CONTRAIL_RUN_DIR"], Some("/run/contrail"),
        "directory of state that a reboot may remove, such as cached tokens"),
    setting(Key::NodeName, "node_name", &[], &["CONTRAIL_NODE_NAME"], None,
        "name of this host, from which the ids of its objects follow; defaults to the host name"),
    setting(Key::ConnectTimeout, "connect_timeout", &[], &["CONTRAIL_CONNECT_TIMEOUT"], Some("2"),
        "seconds for a connection to a server"),
    setting(Key::RequestTimeout, "request_timeout", &[], &["CONTRAIL_REQUEST_TIMEOUT"], Some("10"),
        "seconds for one request"),
    setting(Key::AttachTimeout, "attach_timeout", &[], &["CONTRAIL_ATTACH_TIMEOUT"], Some("20"),
        "seconds for attaching or detaching a container as a whole"),
    setting(Key::LogLevel, "log_level", &[], &["LOG_LEVEL"], Some("warning"),
        "lowest level of messages that are logged: none, error, warning, info, debug or trace"),
    setting(Key::LogFile, "log_file", &[], &["LOG_FILE"], None,
        "file to which messages are written in addition to standard error"),
    setting(Key::Debug, "debug", &[], &["DEBUG"], Some("false"),
        "true is short for log_level debug"),
    setting(Key::SocketPath, "socketpath", &[], &["SOCKET_PATH"], Some("/run/docker/plugins"),
        "directory of the daemon's sockets, or the path of a single one (daemon only)"),
    setting(Key::Scope, "scope", &[], &["SCOPE"], Some("local"),
        "local, or global for the networks of a swarm (daemon only)"),
    setting(Key::VncApiLib, "vnc_api_lib", &["vnc_api_lib_ini"], &["VNC_API_LIB_INI"], None,
        "file of settings shared with other OpenContrail clients; defaults to /etc/contrail/vnc_api_lib.ini if that exists"),
];

impl Key {
    /// The row of the table.
    pub fn setting(self) -> &'static Setting {
        // The enumeration and the table have the same order; a test holds them together.
        &SETTINGS[self as usize]
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        self.setting().name
    }
}

/// The setting that a document calls `name`, and whether `name` stands for a file that holds the
/// value. Upper and lower case, `-` and `_` are the same: `apiServer`, `api-server`, `API_SERVER`.
pub fn find(name: &str) -> Option<(Key, bool)> {
    let name: String = plain(name).collect();
    let of_file = name.strip_suffix("file");
    SETTINGS.iter().find_map(|setting| {
        let mut names = std::iter::once(&setting.name).chain(setting.aliases);
        names.find_map(|candidate| {
            if plain(candidate).eq(name.chars()) {
                return Some((setting.key, false));
            }
            let is_file = |name: &str| plain(candidate).eq(name.chars());
            let in_file = setting.secret && of_file.is_some_and(is_file);
            in_file.then_some((setting.key, true))
        })
    })
}

/// The names of all settings in documents, with their aliases.
pub fn names<'a>() -> impl Iterator<Item = &'a str> {
    SETTINGS
        .iter()
        .flat_map(|s| std::iter::once(&s.name).chain(s.aliases))
        .copied()
}

/// The error for a name that no setting has.
pub fn unknown(name: &str, origin: &str, others: &[&str]) -> Error {
    let hint = match nearest(name, names().chain(others.iter().copied())) {
        Some(known) => format!("no setting has this name; did you mean {known}?"),
        None => {
            let names: Vec<&str> = SETTINGS
                .iter()
                .map(|s| s.name)
                .chain(others.iter().copied())
                .collect();
            format!("no setting has this name; known are {}", names.join(", "))
        }
    };
    Error::invalid(format!("setting ({origin})"), name, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_order_of_the_keys_and_no_name_twice() {
        let mut names = Vec::new();
        for (index, setting) in SETTINGS.iter().enumerate() {
            assert_eq!(setting.key as usize, index, "{}", setting.name);
            names.extend(
                std::iter::once(&setting.name)
                    .chain(setting.aliases)
                    .map(|name| plain(name).collect::<String>()),
            );
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(SETTINGS.len(), Key::VncApiLib as usize + 1);
    }

    #[test]
    fn names_are_found_in_every_spelling_of_the_field() {
        for name in ["api_server", "api-server", "API_SERVER", "apiServer"] {
            assert_eq!(find(name), Some((Key::ApiServer, false)), "{name}");
        }
        assert_eq!(
            find("admin_password_file"),
            Some((Key::AdminPassword, true))
        );
        assert_eq!(find("api_server_file"), None);
        assert_eq!(find("log_file"), Some((Key::LogFile, false)));
    }

    #[test]
    fn an_unknown_name_is_refused_with_what_is_known() {
        let text = unknown("tenant_nam", "line 3", &[]).to_string();
        assert!(text.contains("tenant_nam"), "{text}");
        assert!(
            text.ends_with("did you mean tenant_name?") && text.contains("line 3"),
            "{text}"
        );
        let text = unknown("zzz", "line 3", &["scope"]).to_string();
        assert!(
            text.contains("api_server, api_port") && text.ends_with("scope"),
            "{text}"
        );
    }
}
