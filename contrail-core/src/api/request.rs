//! The requests of the configuration API as values: nothing here sends anything.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::resource::Resource;
use crate::http::Method;
use crate::values::FqName;

pub use super::list::{ListQuery, list};

/// What is percent-encoded in a query: all but RFC 3986's unreserved characters and the API's own
/// separators.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b',');

/// One request to the API, the same for each of its servers.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiRequest {
    /// The method.
    pub method: Method,
    /// The path, percent-encoded.
    pub path: String,
    /// The query.
    pub query: Vec<(&'static str, String)>,
    /// The body.
    pub body: Option<Value>,
    /// What it changes.
    pub effect: Effect,
}

/// What a request changes: whether it may be sent again when nobody knows if it was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it reads.
    None,
    /// The same however often it is sent.
    Repeatable,
    /// The same if it is sent again after it was carried out, and too much while it is being carried out:
    /// it is looked for before it is sent again.
    OneByOne,
    /// Each time something more.
    Once,
}

impl ApiRequest {
    pub(super) fn new(method: Method, path: String) -> Self {
        let effect = match method {
            Method::GET => Effect::None,
            _ => Effect::Repeatable,
        };
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            effect,
        }
    }

    fn post(path: &str, body: Value) -> Self {
        Self {
            body: Some(body),
            ..Self::new(Method::POST, path.to_owned())
        }
    }

    /// A question that does not fit into a URL.
    pub(super) fn question(path: &str, body: Value) -> Self {
        Self {
            effect: Effect::None,
            ..Self::post(path, body)
        }
    }

    /// Path and query, as they stand in a URL.
    pub fn target(&self) -> String {
        let mut target = self.path.clone();
        let mut separator = '?';
        for (key, value) in &self.query {
            target.push(separator);
            target.push_str(key);
            target.push('=');
            target.extend(utf8_percent_encode(value, ENCODED));
            separator = '&';
        }
        target
    }
}

/// Creates an object. Only one that has its id can be sent twice: the API would answer "exists
/// already" with that id.
pub fn create<R: Resource>(object: &R) -> ApiRequest {
    let mut fields = serde_json::to_value(object).unwrap_or_default();
    if let Some(fields) = fields.as_object_mut()
        && !R::PARENT.is_empty()
        && !fields.contains_key("parent_type")
    {
        fields.insert("parent_type".to_owned(), R::PARENT.into());
    }
    ApiRequest {
        effect: match object.uuid() {
            Some(_) if R::MAY_OVERLAP => Effect::Repeatable,
            Some(_) => Effect::OneByOne,
            None => Effect::Once,
        },
        ..ApiRequest::post(&format!("/{}s", R::TYPE), json!({ R::TYPE: fields }))
    }
}

/// Reads an object without what refers to it and its children: on a network with many ports those
/// are most of the answer.
pub fn get<R: Resource>(uuid: Uuid) -> ApiRequest {
    let flag = |key| (key, "True".to_owned());
    ApiRequest {
        query: vec![flag("exclude_back_refs"), flag("exclude_children")],
        ..ApiRequest::new(Method::GET, object_path::<R>(uuid))
    }
}

/// Reads some fields of an object; fields that name back references and children work too.
pub fn get_with<R: Resource>(uuid: Uuid, fields: &[&str]) -> ApiRequest {
    ApiRequest {
        query: vec![("fields", fields.join(","))],
        ..ApiRequest::new(Method::GET, object_path::<R>(uuid))
    }
}

/// Reads the object of a name in one request; none when the name cannot stand in a list of names.
///
/// Servers before 5.0 do not know `fq_names` and answer with every object, so the caller selects.
pub fn lookup<R: Resource>(name: &FqName) -> Option<ApiRequest> {
    if name.parts().iter().any(|part| part.contains([':', ','])) {
        return None;
    }
    Some(ApiRequest {
        query: vec![
            ("fq_names", name.to_string()),
            ("detail", "true".to_owned()),
        ],
        ..ApiRequest::new(Method::GET, format!("/{}s", R::TYPE))
    })
}

/// Translates a name to an id.
pub fn id_of<R: Resource>(name: &FqName) -> ApiRequest {
    ApiRequest::question("/fqname-to-id", json!({"type": R::TYPE, "fq_name": name}))
}

/// Changes the named fields of an object and leaves the others. `null` removes a property; a list of
/// references replaces all references of that type.
pub fn update<R: Resource>(uuid: Uuid, changes: &Value) -> ApiRequest {
    ApiRequest {
        body: Some(json!({ R::TYPE: changes })),
        ..ApiRequest::new(Method::PUT, object_path::<R>(uuid))
    }
}

/// One end of a reference that is added or removed.
pub type Target<'a> = (&'static str, Uuid, &'a FqName);

/// Adds or removes one reference. Both succeed when there is nothing to do.
pub fn ref_update(
    operation: &str,
    from: (&str, Uuid),
    to: Target<'_>,
    attr: Option<Value>,
) -> ApiRequest {
    ApiRequest::post(
        "/ref-update",
        json!({
            "operation": operation,
            "type": from.0,
            "uuid": from.1,
            "ref-type": to.0,
            "ref-uuid": to.1,
            "ref-fq-name": to.2,
            "attr": attr,
        }),
    )
}

/// Sets one annotation of an object, or removes it; the others stay. Both may be repeated.
pub fn annotate(uuid: Uuid, key: &str, value: Option<&str>) -> ApiRequest {
    let update = match value {
        Some(value) => json!({
            "field": "annotations",
            "operation": "set",
            "value": {"key": key, "value": value},
            "position": key,
        }),
        None => json!({"field": "annotations", "operation": "delete", "position": key}),
    };
    let body = json!({"uuid": uuid, "updates": [update]});
    ApiRequest::post("/prop-collection-update", body)
}

/// Deletes an object.
pub fn delete<R: Resource>(uuid: Uuid) -> ApiRequest {
    ApiRequest::new(Method::DELETE, object_path::<R>(uuid))
}

/// Ids are lower case with dashes: the API takes any other form for an unknown id.
fn object_path<R: Resource>(uuid: Uuid) -> String {
    format!("/{}/{uuid}", R::TYPE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{InstanceIp, Ref, RouteTarget, VirtualMachine, VirtualNetwork};
    use crate::values::Family;

    const ID: Uuid = Uuid::from_u128(0x5dd3_72be_4068_49dc_af5d_eb79_f93a_7bdf);

    fn network() -> FqName {
        FqName::new(["default-domain", "p1", "net 1/ü"])
    }

    #[test]
    fn requests_that_read_are_what_the_api_expects() {
        let name = network();
        let id = "5dd372be-4068-49dc-af5d-eb79f93a7bdf";
        for (request, line) in [
            (get::<VirtualNetwork>(ID), format!("GET /virtual-network/{id}?exclude_back_refs=True&exclude_children=True")),
            (get_with::<InstanceIp>(ID, &["instance_ip_address", "subnet_uuid"]),
             format!("GET /instance-ip/{id}?fields=instance_ip_address,subnet_uuid")),
            (lookup::<VirtualNetwork>(&name).unwrap(),
             "GET /virtual-networks?fq_names=default-domain:p1:net%201%2F%C3%BC&detail=true".into()),
            (list::<VirtualNetwork>(&ListQuery::all()), "GET /virtual-networks".into()),
            (list::<VirtualNetwork>(&ListQuery::children_of("project", name.parent()).detail()),
             "GET /virtual-networks?parent_fq_name_str=default-domain:p1&parent_type=project&detail=true".into()),
            (list::<VirtualNetwork>(&ListQuery::children_of_id(ID)), format!("GET /virtual-networks?parent_id={id}")),
            (list::<InstanceIp>(&ListQuery::referring_to(ID).fields(&["instance_ip_address"])),
             format!("GET /instance-ips?back_ref_id={id}&fields=instance_ip_address")),
            (list::<VirtualMachine>(&ListQuery::ids([ID, Uuid::nil()])),
             format!("GET /virtual-machines?obj_uuids={id},00000000-0000-0000-0000-000000000000")),
            (delete::<VirtualMachine>(ID), format!("DELETE /virtual-machine/{id}")),
        ] {
            assert_eq!(format!("{} {}", request.method, request.target()), line);
            assert_eq!(request.body, None);
            assert_eq!(request.effect == Effect::None, request.method == Method::GET);
        }
    }

    #[test]
    fn a_creation_sends_names_and_ids_and_no_empty_field() {
        let network_ref = || Ref::new(network(), ID);
        let interface = Ref::named(FqName::new(["default-domain", "p1", "x"]));
        let request = create(&InstanceIp::new(ID, Family::V4, network_ref(), interface));
        assert_eq!(request.path, "/instance-ips");
        assert_eq!(
            request.body.unwrap(),
            json!({"instance-ip": {
                "fq_name": [ID.to_string()], "uuid": ID, "instance_ip_family": "v4",
                "virtual_network_refs": [{"to": network(), "uuid": ID}],
                "virtual_machine_interface_refs": [{"to": ["default-domain", "p1", "x"]}],
            }})
        );
    }

    #[test]
    fn a_creation_names_the_parent_type_except_below_the_root() {
        let mut network = VirtualNetwork::new(network(), FqName::new(["i"]), vec![]);
        network.meta.parent_type = None;
        let body = |request: ApiRequest| request.body.unwrap();
        assert_eq!(
            body(create(&network))["virtual-network"]["parent_type"],
            "project"
        );
        let target = RouteTarget::new(FqName::new(["target:64512:1"]));
        assert_eq!(
            body(create(&target)),
            json!({"route-target": {"fq_name": ["target:64512:1"]}})
        );
    }

    #[test]
    fn only_a_creation_without_an_id_may_not_be_repeated() {
        let with_id = VirtualMachine::new(ID);
        assert_eq!(create(&with_id).effect, Effect::Repeatable);
        let named = |name: &str| Ref::named(FqName::new([name]));
        let address = InstanceIp::new(ID, Family::V4, named("n"), named("i"));
        assert_eq!(create(&address).effect, Effect::OneByOne);
        let network = VirtualNetwork::new(network(), FqName::new(["i"]), vec![]);
        assert_eq!(create(&network).effect, Effect::Once);
    }

    #[test]
    fn names_that_would_read_as_two_are_not_looked_up_in_a_list() {
        for name in [vec!["d", "p", "a,b"], vec!["target:64512:1"]] {
            assert_eq!(lookup::<VirtualNetwork>(&FqName::new(name)), None);
        }
    }

    #[test]
    fn references_are_changed_one_at_a_time_by_id_and_name() {
        let to = FqName::new(["vm"]);
        let from = ("virtual-machine-interface", ID);
        let request = ref_update("ADD", from, ("virtual-machine", ID, &to), None);
        assert_eq!(request.target(), "/ref-update");
        assert_eq!(
            request.body.unwrap(),
            json!({"operation": "ADD", "type": "virtual-machine-interface", "uuid": ID,
                "ref-type": "virtual-machine", "ref-uuid": ID, "ref-fq-name": ["vm"], "attr": null})
        );
        let request = update::<VirtualNetwork>(ID, &json!({"display_name": null}));
        assert_eq!(request.method, Method::PUT);
        assert_eq!(
            request.body.unwrap(),
            json!({"virtual-network": {"display_name": null}})
        );
    }
}
