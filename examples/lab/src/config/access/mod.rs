//! Who asks, and what they may do: with any token, as an admin only, or as the role-based access
//! control says.

mod objects;
mod rules;

use std::sync::Arc;

use serde_json::json;

use crate::http::{Request, Response};
use crate::keystone::{Identity, Keystone};

pub use self::objects::Access;

/// Who may use the API.
#[derive(Clone, Default)]
pub enum Auth {
    /// Everybody; tokens are ignored (`no-auth`).
    #[default]
    None,
    /// Whoever has a token of this Keystone with the role admin (`cloud-admin`).
    Keystone(Arc<Keystone>),
    /// Whoever has a token of this Keystone, within what access lists and the permissions of each
    /// object allow (`rbac`).
    Rbac(Arc<Keystone>),
}

impl Auth {
    /// What `/aaa-mode` says.
    pub fn mode(&self) -> &'static str {
        match self {
            Self::None => "no-auth",
            Self::Keystone(_) => "cloud-admin",
            Self::Rbac(_) => "rbac",
        }
    }

    /// Who sends a request, or why they may not send any.
    pub fn caller(&self, request: &Request) -> Result<Caller, Box<Response>> {
        let (Self::Keystone(keystone) | Self::Rbac(keystone)) = self else {
            return Ok(Caller::default());
        };
        if request.path == "/" || request.path.starts_with("/documentation") {
            return Ok(Caller::default());
        }
        let token = request.header("x-auth-token").unwrap_or_default();
        let Some(identity) = keystone.validate(token) else {
            let host = request.header("host").unwrap_or("localhost");
            return Err(Box::new(unauthorized(host)));
        };
        if matches!(self, Self::Keystone(_)) && !identity.is_admin() {
            let refusal = Response::new(403, "text/plain", "403 Permission Denied");
            // The server announces the body and closes the connection without sending it.
            return Err(Box::new(Response {
                is_cut: true,
                ..refusal
            }));
        }
        Ok(Caller {
            identity: Some(identity),
        })
    }
}

/// The answer of the middleware that checks tokens.
fn unauthorized(host: &str) -> Response {
    let message = "The request you have made requires authentication.";
    let error = json!({"code": 401, "title": "Unauthorized", "message": message});
    let host = host.split(':').next().unwrap_or_default();
    Response::json(401, &json!({ "error": error })).with_header(
        "WWW-Authenticate",
        format!("Keystone uri=\"http://{host}:35357\""),
    )
}

/// Who sends a request.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// Whose the token is, if tokens are looked at.
    identity: Option<Identity>,
}

impl Caller {
    /// Whom new objects of the root belong to: the caller's project, or `cloud-admin`.
    pub fn owner(&self) -> String {
        let project = self.identity.as_ref().and_then(|i| i.project_id.clone());
        project.unwrap_or_else(|| "cloud-admin".into())
    }

    /// The user and the group that `id_perms` of a new object names.
    pub fn user_and_group(&self) -> (String, String) {
        match &self.identity {
            Some(identity) => (identity.user.clone(), identity.roles.join(",")),
            None => ("cloud-admin".into(), "cloud-admin-group".into()),
        }
    }

    /// Whom rules and permissions are looked up for; `None` for an admin, who may do everything.
    fn restricted(&self) -> Option<&Identity> {
        self.identity.as_ref().filter(|who| !who.is_admin())
    }
}
