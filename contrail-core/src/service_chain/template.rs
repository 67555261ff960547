//! Making a service template, which stands in the domain: tenants may not.

use super::mark;
use super::problem::Problem;
use crate::api::objects::ServiceTemplate;
use crate::api::{Client, Ensured, Resource, request};
use crate::error::{Error, Result};

/// The status of a request that the user has no right to.
const FORBIDDEN: u16 = 403;

/// Makes a template, or finds it made already.
///
/// # Errors
/// [`Error::Chain`] with [`Problem::ForbiddenTemplate`] when it is for an administrator to make; any other error of
/// the API.
pub(super) fn ensure(client: &Client, template: &ServiceTemplate) -> Result<Ensured> {
    client.ensure(template).map_err(|error| match error {
        Error::Refused {
            status: FORBIDDEN, ..
        } => forbidden(template),
        error => error,
    })
}

fn forbidden(template: &ServiceTemplate) -> Error {
    let name = template.fq_name();
    let chain = mark::chain(&template.meta)
        .unwrap_or(name.name())
        .to_owned();
    // The mark of one chain would mislead: all chains of the domain use it, and none of them removes it.
    let mut plain = template.clone();
    plain.meta.annotations.0.clear();
    let body = request::create(&plain).body.unwrap_or_default();
    Error::Chain {
        chain,
        problems: vec![Problem::ForbiddenTemplate {
            template: name.clone(),
            body: body.to_string(),
        }],
    }
}
