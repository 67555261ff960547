//! The key `service` of a network: the part that the interface plays in a service chain.

use contrail_core::FqName;
use contrail_core::attach::Service;
use contrail_core::service_chain::{Leg, Mode, ServiceRole};
use serde::Deserialize;

use super::given::Given;
use crate::config::invalid::invalid;
use crate::protocol::error::CniError;
use crate::protocol::json::shortened;

/// The keys of `service`; others are refused.
pub const KEYS: &[&str] = &["instance", "interface", "mode", "forwarding"];

/// `{"instance": "firewall", "interface": "left"}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    instance: String,
    interface: Leg,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    forwarding: bool,
}

/// Reads the key's value. A service instance that is named without its domain and project is one of
/// `project`.
///
/// # Errors
///
/// Code 7 for anything but an object with `instance` and `interface`, and `mode` and `forwarding` if
/// wanted.
pub fn parse(given: &Given) -> Result<Service, CniError> {
    let Given {
        value,
        place,
        project,
        ..
    } = given;
    let refused =
        |reason: String| -> CniError { invalid(&format!("service{place}"), value, &reason) };
    if !value.is_object() {
        return Err(refused(
            "an object such as {\"instance\": \"fw\", \"interface\": \"left\"} is expected".into(),
        ));
    }
    let fields: Fields =
        serde_json::from_value((*value).clone()).map_err(|e| refused(shortened(&e.to_string())))?;
    let instance = FqName::in_project(&fields.instance, project).map_err(|_| {
        refused(
            "instance: domain:project:name or the name of one of the project is expected".into(),
        )
    })?;
    Ok(Service {
        role: ServiceRole {
            instance,
            interface: fields.interface,
            mode: fields.mode,
        },
        forwarding: fields.forwarding,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<Service, CniError> {
        let project = FqName::new(["default-domain", "admin"]);
        parse(&Given {
            key: "service",
            value: &value,
            place: " of network net1",
            project: &project,
        })
    }

    #[test]
    fn instance_and_interface_are_enough() {
        let service = read(json!({"instance": "fw", "interface": "left"})).unwrap();
        assert_eq!(service.role.instance.to_string(), "default-domain:admin:fw");
        assert_eq!(service.role.interface, Leg::Left);
        assert_eq!(service.role.mode, Mode::InNetwork);
        assert!(!service.forwarding);
        let service = read(json!({
            "instance": "d:p:fw", "interface": "right", "mode": "in-network-nat",
            "forwarding": true
        }));
        let service = service.unwrap();
        assert_eq!(service.role.instance.to_string(), "d:p:fw");
        assert_eq!(service.role.mode, Mode::InNetworkNat);
        assert!(service.forwarding);
    }

    #[test]
    fn the_keys_are_those_that_are_read() {
        let text = read(json!({"x": 1})).unwrap_err().to_string();
        let quoted = KEYS.iter().map(|key| format!("`{key}`"));
        let expected = quoted.collect::<Vec<_>>().join(", ");
        assert!(
            text.ends_with(&format!("expected one of {expected}")),
            "{text}"
        );
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for (value, reason) in [
            (json!("fw"), "an object such as {\"instance\""),
            (json!(["fw", "left"]), "an object such as"),
            (json!({"instance": "fw"}), "missing field `interface`"),
            (
                json!({"instance": "fw", "interface": "up"}),
                "unknown variant `up`",
            ),
            (
                json!({"instance": "a:b", "interface": "left"}),
                "domain:project:name",
            ),
            (
                json!({"instance": "fw", "interface": "left", "x": 1}),
                "unknown field `x`",
            ),
        ] {
            let error = read(value).unwrap_err();
            assert_eq!(error.code, CniError::CONFIG, "{error}");
            let text = error.to_string();
            assert!(
                text.contains(reason) && text.contains("of network net1"),
                "{text}"
            );
        }
    }
}
