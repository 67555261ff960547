//! Creating a service template. It belongs to the domain, where members of a tenant may not write.

use std::collections::BTreeSet;

use super::error::{Error, Result};
use super::identified::Identified;
use super::problem::{Problem, TemplateDifference};
use super::types::{Leg, Mode};
use crate::api::objects::ServiceTemplate;
use crate::api::{Client, Ensured, KeyValuePairs, Resource, request};
use crate::ownership::chains;
use crate::values::FqName;

/// The name of the template that a domain's service instances of a mode share.
pub(super) fn default_name(instance: &FqName, mode: Mode, has_management: bool) -> FqName {
    let suffix = if has_management { "-management" } else { "" };
    instance
        .outermost()
        .child(format!("container-{mode}{suffix}"))
}

/// A template of version 2 as it is made.
pub(super) fn new_template(
    name: FqName,
    mode: Mode,
    has_management: bool,
    mark: KeyValuePairs,
) -> Identified<ServiceTemplate> {
    let all = Leg::ALL.map(Leg::as_str);
    let interfaces = if has_management { &all[..] } else { &all[..2] };
    let mut template = ServiceTemplate::v2(name, mode.as_str(), interfaces);
    template.meta.annotations = mark;
    Identified::made(template)
}

/// What an existing template has otherwise than a service of this mode with these interfaces needs it.
pub(super) fn differences(
    template: &ServiceTemplate,
    mode: Mode,
    legs: impl IntoIterator<Item = Leg>,
) -> Vec<TemplateDifference> {
    let mut all = Vec::new();
    if template.version() != 2 {
        all.push(TemplateDifference::Version(template.version()));
    }
    let kind = template.properties.service_type.as_deref();
    if let Some(other) = kind.filter(|kind| *kind != "firewall") {
        all.push(TemplateDifference::Type(other.to_owned()));
    }
    if template.mode() != mode.as_str() {
        all.push(TemplateDifference::Mode {
            actual: template.mode().to_owned(),
            wanted: mode,
        });
    }
    let has = |leg: Leg| {
        let mut kinds = template.properties.interface_type.iter();
        kinds.any(|kind| kind.service_interface_type == leg.as_str())
    };
    let missing: BTreeSet<Leg> = legs.into_iter().filter(|leg| !has(*leg)).collect();
    all.extend(missing.into_iter().map(TemplateDifference::NoInterface));
    all
}

/// The problem with an existing template that does not fit a service, if there is one: see [`differences`].
pub(super) fn problem(
    template: &ServiceTemplate,
    service: &FqName,
    mode: Mode,
    legs: impl IntoIterator<Item = Leg>,
) -> Option<Problem> {
    let differences = differences(template, mode, legs);
    (!differences.is_empty()).then(|| Problem::UnfitTemplate {
        service: service.clone(),
        template: template.fq_name().clone(),
        differences,
    })
}

/// Creates a template, or finds an existing one.
///
/// # Errors
/// [`Error::Impossible`] with [`Problem::ForbiddenTemplate`] when only an administrator can create it; any
/// other error of the API.
pub(super) fn ensure(client: &Client, template: &ServiceTemplate) -> Result<Ensured> {
    client
        .ensure(template)
        .map_err(|error| match error.is_forbidden() {
            true => forbidden(template),
            false => error.into(),
        })
}

fn forbidden(template: &ServiceTemplate) -> Error {
    let name = template.fq_name();
    let chain = chains::chain(&template.meta)
        .unwrap_or(name.name())
        .to_owned();
    // Without the mark: all chains of the domain use it, and the last of them must not remove it.
    let mut plain = template.clone();
    plain.meta.annotations.0.clear();
    plain.meta.uuid = None;
    let body = request::create(&plain)
        .ok()
        .and_then(|request| request.body);
    let body = body.unwrap_or_default();
    Error::Impossible {
        chain,
        problems: vec![Problem::ForbiddenTemplate {
            template: name.clone(),
            body: body.to_string(),
        }],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::http::{Response, Scheme, Server};
    use crate::keystone::NoAuth;
    use crate::testing::FakeTransport;

    fn client(status: u16) -> Client {
        let refuse = move |_: &_| Ok(Response::new(status, "Permission Denied"));
        let server = Server {
            scheme: Scheme::Http,
            host: "api".into(),
            port: 8082,
        };
        let limit = Duration::from_secs(1);
        let agent = "host:test".to_owned();
        Client::new(
            FakeTransport::new(refuse),
            vec![server],
            Arc::new(NoAuth),
            agent,
            limit,
        )
    }

    #[test]
    fn every_difference_of_a_template_is_named() {
        let name = FqName::new(["d", "t"]);
        let fitting = new_template(name.clone(), Mode::InNetwork, false, chains::of_chain("c"));
        let with = |change: fn(&mut ServiceTemplate)| {
            let mut template = ServiceTemplate::clone(&fitting);
            change(&mut template);
            template
        };
        let both = [Leg::Left, Leg::Right];
        let mode = |actual: &str| TemplateDifference::Mode {
            actual: actual.into(),
            wanted: Mode::InNetwork,
        };
        for (template, legs, expected) in [
            (with(|_| ()), &both[..], vec![]),
            (with(|t| t.properties.service_type = None), &both, vec![]),
            (
                with(|_| ()),
                &Leg::ALL,
                vec![TemplateDifference::NoInterface(Leg::Management)],
            ),
            (
                with(|t| t.properties.version = None),
                &both,
                vec![TemplateDifference::Version(1)],
            ),
            (
                with(|t| t.properties.service_type = Some("loadbalancer".into())),
                &both,
                vec![TemplateDifference::Type("loadbalancer".into())],
            ),
            (
                with(|t| t.properties.service_mode = None),
                &both,
                vec![mode("transparent")],
            ),
            (
                with(|t| {
                    t.properties.service_mode = Some("in-network-nat".into());
                    t.properties.interface_type.clear();
                }),
                &both,
                vec![
                    mode("in-network-nat"),
                    TemplateDifference::NoInterface(Leg::Left),
                    TemplateDifference::NoInterface(Leg::Right),
                ],
            ),
        ] {
            let found = differences(&template, Mode::InNetwork, legs.iter().copied());
            assert_eq!(found, expected, "{:?}", template.properties);
        }
    }

    #[test]
    fn the_error_for_a_tenant_names_what_an_administrator_must_create() {
        let name = FqName::new(["default-domain", "container-in-network"]);
        let template = new_template(name, Mode::InNetwork, false, chains::of_chain("c1"));
        let error = ensure(&client(403), &template).unwrap_err();
        let Error::Impossible { chain, problems } = &error else {
            panic!("{error}");
        };
        let [Problem::ForbiddenTemplate { template, body }] = problems.as_slice() else {
            panic!("{error}");
        };
        assert_eq!(
            (chain.as_str(), template.name()),
            ("c1", "container-in-network")
        );
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let made = &body["service-template"];
        assert_eq!(made["service_template_properties"]["version"], 2);
        assert_eq!(
            (&made["annotations"], &made["uuid"]),
            (&body["none"], &body["none"])
        );
        assert!(error.had_no_effect());
    }

    #[test]
    fn other_refusals_are_left_as_they_are() {
        let name = FqName::new(["d", "t"]);
        let template = new_template(name, Mode::InNetwork, false, chains::of_chain("c1"));
        let error = ensure(&client(400), &template).unwrap_err();
        assert!(!matches!(error, Error::Impossible { .. }), "{error}");
    }
}
