//! `/v3/auth/tokens`.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{Credentials, Identity, Keystone, Times, expecting, failure, id_of, unauthorized};
use crate::clock::timestamp;
use crate::http::{Request, Response};

impl Keystone {
    pub(super) fn v3_tokens(&self, request: &Request, body: &Value) -> Response {
        let identity = &body["auth"]["identity"];
        let user = &identity["password"]["user"];
        let credentials = match (&identity["token"]["id"], &user["name"], &user["password"]) {
            (Value::String(token), _, _) => Credentials::Token(token),
            (_, Value::String(name), Value::String(password)) if is_default(&user["domain"]) => {
                Credentials::Password {
                    user: name,
                    password,
                }
            }
            (_, Value::String(_), Value::String(_)) => return unauthorized(),
            _ => return expecting("auth.identity"),
        };
        let scope = &body["auth"]["scope"]["project"];
        let project = scope["id"].as_str().or(scope["name"].as_str());
        let of_domain = scope["id"].is_string() || scope.is_null() || is_default(&scope["domain"]);
        match self.authenticate(&credentials, project) {
            Some(identity) if of_domain => self.v3_answer(request, identity),
            _ => unauthorized(),
        }
    }

    fn v3_answer(&self, request: &Request, identity: Identity) -> Response {
        let (id, times) = self.issue(identity.clone());
        let body = v3_body(&identity, &times, self.v3_catalogue(request));
        Response::json(201, &body)
            .with_header("X-Subject-Token", id)
            .with_header("Vary", "X-Auth-Token")
    }

    /// `GET` and `DELETE /v3/auth/tokens`: about a token, by a client with a token.
    pub(super) fn v3_subject(&self, request: &Request) -> Response {
        let header = |name| request.header(name).unwrap_or_default();
        if self.validate(header("x-auth-token")).is_none() {
            return unauthorized();
        }
        let subject = header("x-subject-token");
        let mut tokens = self.tokens();
        let Some(token) = tokens
            .get(subject)
            .filter(|token| token.expires > SystemTime::now())
        else {
            return failure(404, "Not Found", "Could not find token.");
        };
        if request.method == "DELETE" {
            tokens.remove(subject);
            return Response {
                status: 204,
                ..Response::default()
            };
        }
        let times = Times {
            issued: timestamp(token.issued),
            expires: timestamp(token.expires),
        };
        let body = v3_body(&token.identity, &times, self.v3_catalogue(request));
        Response::json(200, &body).with_header("X-Subject-Token", subject)
    }
}

/// A domain is named by its id or by its name.
fn is_default(domain: &Value) -> bool {
    domain["id"] == "default" || domain["name"] == "Default"
}

fn v3_body(identity: &Identity, times: &Times, catalogue: Vec<Value>) -> Value {
    let domain = json!({"id": "default", "name": "Default"});
    let user_id = id_of("user", &identity.user).simple().to_string();
    let mut token = json!({
        "methods": ["password"],
        "user": {"id": user_id, "name": identity.user, "domain": domain,
                 "password_expires_at": null},
        "audit_ids": [],
        "issued_at": format!("{}Z", times.issued),
        "expires_at": format!("{}Z", times.expires),
    });
    if let (Some(name), Some(id)) = (&identity.project, &identity.project_id) {
        token["project"] = json!({"id": id, "name": name, "domain": domain});
        let role =
            |name: &String| json!({"id": id_of("role", name).simple().to_string(), "name": name});
        token["roles"] = identity.roles.iter().map(role).collect();
        token["catalog"] = Value::Array(catalogue);
        token["is_domain"] = json!(false);
    }
    json!({ "token": token })
}
