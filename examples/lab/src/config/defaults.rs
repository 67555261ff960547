//! The objects that the server makes when it starts with an empty database.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::draft::Draft;
use super::schema::Kind;
use super::state::State;
use super::store::Object;
use super::{meta, types};
use crate::keystone::Project;

/// The state after the first start, with projects synchronised from Keystone.
pub fn first_start(projects: &[Project]) -> State {
    let mut state = State::empty();
    let kinds = state.kinds;
    make_system(&mut state);
    let domain = make(
        &mut state,
        kinds.domain,
        &["default-domain"],
        None,
        json!({}),
    );
    let domain = Some((kinds.domain, domain));
    let name = ["default-domain", "default-project"];
    let project = make(&mut state, kinds.project, &name, domain, json!({}));
    let parent = Some((kinds.project, project));
    make_ipams(&mut state, parent);
    for name in [
        "default-virtual-network",
        "ip-fabric",
        "__link_local__",
        "dci-network",
    ] {
        make_network(&mut state, name, parent);
    }
    let number = state.group_ids.take();
    let name = ["default-domain", "default-project", "__no_rule__"];
    let props = json!({"security_group_id": number});
    make(&mut state, kinds.security_group, &name, parent, props);
    sync_projects(&mut state, projects);
    state
}

/// Makes the projects of Keystone that are not there yet.
pub fn sync_projects(state: &mut State, projects: &[Project]) {
    let kinds = state.kinds;
    let domain = state.store.find(kinds.domain, &["default-domain"]);
    let domain = domain.map(|id| (kinds.domain, id));
    for project in projects {
        let name = ["default-domain", project.name.as_str()];
        let known = state.store.find(kinds.project, &name).is_some();
        if !known && state.store.get(project.id).is_none() {
            sync_project(state, project, domain);
        }
    }
}

/// Makes one object; the server's own objects have no display name.
fn make(
    state: &mut State,
    kind: Kind,
    fq_name: &[&str],
    parent: Option<(Kind, Uuid)>,
    props: Value,
) -> Uuid {
    let fq_name = fq_name.iter().map(|part| (*part).to_owned()).collect();
    let props = match props {
        Value::Object(props) => props,
        _ => Map::new(),
    };
    state.make(kind, fq_name, parent, props)
}

fn make_system(state: &mut State) {
    let kinds = state.kinds;
    let props = json!({
        "autonomous_system": 64512, "enable_4byte_as": false, "config_version": "1.0",
        "ibgp_auto_mesh": true, "mac_aging_time": 300, "igmp_enable": false,
        "enable_security_policy_draft": false,
    });
    let name = "default-global-system-config";
    let system = make(state, kinds.global_system_config, &[name], None, props);
    let props = json!({
        "global_max_vmi_flows": 0, "encryption_mode": "none", "max_vm_flows_percent": 0,
        "enable_security_logging": true,
    });
    let name = [name, "default-global-vrouter-config"];
    let parent = Some((kinds.global_system_config, system));
    make(state, kinds.global_vrouter_config, &name, parent, props);
    ensure_access_list(state);
}

/// Makes the list of what every role may do, unless it is there: look names and ids up, and read what
/// is no object.
pub fn ensure_access_list(state: &mut State) {
    let kinds = state.kinds;
    let name = ["default-global-system-config", "default-api-access-list"];
    if state.store.find(kinds.api_access_list, &name).is_some() {
        return;
    }
    let system = state.store.find(kinds.global_system_config, &name[..1]);
    let parent = system.map(|id| (kinds.global_system_config, id));
    let rule = |object: &str, field: &str, operations: &str| {
        json!({"rule_object": object, "rule_field": field,
               "rule_perms": [{"role_name": "*", "role_crud": operations}]})
    };
    let rules = [
        rule("fqname-to-id", "", "CRUD"),
        rule("id-to-fqname", "", "CRUD"),
        rule("useragent-kv", "", "CRUD"),
        rule("documentation", "", "R"),
        rule("/", "", "R"),
        rule("watch", "", "R"),
        rule("logical-router", "logical_router_gateway_external", "R"),
    ];
    let props = json!({"api_access_list_entries": {"rbac_rule": rules}});
    make(state, kinds.api_access_list, &name, parent, props);
}

fn make_ipams(state: &mut State, parent: Option<(Kind, Uuid)>) {
    let kind = state.kinds.network_ipam;
    let name = ["default-domain", "default-project", "default-network-ipam"];
    let props = json!({"ipam_subnet_method": "user-defined-subnet"});
    let ipam = make(state, kind, &name, parent, props);
    // Every tenant may use it.
    if let Some(props) = state.store.props_mut(ipam) {
        props["perms2"]["global_access"] = json!(5);
    }
    let name = [
        "default-domain",
        "default-project",
        "service-chain-flat-ipam",
    ];
    let sent = Map::new();
    let mut props = Map::new();
    props.insert("ipam_subnet_method".into(), json!("flat-subnet"));
    let subnets = json!({"subnets": [
        {"subnet": {"ip_prefix": "0.0.0.0", "ip_prefix_len": 8}},
        {"subnet": {"ip_prefix": "::", "ip_prefix_len": 104}},
    ]});
    props.insert("ipam_subnets".into(), subnets);
    props.insert("id_perms".into(), meta::new_id_perms(None));
    props.insert("perms2".into(), meta::default_perms2("cloud-admin"));
    let mut draft = Draft {
        object: Object {
            kind,
            uuid: Uuid::new_v4(),
            fq_name: name.map(str::to_owned).to_vec(),
            parent,
            props,
            refs: Default::default(),
        },
        sent: &sent,
        address_was_free: false,
    };
    if types::before_create(state, &mut draft).is_ok() {
        super::create::store(state, draft.object);
    }
}

fn make_network(state: &mut State, name: &str, parent: Option<(Kind, Uuid)>) {
    let kinds = state.kinds;
    let number = state.network_ids.take();
    let mut props = json!({"virtual_network_network_id": number, "is_shared": false});
    if name == "ip-fabric" {
        props["is_provider_network"] = json!(true);
    }
    let fq_name = ["default-domain", "default-project", name];
    let network = make(state, kinds.virtual_network, &fq_name, parent, props);
    if let Some(object) = state.store.get(network).cloned() {
        types::after_create(state, &object);
    }
    if name == "ip-fabric" || name == "dci-network" {
        let fq_name = ["default-domain", "default-project", name, "__default__"];
        let parent = Some((kinds.virtual_network, network));
        make(state, kinds.routing_instance, &fq_name, parent, json!({}));
    }
}

fn sync_project(state: &mut State, project: &Project, domain: Option<(Kind, Uuid)>) {
    let mut props = Map::new();
    props.insert("display_name".into(), json!(project.name));
    props.insert("id_perms".into(), meta::new_id_perms(None));
    let owner = project.id.simple().to_string();
    props.insert("perms2".into(), meta::default_perms2(&owner));
    let project = Object {
        kind: state.kinds.project,
        uuid: project.id,
        fq_name: vec!["default-domain".into(), project.name.clone()],
        parent: domain,
        props,
        refs: Default::default(),
    };
    let object = super::create::store(state, project);
    types::after_create(state, &object);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::spaces::Wanted;

    #[test]
    fn the_objects_that_every_client_counts_on_are_there() {
        let id = Uuid::new_v4();
        let name = "admin".into();
        let mut state = first_start(&[Project { name, id }]);
        let kinds = state.kinds;
        let find = |kind, name: &[&str]| state.store.find(kind, name);
        let ipam = ["default-domain", "default-project", "default-network-ipam"];
        assert!(find(kinds.network_ipam, &ipam).is_some());
        assert_eq!(find(kinds.project, &["default-domain", "admin"]), Some(id));
        assert_eq!(state.store.count(kinds.virtual_network), 4);
        let flat = [
            "default-domain",
            "default-project",
            "service-chain-flat-ipam",
        ];
        let flat = find(kinds.network_ipam, &flat).unwrap();
        let (address, _) = state.allocate(&[flat], Wanted::default(), "x").unwrap();
        assert_eq!(address.to_string(), "0.255.255.252");
        let wanted = Wanted {
            v6: Some(true),
            ..Wanted::default()
        };
        assert!(state.allocate(&[flat], wanted, "x").is_ok());
    }
}
