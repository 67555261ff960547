//! Keystone: tokens for users and passwords, by the v2.0 and v3 protocols.

mod catalogue;
mod project;
mod v2;
mod v3;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::timestamp;
use crate::http::{Request, Response, Service};

pub use project::Project;

/// A user and the projects (tenants) that it may use.
#[derive(Clone, Debug)]
pub struct User {
    /// The name, in the domain `Default`.
    pub name: String,
    /// The password.
    pub password: String,
    /// The names of the projects.
    pub projects: Vec<String>,
    /// The names of the roles in all of them; `admin` is the one that the API wants.
    pub roles: Vec<String>,
}

/// Who there is, and how long a token lives.
#[derive(Clone, Debug)]
pub struct KeystoneOptions {
    /// The users.
    pub users: Vec<User>,
    /// How long a token is good for.
    pub token_lifetime: Duration,
}

/// The name of the only [user by default](KeystoneOptions::default).
pub const USER: &str = "admin";

/// Its password.
pub const PASSWORD: &str = "contrail123";

/// Its project.
pub const PROJECT: &str = "admin";

impl Default for KeystoneOptions {
    /// One user, [`USER`], with the role `admin` in one project; tokens live for a day.
    fn default() -> Self {
        Self {
            users: vec![User {
                name: USER.into(),
                password: PASSWORD.into(),
                projects: vec![PROJECT.into()],
                roles: vec!["admin".into()],
            }],
            token_lifetime: Duration::from_secs(24 * 3600),
        }
    }
}

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's name.
    pub user: String,
    /// The project's name, unless the token is for none.
    pub project: Option<String>,
    /// The project's id as Keystone writes it, without dashes.
    pub project_id: Option<String>,
    /// The names of the roles.
    pub roles: Vec<String>,
}

impl Identity {
    /// Whether the token is good for the configuration API.
    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role == "admin")
    }
}

struct Token {
    identity: Identity,
    issued: SystemTime,
    expires: SystemTime,
}

/// The identity service.
pub struct Keystone {
    options: KeystoneOptions,
    tokens: Mutex<HashMap<String, Token>>,
    /// The port of the configuration API, once it is known.
    config_api: OnceLock<u16>,
}

impl Keystone {
    /// A Keystone that has issued no token yet.
    pub fn new(options: KeystoneOptions) -> Self {
        Self {
            options,
            tokens: Mutex::default(),
            config_api: OnceLock::new(),
        }
    }

    /// Puts the configuration API into the catalogue; only the first call does.
    pub fn register_config_api(&self, port: u16) {
        self.config_api.get_or_init(|| port);
    }

    /// The projects of all users. Their ids depend on nothing but their names.
    pub fn projects(&self) -> Vec<Project> {
        let mut names: Vec<&String> = self
            .options
            .users
            .iter()
            .flat_map(|u| &u.projects)
            .collect();
        names.sort();
        names.dedup();
        let project = |name: &String| Project {
            name: name.clone(),
            id: id_of("project", name),
        };
        names.into_iter().map(project).collect()
    }

    /// Whose a token is; `None` when it was not issued here or has expired.
    pub fn validate(&self, token: &str) -> Option<Identity> {
        let tokens = self.tokens();
        let token = tokens.get(token)?;
        (token.expires > SystemTime::now()).then(|| token.identity.clone())
    }

    /// Makes every token invalid at once.
    pub fn revoke_all(&self) {
        self.tokens().clear();
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<String, Token>> {
        // The map is whole after every statement.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who it is that presents these credentials, and for which project.
    fn authenticate(
        &self,
        credentials: &Credentials<'_>,
        project: Option<&str>,
    ) -> Option<Identity> {
        let name = match credentials {
            Credentials::Password { user, password } => {
                let known = |u: &&User| u.name == *user && u.password == *password;
                self.options.users.iter().find(known)?.name.clone()
            }
            Credentials::Token(token) => self.validate(token)?.user,
        };
        let user = self.options.users.iter().find(|user| user.name == name)?;
        let allowed = |name: &str| {
            user.projects
                .iter()
                .find(|p| *p == name || id_of("project", p).simple().to_string() == name)
                .cloned()
        };
        let project = match project {
            Some(name) => Some(allowed(name)?),
            None => None,
        };
        let project_id = project
            .as_deref()
            .map(|p| id_of("project", p).simple().to_string());
        let roles = project.as_ref().map(|_| user.roles.clone());
        Some(Identity {
            user: user.name.clone(),
            project,
            project_id,
            roles: roles.unwrap_or_default(),
        })
    }

    fn issue(&self, identity: Identity) -> (String, Times) {
        let issued = SystemTime::now();
        let expires = issued + self.options.token_lifetime;
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let id = format!("gAAAAAB{secret}");
        let times = Times {
            issued: timestamp(issued),
            expires: timestamp(expires),
        };
        let token = Token {
            identity,
            issued,
            expires,
        };
        let mut tokens = self.tokens();
        // Expired tokens are of no use to anybody.
        tokens.retain(|_, token| token.expires > issued);
        tokens.insert(id.clone(), token);
        (id, times)
    }
}

enum Credentials<'a> {
    Password { user: &'a str, password: &'a str },
    Token(&'a str),
}

struct Times {
    issued: String,
    expires: String,
}

fn id_of(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("contrail-lab:{kind}:{name}").as_bytes(),
    )
}

fn failure(code: u16, title: &str, message: &str) -> Response {
    let error = json!({"code": code, "title": title, "message": message});
    Response::json(code, &json!({ "error": error }))
}

fn unauthorized() -> Response {
    let message = "The request you have made requires authentication.";
    failure(401, "Unauthorized", message).with_header("WWW-Authenticate", "Keystone")
}

fn expecting(what: &str) -> Response {
    let message = format!(
        "Expecting to find {what} in request body. The server could not comply with the request \
         since it is either malformed or otherwise incorrect. The client is assumed to be in error."
    );
    failure(400, "Bad Request", &message)
}

/// What `GET /`, `GET /v2.0` and `GET /v3` say of a version.
fn version(request: &Request, id: &str) -> Value {
    let host = request.header("host").unwrap_or("localhost");
    let path = if id.starts_with("v3") { "v3" } else { "v2.0" };
    let status = if path == "v3" { "stable" } else { "deprecated" };
    json!({
        "id": id, "status": status, "updated": "2016-08-04T00:00:00Z",
        "links": [{"rel": "self", "href": format!("http://{host}/{path}/")}],
        "media-types": [{
            "base": "application/json",
            "type": format!("application/vnd.openstack.identity-{path}+json"),
        }],
    })
}

impl Service for Keystone {
    fn waits(&self) -> bool {
        false
    }

    fn handle(&self, request: &Request) -> Response {
        let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
        let path = request.path.trim_end_matches('/');
        let method = if request.method == "HEAD" {
            "GET"
        } else {
            request.method.as_str()
        };
        match (method, path) {
            ("GET", "") => {
                let values = json!([version(request, "v3.14"), version(request, "v2.0")]);
                Response::json(300, &json!({"versions": {"values": values}}))
            }
            ("GET", "/v3") => Response::json(200, &json!({"version": version(request, "v3.14")})),
            ("GET", "/v2.0") => Response::json(200, &json!({"version": version(request, "v2.0")})),
            ("POST", "/v2.0/tokens") => self.v2_tokens(request, &body()),
            ("POST", "/v3/auth/tokens") => self.v3_tokens(request, &body()),
            ("GET" | "DELETE", "/v3/auth/tokens") => self.v3_subject(request),
            _ => failure(404, "Not Found", "The resource could not be found."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(keystone: &Keystone, path: &str, body: &Value) -> (Response, Value) {
        let response = keystone.handle(&Request {
            method: "POST".into(),
            path: path.into(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        });
        let document = serde_json::from_slice(&response.body).unwrap();
        (response, document)
    }

    fn v2(password: &str) -> Value {
        let credentials = json!({"username": "admin", "password": password});
        json!({"auth": {"passwordCredentials": credentials, "tenantName": "admin"}})
    }

    #[test]
    fn v2_gives_a_token_that_is_valid_and_can_be_exchanged() {
        let keystone = Keystone::new(KeystoneOptions::default());
        let (response, document) = post(&keystone, "/v2.0/tokens", &v2("contrail123"));
        assert_eq!(response.status, 200);
        let token = document["access"]["token"]["id"].as_str().unwrap();
        let identity = keystone.validate(token).unwrap();
        assert!(identity.is_admin());
        let project = &keystone.projects()[0];
        assert_eq!(identity.project_id, Some(project.id.simple().to_string()));
        let again = json!({"auth": {"tenantName": "admin", "token": {"id": token}}});
        assert_eq!(post(&keystone, "/v2.0/tokens", &again).0.status, 200);
        keystone.revoke_all();
        assert_eq!(post(&keystone, "/v2.0/tokens", &again).0.status, 401);
    }

    #[test]
    fn v3_gives_the_token_in_a_header() {
        let keystone = Keystone::new(KeystoneOptions::default());
        for domain in [json!({"name": "Default"}), json!({"id": "default"})] {
            let user = json!({"name": "admin", "password": "contrail123", "domain": domain});
            let body = json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": {"name": "admin", "domain": domain}},
            }});
            let (response, document) = post(&keystone, "/v3/auth/tokens", &body);
            assert_eq!(response.status, 201);
            assert_eq!(document["token"]["project"]["name"], "admin");
            let token = response.header("x-subject-token").unwrap();
            assert!(keystone.validate(token).is_some());
        }
    }

    #[test]
    fn a_token_for_a_project_comes_with_the_catalogue() {
        let keystone = Keystone::new(KeystoneOptions::default());
        keystone.register_config_api(8082);
        let (_, document) = post(&keystone, "/v2.0/tokens", &v2("contrail123"));
        let services = &document["access"]["serviceCatalog"];
        let found = |index: usize| {
            let service = &services[index];
            [&service["type"], &service["endpoints"][0]["publicURL"]].map(|v| v.as_str().unwrap())
        };
        assert_eq!(found(0), ["identity", "http://localhost/v2.0"]);
        assert_eq!(found(1), ["ApiServer", "http://localhost:8082"]);

        let id = document["access"]["token"]["id"].clone();
        let body = json!({"auth": {
            "identity": {"methods": ["token"], "token": {"id": id}},
            "scope": {"project": {"name": "admin", "domain": {"id": "default"}}},
        }});
        let (_, document) = post(&keystone, "/v3/auth/tokens", &body);
        let catalogue = &document["token"]["catalog"];
        assert_eq!(catalogue[0]["endpoints"][2]["url"], "http://localhost/v3");
        assert_eq!(catalogue[1]["type"], "ApiServer");
        let interfaces: Vec<&Value> = catalogue[1]["endpoints"]
            .as_array()
            .unwrap()
            .iter()
            .map(|endpoint| &endpoint["interface"])
            .collect();
        assert_eq!(interfaces, ["public", "internal", "admin"]);

        let unscoped = json!({"auth": {"passwordCredentials":
            {"username": "admin", "password": "contrail123"}}});
        let (_, document) = post(&keystone, "/v2.0/tokens", &unscoped);
        assert_eq!(document["access"]["serviceCatalog"], json!([]));
    }

    #[test]
    fn wrong_credentials_are_refused_as_keystone_does() {
        let keystone = Keystone::new(KeystoneOptions::default());
        let (response, document) = post(&keystone, "/v2.0/tokens", &v2("wrong"));
        assert_eq!(response.status, 401);
        assert_eq!(document["error"]["title"], "Unauthorized");
        assert_eq!(post(&keystone, "/v2.0/tokens", &json!({})).0.status, 400);
        let mut elsewhere = v2("contrail123");
        elsewhere["auth"]["tenantName"] = json!("other");
        assert_eq!(post(&keystone, "/v2.0/tokens", &elsewhere).0.status, 401);
    }

    #[test]
    fn a_token_expires() {
        let keystone = Keystone::new(KeystoneOptions {
            token_lifetime: Duration::ZERO,
            ..KeystoneOptions::default()
        });
        let (_, document) = post(&keystone, "/v2.0/tokens", &v2("contrail123"));
        let token = document["access"]["token"]["id"].as_str().unwrap();
        assert_eq!(keystone.validate(token), None);
    }
}
