//! Variables of OpenStack clients and of OpenSDN's containers that give no setting of their own: what
//! becomes of each. All others are in the table of settings.

use super::table::Key;
use crate::http::host_and_port;

/// What becomes of a variable that gives no setting of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It asks for something else than what would be done: an error, for this reason.
    Refused(&'static str),
    /// It cannot change anything, for this reason.
    NoEffect(&'static str),
    /// A part of this setting.
    PartOf(Key),
}

/// Such a variable.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its name.
    pub name: &'static str,
    /// What becomes of it.
    pub treatment: Treatment,
}

const fn refused(name: &'static str, reason: &'static str) -> Foreign {
    let treatment = Treatment::Refused(reason);
    Foreign { name, treatment }
}

const fn no_effect(name: &'static str, reason: &'static str) -> Foreign {
    let treatment = Treatment::NoEffect(reason);
    Foreign { name, treatment }
}

const fn url(name: &'static str) -> Foreign {
    let treatment = Treatment::PartOf(Key::AuthUrl);
    Foreign { name, treatment }
}

const OF_A_PROJECT: &str = "tokens must be of a project: give its name or id";
const CATALOGUE: &str = "api_server says where the API is, not Keystone's catalogue";
const FILES: &str = "the files of OpenStack clients are not read";
const FEDERATED: &str = "it is for federated users, which are not supported";
const OAUTH: &str = "it is for OAuth, which is not supported";

/// Every such variable.
pub const FOREIGN: &[Foreign] = &[
    refused(
        "OS_CLOUD",
        "clouds.yaml is not read: give OS_AUTH_URL and the credentials",
    ),
    refused("OS_DOMAIN_ID", OF_A_PROJECT),
    refused("OS_DOMAIN_NAME", OF_A_PROJECT),
    refused("OS_SYSTEM_SCOPE", OF_A_PROJECT),
    refused("OS_TRUST_ID", "trusts are not supported"),
    refused("OS_PASSCODE", "one-time passcodes are not supported"),
    refused(
        "OS_AUTH_METHODS",
        "several methods at once are not supported",
    ),
    no_effect("OS_CLIENT_CONFIG_FILE", FILES),
    no_effect("OS_CLIENT_SECURE_FILE", FILES),
    no_effect("OS_REGION_NAME", CATALOGUE),
    no_effect("OS_INTERFACE", CATALOGUE),
    no_effect("OS_ENDPOINT_TYPE", CATALOGUE),
    no_effect("OS_SERVICE_TYPE", CATALOGUE),
    no_effect("OS_ENDPOINT_OVERRIDE", CATALOGUE),
    no_effect("OS_ENDPOINT", CATALOGUE),
    no_effect("OS_SERVICE_NAME", CATALOGUE),
    no_effect("OS_IDENTITY_PROVIDER", FEDERATED),
    no_effect("OS_PROTOCOL", FEDERATED),
    no_effect("OS_ACCESS_TOKEN", FEDERATED),
    no_effect("OS_CLIENT_ID", FEDERATED),
    no_effect("OS_CLIENT_SECRET", FEDERATED),
    no_effect("OS_OPENID_SCOPE", FEDERATED),
    no_effect("OS_DISCOVERY_ENDPOINT", FEDERATED),
    no_effect("OS_ACCESS_TOKEN_ENDPOINT", FEDERATED),
    no_effect("OS_ACCESS_TOKEN_TYPE", FEDERATED),
    no_effect("OS_DEVICE_AUTHORIZATION_ENDPOINT", FEDERATED),
    no_effect("OS_CODE", FEDERATED),
    no_effect("OS_AUTHORIZATION_CODE", FEDERATED),
    no_effect("OS_REDIRECT_URI", FEDERATED),
    no_effect("OS_IDENTITY_PROVIDER_URL", FEDERATED),
    no_effect("OS_SERVICE_PROVIDER_ENDPOINT", FEDERATED),
    no_effect("OS_SERVICE_PROVIDER_ENTITY_ID", FEDERATED),
    no_effect("OS_MUTUAL_AUTH", FEDERATED),
    no_effect("OS_CONSUMER_KEY", OAUTH),
    no_effect("OS_CONSUMER_SECRET", OAUTH),
    no_effect("OS_ACCESS_KEY", OAUTH),
    no_effect("OS_ACCESS_SECRET", OAUTH),
    no_effect("OS_OAUTH2_ENDPOINT", OAUTH),
    no_effect("OS_OAUTH2_CLIENT_ID", OAUTH),
    no_effect("OS_OAUTH2_CLIENT_SECRET", OAUTH),
    url(HOST),
    url(PROTO),
    url(ADMIN_PORT),
    url(PUBLIC_PORT),
    url(URL_VERSION),
    no_effect("KEYSTONE_AUTH_URL_TOKENS", "it follows from the version"),
    no_effect("KEYSTONE_AUTH_REGION_NAME", CATALOGUE),
    no_effect("KEYSTONE_AUTH_ENDPOINT_TYPE", CATALOGUE),
    no_effect("KEYSTONE_AUTH_INTERFACE", CATALOGUE),
    no_effect("KEYSTONE_AUTH_SYNC_ON_DEMAND", "it is for the API server"),
];

/// Whether the variables ask for TLS towards Keystone.
pub(super) fn asks_for_tls(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    variable(PROTO).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

const HOST: &str = "KEYSTONE_AUTH_HOST";
const PROTO: &str = "KEYSTONE_AUTH_PROTO";
const ADMIN_PORT: &str = "KEYSTONE_AUTH_ADMIN_PORT";
const PUBLIC_PORT: &str = "KEYSTONE_AUTH_PUBLIC_PORT";
const URL_VERSION: &str = "KEYSTONE_AUTH_URL_VERSION";

/// The address of Keystone from its parts, with the defaults of OpenSDN's containers, and the variable
/// that the others belong to.
pub(super) fn auth_url(
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    let host = variable(HOST)?;
    let or = |name: &str, default: &str| variable(name).unwrap_or_else(|| default.into());
    let port = or(ADMIN_PORT, &or(PUBLIC_PORT, "5000"));
    let url = format!(
        "{}://{}{}",
        or(PROTO, "http"),
        host_and_port(host.trim_matches(['[', ']']), port),
        or(URL_VERSION, "/v3"),
    );
    Some((HOST, url))
}
