//! `POST /v2.0/tokens`.

use serde_json::{Value, json};

use super::{Credentials, Identity, Keystone, expecting, id_of, unauthorized};
use crate::http::{Request, Response};

impl Keystone {
    pub(super) fn v2_tokens(&self, request: &Request, body: &Value) -> Response {
        let auth = &body["auth"];
        let password = &auth["passwordCredentials"];
        let credentials = match (
            &auth["token"]["id"],
            &password["username"],
            &password["password"],
        ) {
            (Value::String(token), _, _) => Credentials::Token(token),
            (_, Value::String(user), Value::String(password)) => {
                Credentials::Password { user, password }
            }
            _ => return expecting("auth.passwordCredentials"),
        };
        let project = auth["tenantName"].as_str().or(auth["tenantId"].as_str());
        let project = project.filter(|name| !name.is_empty());
        match self.authenticate(&credentials, project) {
            Some(identity) => self.v2_answer(request, identity),
            None => unauthorized(),
        }
    }

    fn v2_answer(&self, request: &Request, identity: Identity) -> Response {
        let (id, times) = self.issue(identity.clone());
        // v2.0 leaves fractions out of the expiry, but not out of the time of issue.
        let expires = times.expires.split('.').next().unwrap_or_default();
        let mut token = json!({
            "id": id, "expires": format!("{expires}Z"), "issued_at": times.issued,
            "audit_ids": [],
        });
        if let (Some(name), Some(id)) = (&identity.project, &identity.project_id) {
            token["tenant"] = json!({"id": id, "name": name, "enabled": true, "description": null});
        }
        let roles: Vec<Value> = identity
            .roles
            .iter()
            .map(|name| json!({"name": name}))
            .collect();
        let user = json!({
            "id": id_of("user", &identity.user).simple().to_string(),
            "name": identity.user, "username": identity.user, "roles": roles, "roles_links": [],
        });
        let scoped = identity.project.is_some();
        let catalogue = scoped.then(|| self.v2_catalogue(request));
        let catalogue = catalogue.unwrap_or_default();
        let access = json!({
            "token": token, "user": user, "serviceCatalog": catalogue,
            "metadata": {"is_admin": 0, "roles": []},
        });
        Response::json(200, &json!({ "access": access }))
    }
}
