//! How requests are authorised: which credentials count, and the account at Keystone.

use super::auth_type::{self, AuthType, Method};
use super::foreign::Treatment;
use super::parse;
use super::resolve::{Found, Resolver};
use super::server;
use super::table::Key;
use super::typed::Auth;
use crate::error::{Error, Result};
use crate::http::host_and_port;
use crate::keystone::{Credential, Domain, Identity, KeystoneSettings, Subject, Version};
use crate::values::Secret;

impl Resolver<'_> {
    /// What authorises requests. A password wins over a fixed token: environment files in the field
    /// name both, and their token is Keystone's own administration token.
    pub(super) fn auth(&self, api_host: &str) -> Result<Auth> {
        let mode = self.typed_opt(Key::AuthMode, parse::auth_mode)?;
        if mode == Some(false) {
            return Ok(Auth::None);
        }
        let chosen = self.auth_type()?;
        if chosen == Some(AuthType::None) {
            return Ok(Auth::None);
        }
        let method = self.method(chosen);
        // A fixed token is used as it is, whatever is said about those of Keystone.
        if method != Some(Method::FixedToken) {
            self.refuse_foreign(method)?;
        }
        let Some(method) = method else {
            let has_user = self.nearer(Key::AdminUser, Key::AdminUserId).is_some();
            let has_address = self.keystone_url(false)?.is_some();
            return match mode == Some(true) || has_user || has_address {
                true => Err(missing(Key::AdminPassword)),
                false => Ok(Auth::None),
            };
        };
        let secret = self.given(method.secret())?.map(|found| found.text);
        let secret = secret.filter(|text| !text.is_empty()).map(Secret::new);
        let secret = secret.ok_or_else(|| missing(method.secret()))?;
        if method == Method::FixedToken {
            return Ok(Auth::Token(secret));
        }
        let version = match chosen {
            Some(AuthType::Method(_, version @ Some(_))) => version,
            _ => self.version()?,
        };
        let is_version_3 = version == Some(Version::V3) || method == Method::ApplicationCredential;
        let url = match self.keystone_url(is_version_3)? {
            Some(url) => url,
            None if is_version_3 => return Err(missing(Key::AuthUrl)),
            // As older clients: Keystone is on the host of the API unless a setting names it.
            None => keystone_v2(api_host),
        };
        if url.starts_with("http:") && self.layers.iter().any(|layer| layer.asks_for_tls()) {
            let what = "environment variable KEYSTONE_AUTH_PROTO";
            let reason = "it asks for TLS, but Keystone's address is given in another way and without TLS: \
                          give https:// in that address";
            return Err(Error::hidden(what, reason));
        }
        let identity = match method {
            Method::Password => Identity::Password {
                user: self.user()?,
                password: secret,
                project: self.keystone_project()?,
            },
            Method::Token | Method::FixedToken => Identity::Token {
                token: secret,
                project: self.keystone_project()?,
            },
            Method::ApplicationCredential => Identity::ApplicationCredential {
                credential: self.credential()?,
                secret,
            },
        };
        Ok(Auth::Keystone(KeystoneSettings {
            url,
            version,
            identity,
        }))
    }

    /// The OpenContrail project: unless one is given, that of Keystone, whose name must be known.
    pub(super) fn project(&self, auth: &Auth) -> Result<String> {
        if let Some(project) = self.typed_opt(Key::Project, parse::name)? {
            return Ok(project);
        }
        let is_by_id = match auth {
            Auth::Keystone(account) => match &account.identity {
                Identity::Password { project, .. } | Identity::Token { project, .. } => {
                    matches!(project, Subject::Id(_))
                }
                Identity::ApplicationCredential { .. } => true,
            },
            Auth::None | Auth::Token(_) | Auth::Unknown { .. } => false,
        };
        // Of one source, name and id mean the same project.
        let has_name = self.nearer(Key::TenantName, Key::TenantId) == Some(Key::TenantName);
        if is_by_id && !has_name {
            let variables = Key::Project.setting().env.join(" or ");
            let hint = format!(
                "the Keystone project is given by its id only; give the name of the OpenContrail project, too, in the configuration or as {variables}"
            );
            return Err(Error::missing(Key::Project.name(), hint));
        }
        self.typed(Key::TenantName, parse::name)
    }

    /// `auth_type`, unless nearer credentials are of another kind than a farther source asks for.
    fn auth_type(&self) -> Result<Option<AuthType>> {
        let Some(depth) = self.depth(Key::AuthType) else {
            return Ok(None);
        };
        let chosen = self.typed_opt(Key::AuthType, auth_type::auth_type)?;
        let own = match chosen {
            Some(AuthType::Method(method, _)) => Some(method.secret()),
            Some(AuthType::None) | None => None,
        };
        let depth = own
            .and_then(|own| self.depth(own))
            .map_or(depth, |secret| depth.min(secret));
        let secrets = [
            Key::AdminPassword,
            Key::AdminToken,
            Key::ApplicationCredentialSecret,
        ];
        let others = secrets.iter().filter(|secret| Some(**secret) != own);
        let nearest = others.filter_map(|key| self.depth(*key)).min();
        Ok(chosen.filter(|_| nearest.is_none_or(|nearest| depth <= nearest)))
    }

    fn method(&self, chosen: Option<AuthType>) -> Option<Method> {
        if let Some(AuthType::Method(method, _)) = chosen {
            return Some(method);
        }
        let depth = |method: Method| {
            method
                .keys()
                .iter()
                .filter_map(|key| self.depth(*key))
                .min()
        };
        let password = depth(Method::Password);
        match (password, depth(Method::ApplicationCredential)) {
            (Some(password), Some(credential)) if credential < password => {
                Some(Method::ApplicationCredential)
            }
            (Some(_), _) => Some(Method::Password),
            (None, Some(_)) => Some(Method::ApplicationCredential),
            (None, None) => depth(Method::FixedToken).map(|_| Method::FixedToken),
        }
    }

    /// The setting of the secret that authorises requests, if one does.
    pub(super) fn used_secret(&self, auth: &Auth) -> Option<Key> {
        Some(match auth {
            Auth::None | Auth::Unknown { .. } => return None,
            Auth::Token(_) => Key::AdminToken,
            Auth::Keystone(account) => match account.identity {
                Identity::Password { .. } => Key::AdminPassword,
                Identity::Token { .. } => Key::AdminToken,
                Identity::ApplicationCredential { .. } => Key::ApplicationCredentialSecret,
            },
        })
    }

    /// Refuses variables that ask for other tokens than those that would be got. A nearer source of
    /// the credentials makes them irrelevant.
    fn refuse_foreign(&self, method: Option<Method>) -> Result<()> {
        let depth = method.and_then(|method| self.depth(method.secret()));
        let relevant = self.layers.iter().enumerate();
        let relevant = relevant.filter(|(at, _)| depth.is_none_or(|depth| *at <= depth));
        for foreign in relevant.flat_map(|(_, layer)| layer.foreign()) {
            if let Treatment::Refused(reason) = foreign.treatment {
                let what = format!("environment variable {}", foreign.name);
                return Err(Error::hidden(what, reason));
            }
        }
        Ok(())
    }

    /// The version that is asked for; one that is farther away than the address says nothing about it.
    fn version(&self) -> Result<Option<Version>> {
        let address = self.nearer(Key::AuthUrl, Key::KeystoneServer);
        let address = address.and_then(|key| self.depth(key));
        let depth = self.depth(Key::IdentityApiVersion);
        match depth.is_some_and(|depth| address.is_none_or(|address| depth <= address)) {
            true => self.typed_opt(Key::IdentityApiVersion, auth_type::identity_version),
            false => Ok(None),
        }
    }

    /// `auth_url`, or the URL that `keystone_server` means, whichever is nearer.
    fn keystone_url(&self, is_version_3: bool) -> Result<Option<String>> {
        match self.nearer(Key::AuthUrl, Key::KeystoneServer) {
            Some(Key::AuthUrl) => self.typed_opt(Key::AuthUrl, parse::http_url),
            Some(_) => self.typed_opt(Key::KeystoneServer, |text| {
                let (host, port) = server::split_host_port(text)?;
                let address = host_and_port(&host, port.unwrap_or(KEYSTONE_PORT));
                let version = if is_version_3 { "v3" } else { "v2.0" };
                Ok(format!("http://{address}/{version}"))
            }),
            None => Ok(None),
        }
    }

    fn user(&self) -> Result<Subject> {
        let domain = [Key::UserDomainId, Key::UserDomain];
        let user = self.subject([Key::AdminUserId, Key::AdminUser], domain)?;
        user.ok_or_else(|| missing(Key::AdminUser))
    }

    fn keystone_project(&self) -> Result<Subject> {
        let domain = [Key::ProjectDomainId, Key::ProjectDomain];
        match self.subject([Key::TenantId, Key::TenantName], domain)? {
            Some(project) => Ok(project),
            None => Ok(Subject::Named {
                name: self.typed(Key::TenantName, parse::name)?,
                domain: self.domain(domain)?,
            }),
        }
    }

    fn credential(&self) -> Result<Credential> {
        let (id, name) = (Key::ApplicationCredentialId, Key::ApplicationCredentialName);
        let key = self.nearer(id, name).ok_or_else(|| missing(id))?;
        let Some(Found { text, .. }) = self.given(key)? else {
            return Err(missing(id));
        };
        match key == id {
            true => Ok(Credential::Id(text)),
            false => Ok(Credential::Named {
                name: text,
                user: self.user()?,
            }),
        }
    }

    /// By id or by name, whichever is nearer; by id if both are as near.
    fn subject(&self, [id, name]: [Key; 2], domain: [Key; 2]) -> Result<Option<Subject>> {
        let Some(key) = self.nearer(id, name) else {
            return Ok(None);
        };
        let Some(text) = self.typed_opt(key, parse::text)? else {
            return Ok(None);
        };
        Ok(Some(match key == id {
            true => Subject::Id(text),
            false => Subject::Named {
                name: text,
                domain: self.domain(domain)?,
            },
        }))
    }

    fn domain(&self, [id, name]: [Key; 2]) -> Result<Domain> {
        let default = [Key::DefaultDomainId, Key::DefaultDomain];
        let own = self.nearer(id, name);
        let default_key = self.nearer(default[0], default[1]);
        // A default that is nearer means this domain, too.
        let is_farther = |own: Key, other: Key| self.depth(own) > self.depth(other);
        let (key, ids) = match (own, default_key) {
            (Some(own), Some(default_key)) if is_farther(own, default_key) => {
                (default_key, default[0])
            }
            (Some(own), _) => (own, id),
            (None, Some(default_key)) => (default_key, default[0]),
            (None, None) => (Key::DefaultDomain, default[0]),
        };
        let text = self.typed(key, parse::text)?;
        Ok(match key == ids {
            true => Domain::Id(text),
            false => Domain::Name(text),
        })
    }
}

/// The port of Keystone's administration.
const KEYSTONE_PORT: u16 = 35357;

fn keystone_v2(host: &str) -> String {
    format!("http://{}/v2.0", host_and_port(host, KEYSTONE_PORT))
}

/// The error for a setting that authorisation needs.
fn missing(key: Key) -> Error {
    let setting = key.setting();
    let hint = format!(
        "give it in the configuration or as {}, or set auth_mode noauth if the API needs no Keystone",
        setting.env.join(" or ")
    );
    Error::missing(setting.name, hint)
}
