//! The lab's configuration API, set up as the recorded servers were.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use contrail_lab::config::{Auth, ConfigApi};
use contrail_lab::http::{Request, Server, Service, ServiceName, Watch};
use contrail_lab::keystone::{Keystone, KeystoneOptions, User};
use serde_json::{Value, json};

use crate::compare::Comparison;
use crate::recording::{Exchange, Sent};

/// The ids that the recorded Keystone had for its projects.
const PROJECTS: [(&str, &str); 2] = [
    ("pa", "bf4aab2f-d507-df61-b564-81fb685b38f0"),
    ("pb", "a53a36b8-c626-5a88-e530-00c4e029e32b"),
];

/// The recorded tokens, and whose they were.
const TOKENS: [(&str, &str, &str, &[&str]); 5] = [
    ("tok-admin-admin", "admin-user", "admin", &["admin"]),
    ("tok-member-pa", "member-user", "pa", &["_member_"]),
    ("tok-reader-pa", "reader-user", "pa", &["global-ro"]),
    ("tok-none-pa", "none-user", "pa", &[]),
    ("-", "user-of-pb", "pb", &[]),
];

pub struct Recorded {
    server: Server,
    keystone: Arc<Keystone>,
    /// The lab's tokens by the recorded ones.
    tokens: BTreeMap<&'static str, String>,
}

/// How the servers of a recording were configured.
pub fn configurations(exchanges: &[Exchange]) -> BTreeSet<Option<&str>> {
    exchanges.iter().map(|e| e.server.as_deref()).collect()
}

impl Recorded {
    pub fn start(configuration: Option<&str>) -> Self {
        let keystone = Arc::new(keystone());
        let auth = match configuration {
            None | Some("cluster_id c1") => Auth::None,
            Some("Keystone, aaa_mode cloud-admin") => Auth::Keystone(Arc::clone(&keystone)),
            Some("Keystone, aaa_mode rbac") => Auth::Rbac(Arc::clone(&keystone)),
            Some(other) => unreachable!("{other}"),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut api = ConfigApi::new(auth, &[]);
        if configuration == Some("cluster_id c1") {
            api = api.with_cluster_id("c1");
        }
        let server = Server::start(
            listener,
            ServiceName::ConfigApi,
            Arc::new(api),
            Watch::default(),
        );
        Self {
            server: server.unwrap(),
            tokens: TOKENS
                .map(|(t, user, ..)| (t, token(&keystone, user)))
                .into(),
            keystone,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// A comparison that knows what Keystone has chosen.
    pub fn comparison(&self) -> Comparison {
        let mut comparison = Comparison::of(&["Content-Type"]);
        for project in self.keystone.projects() {
            if let Some((_, id)) = PROJECTS.iter().find(|(name, _)| *name == project.name) {
                comparison.learn(id, &project.id.to_string());
            }
        }
        comparison
    }

    pub fn replace_token(&self, request: &mut Sent) {
        for (name, value) in &mut request.headers {
            if name == "X-Auth-Token"
                && let Some(token) = self.tokens.get(value.as_str())
            {
                value.clone_from(token);
            }
        }
    }
}

fn keystone() -> Keystone {
    let user = |(_, name, project, roles): (&str, &str, &str, &[&str])| User {
        name: name.into(),
        password: "secret".into(),
        projects: vec![project.into()],
        roles: roles.iter().map(|role| (*role).into()).collect(),
    };
    Keystone::new(KeystoneOptions {
        users: TOKENS.map(user).into(),
        token_lifetime: Duration::from_secs(3600),
    })
}

/// A token for the user's only project.
fn token(keystone: &Keystone, user: &str) -> String {
    let project = TOKENS.iter().find(|(_, name, ..)| *name == user).unwrap().2;
    let credentials = json!({"username": user, "password": "secret"});
    let body = json!({"auth": {"passwordCredentials": credentials, "tenantName": project}});
    let response = keystone.handle(&Request {
        method: "POST".into(),
        path: "/v2.0/tokens".into(),
        body: body.to_string().into_bytes(),
        ..Request::default()
    });
    let document: Value = serde_json::from_slice(&response.body).unwrap();
    document["access"]["token"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}
