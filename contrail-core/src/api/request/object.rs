//! Requests about one object. `kind` is a type as the API spells it, such as `virtual-network`.

use crate::values::Method;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::message::{ApiRequest, Repeatability};
use crate::api::meta::Meta;
use crate::api::object_type::ObjectType;
use crate::api::resource::Resource;
use crate::error::{Error, Result};
use crate::values::FqName;

/// Creates an object. Only one that has its id can be sent twice: the API would answer "already
/// exists" with that id.
///
/// ```
/// use contrail_core::api::{Project, request};
///
/// let request = request::create(&Project::new("default-domain:admin".parse()?))?;
/// assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/projects"));
/// # Ok::<(), contrail_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Invalid`] if the object has no JSON form.
pub fn create<R: Resource>(object: &R) -> Result<ApiRequest> {
    creation(R::object_type(), object, object.meta(), R::MAY_OVERLAP)
}

/// Creates an object of any type. `may_overlap` says whether two creations under one id may be on
/// their way at the same time.
pub(crate) fn creation(
    kind: ObjectType,
    object: &impl Serialize,
    meta: &Meta,
    may_overlap: bool,
) -> Result<ApiRequest> {
    let name = kind.name();
    let mut fields = serde_json::to_value(object)
        .map_err(|error| Error::invalid(name, meta.fq_name.to_string(), error.to_string()))?;
    if let (Some(fields), Some(parent)) = (fields.as_object_mut(), kind.parent()) {
        fields.entry("parent_type").or_insert(parent.into());
    }
    Ok(ApiRequest {
        repeatability: match meta.uuid {
            Some(_) if may_overlap => Repeatability::Idempotent,
            Some(_) => Repeatability::OneAtATime,
            None => Repeatability::Once,
        },
        ..ApiRequest::post(&format!("/{name}s"), json!({ name: fields }))
    })
}

/// Reads an object without what refers to it and its children: on a network with many ports those
/// are most of the answer.
pub fn get(kind: &str, uuid: Uuid) -> ApiRequest {
    let flag = |key| (key, "True".to_owned());
    ApiRequest {
        query: vec![flag("exclude_back_refs"), flag("exclude_children")],
        ..ApiRequest::new(Method::GET, object_path(kind, uuid))
    }
}

/// Reads some fields of an object; fields that name back references and children work too.
pub fn get_with(kind: &str, uuid: Uuid, fields: &[&str]) -> ApiRequest {
    ApiRequest {
        query: vec![("fields", fields.join(","))],
        ..ApiRequest::new(Method::GET, object_path(kind, uuid))
    }
}

/// Reads the object of a name in one request; `None` if the name cannot be part of a list of names.
///
/// Servers before 5.0 do not know `fq_names` and answer with every object, so the caller selects.
pub fn lookup(kind: &str, name: &FqName) -> Option<ApiRequest> {
    if name.parts().iter().any(|part| part.contains([':', ','])) {
        return None;
    }
    Some(ApiRequest {
        query: vec![
            ("fq_names", name.to_string()),
            ("detail", "true".to_owned()),
        ],
        ..ApiRequest::new(Method::GET, format!("/{kind}s")).for_list()
    })
}

/// Translates a name to an id.
pub fn id_of(kind: &str, name: &FqName) -> ApiRequest {
    ApiRequest::query_by_post("/fqname-to-id", json!({"type": kind, "fq_name": name}))
}

/// Changes the named fields of an object and leaves the others. `null` removes a property; a list of
/// references replaces all references of that type.
pub fn update(kind: &str, uuid: Uuid, changes: &Value) -> ApiRequest {
    ApiRequest {
        body: Some(json!({ kind: changes })),
        ..ApiRequest::new(Method::PUT, object_path(kind, uuid))
    }
}

/// Deletes an object.
pub fn delete(kind: &str, uuid: Uuid) -> ApiRequest {
    ApiRequest::new(Method::DELETE, object_path(kind, uuid))
}

/// Ids are lower case with dashes: the API takes any other form for an unknown id.
fn object_path(kind: &str, uuid: Uuid) -> String {
    format!("/{kind}/{uuid}")
}

#[cfg(test)]
mod tests {
    use super::super::list::{ListQuery, list};
    use super::super::reference::ref_update;
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
            (get(VirtualNetwork::TYPE, ID), format!("GET /virtual-network/{id}?exclude_back_refs=True&exclude_children=True")),
            (get_with(InstanceIp::TYPE, ID, &["instance_ip_address", "subnet_uuid"]),
             format!("GET /instance-ip/{id}?fields=instance_ip_address,subnet_uuid")),
            (lookup(VirtualNetwork::TYPE, &name).unwrap(),
             "GET /virtual-networks?fq_names=default-domain:p1:net%201%2F%C3%BC&detail=true".into()),
            (list(VirtualNetwork::TYPE, &ListQuery::all()), "GET /virtual-networks".into()),
            (list(VirtualNetwork::TYPE, &ListQuery::children_of("project", name.parent().unwrap()).detail()),
             "GET /virtual-networks?parent_fq_name_str=default-domain:p1&parent_type=project&detail=true".into()),
            (list(VirtualNetwork::TYPE, &ListQuery::children_of_id(ID)), format!("GET /virtual-networks?parent_id={id}")),
            (list(InstanceIp::TYPE, &ListQuery::referring_to(ID).fields(&["instance_ip_address"])),
             format!("GET /instance-ips?back_ref_id={id}&fields=instance_ip_address")),
            (list(VirtualMachine::TYPE, &ListQuery::ids([ID, Uuid::nil()])),
             format!("GET /virtual-machines?obj_uuids={id},00000000-0000-0000-0000-000000000000")),
            (delete(VirtualMachine::TYPE, ID), format!("DELETE /virtual-machine/{id}")),
        ] {
            assert_eq!(format!("{} {}", request.method, request.target()), line);
            assert_eq!(request.body, None);
            assert_eq!(request.repeatability == Repeatability::Safe, request.method == Method::GET);
        }
    }

    #[test]
    fn a_creation_sends_names_and_ids_and_no_empty_field() {
        let network_ref = || Ref::new(network(), ID);
        let interface = Ref::named(FqName::new(["default-domain", "p1", "x"]));
        let request = create(&InstanceIp::new(ID, Family::V4, network_ref(), interface)).unwrap();
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
            body(create(&network).unwrap())["virtual-network"]["parent_type"],
            "project"
        );
        let target = RouteTarget::new(FqName::new(["target:64512:1"]));
        assert_eq!(
            body(create(&target).unwrap()),
            json!({"route-target": {"fq_name": ["target:64512:1"]}})
        );
    }

    #[test]
    fn only_a_creation_without_an_id_may_not_be_repeated() {
        let with_id = VirtualMachine::new(ID);
        assert_eq!(
            create(&with_id).unwrap().repeatability,
            Repeatability::Idempotent
        );
        let named = |name: &str| Ref::named(FqName::new([name]));
        let address = InstanceIp::new(ID, Family::V4, named("n"), named("i"));
        assert_eq!(
            create(&address).unwrap().repeatability,
            Repeatability::OneAtATime
        );
        let network = VirtualNetwork::new(network(), FqName::new(["i"]), vec![]);
        assert_eq!(create(&network).unwrap().repeatability, Repeatability::Once);
    }

    #[test]
    fn names_that_would_read_as_two_are_not_looked_up_in_a_list() {
        for name in [vec!["d", "p", "a,b"], vec!["target:64512:1"]] {
            assert_eq!(
                lookup(VirtualNetwork::TYPE, &FqName::from_parts(name).unwrap()),
                None
            );
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
        let request = update(VirtualNetwork::TYPE, ID, &json!({"display_name": null}));
        assert_eq!(request.method, Method::PUT);
        assert_eq!(
            request.body.unwrap(),
            json!({"virtual-network": {"display_name": null}})
        );
    }
}
