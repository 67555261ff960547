//! Joining a service against answers as the API gives them.

use serde_json::json;

use super::*;
use crate::http::{Method, Response};
use crate::service_chain::{Mode, TemplateDifference};
use crate::testing::{FakeTransport, client_of};

fn role() -> ServiceRole {
    ServiceRole {
        instance: FqName::new(["d", "p", "fw"]),
        interface: Leg::Left,
        mode: Mode::InNetwork,
    }
}

fn port() -> RolePort {
    RolePort {
        interface: Uuid::from_u128(1),
        machine: Uuid::from_u128(2),
        label: "c".into(),
    }
}

#[test]
fn a_port_that_cannot_be_read_takes_no_other_port_out_of_the_service() {
    for status in [404, 500] {
        let answer = move |_: &_| Ok(Response::new(status, "No object found"));
        let transport = FakeTransport::new(answer);
        let roles = ServiceRoles::new(client_of(transport.clone()), "cni");
        roles.join(&role(), &port()).unwrap_err();
        let requests = transport.requests();
        let methods: Vec<Method> = requests.iter().map(|r| r.method.clone()).collect();
        assert_eq!(methods, [Method::GET], "{status}");
    }
}

#[test]
fn a_template_that_does_not_fit_is_refused_before_anything_is_written() {
    let by_hand = json!([]);
    let by_attachment = json!([{"key": "container-plugin.service-role", "value": "true"}]);
    let template = |mode: &str, interfaces: &[&str]| {
        json!({"fq_name": ["d", "container-in-network"], "uuid": Uuid::from_u128(4), "service_template_properties": {
            "version": 2, "service_mode": mode, "service_type": "firewall", "interface_type":
            interfaces.iter().map(|i| json!({"service_interface_type": i})).collect::<Vec<_>>()}})
    };
    let mode = |actual: &str| TemplateDifference::Mode {
        actual: actual.into(),
        wanted: Mode::InNetwork,
    };
    let no_left = || TemplateDifference::NoInterface(Leg::Left);
    let (whole, half) = (["left", "right"], ["right"]);
    for (has_instance, made_by, template, expected) in [
        (
            true,
            &by_hand,
            template("transparent", &whole),
            mode("transparent"),
        ),
        (true, &by_hand, template("in-network", &half), no_left()),
        (
            true,
            &by_attachment,
            template("transparent", &half),
            mode("transparent"),
        ),
        (false, &by_hand, template("in-network", &half), no_left()),
    ] {
        let case = format!("{has_instance}, {made_by}, {template}");
        let instance = json!({"service-instance": {"fq_name": ["d", "p", "fw"],
            "uuid": Uuid::from_u128(3), "annotations": {"key_value_pair": made_by},
            "service_template_refs": [{"to": ["d", "t"], "uuid": Uuid::from_u128(4)}]}});
        let instances = match has_instance {
            true => vec![instance],
            false => vec![],
        };
        let transport = FakeTransport::new(move |request| {
            let is_of = |part: &str| request.url.contains(part);
            let answer = match () {
                () if is_of("/virtual-machine-interface/") => json!({"virtual-machine-interface":
                    {"fq_name": ["d", "p", "i"], "uuid": Uuid::from_u128(1),
                    "virtual_network_refs": [{"to": ["d", "p", "n"]}]}}),
                () if is_of("/service-instances") => json!({"service-instances": instances}),
                () if is_of("/service-template/") => json!({"service-template": template}),
                () if is_of("/service-templates") => {
                    json!({"service-templates": [{"service-template": template}]})
                }
                () => json!({"port-tuples": []}),
            };
            Ok(Response::new(200, answer.to_string()))
        });
        let roles = ServiceRoles::new(client_of(transport.clone()), "cni");
        let error = roles.look(&role(), &port()).and_then(|seen| {
            let own = &seen.interface;
            roles.create_instance(&role(), own)
        });
        let Err(Error::Impossible { problems, .. }) = error else {
            panic!("{case}: {:?}", transport.lines());
        };
        let [Problem::UnfitTemplate { differences, .. }] = problems.as_slice() else {
            panic!("{case}: {problems:?}");
        };
        assert_eq!(*differences, [expected], "{case}");
        let requests = transport.requests();
        assert!(requests.iter().all(|r| r.method == Method::GET), "{case}");
    }
}
