//! Projects: the security group and the application policy set that each one has.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::make::{is_default, named_props};
use crate::config::state::State;
use crate::config::store::{Object, Ref};

const POLICY_SET: &str = "default-application-policy-set";
const GROUP: &str = "default";

pub fn after_create(state: &mut State, object: &Object) {
    let child = |name: &str| {
        let mut fq_name = object.fq_name.clone();
        fq_name.push(name.to_owned());
        fq_name
    };
    let parent = Some((object.kind, object.uuid));
    let kind = state.kinds.application_policy_set;
    let props = named_props(POLICY_SET, json!({"all_applications": false}));
    let to = state.make(kind, child(POLICY_SET), parent, props);
    let (attr, relaxed) = (Value::Null, false);
    state
        .store
        .set_ref(object.uuid, kind, Ref { to, attr, relaxed });
    let group = child(GROUP);
    let props = json!({
        "security_group_id": state.group_ids.take(),
        "security_group_entries": {"policy_rule": default_rules(&group.join(":"))},
    });
    state.make(
        state.kinds.security_group,
        group,
        parent,
        named_props(GROUP, props),
    );
}

/// Removes what [`after_create`] made, which the project has orphaned by going away.
pub fn after_delete(state: &mut State, object: &Object) {
    for (kind, name) in [
        (state.kinds.security_group, GROUP),
        (state.kinds.application_policy_set, POLICY_SET),
    ] {
        let mut fq_name = object.fq_name.clone();
        fq_name.push(name.to_owned());
        let Some(id) = state.store.find(kind, &fq_name) else {
            continue;
        };
        let child = state.store.get(id);
        if child.is_some_and(|child| is_default(state, object.kind, child)) {
            state.discard(id);
        }
    }
}

/// In from the group itself, out to everywhere, for IPv4 and IPv6.
fn default_rules(group: &str) -> Vec<Value> {
    let local = json!({"security_group": "local"});
    let itself = json!({"security_group": group});
    let everywhere = |prefix: &str| json!({"subnet": {"ip_prefix": prefix, "ip_prefix_len": 0}});
    let rule = |from: &Value, to: &Value, family: &str| {
        let ports = json!([{"start_port": 0, "end_port": 65535}]);
        json!({
            "direction": ">", "protocol": "any", "ethertype": family,
            "src_addresses": [from], "src_ports": ports,
            "dst_addresses": [to], "dst_ports": ports,
            "rule_uuid": Uuid::new_v4(),
        })
    };
    vec![
        rule(&itself, &local, "IPv4"),
        rule(&itself, &local, "IPv6"),
        rule(&local, &everywhere("0.0.0.0"), "IPv4"),
        rule(&local, &everywhere("::"), "IPv6"),
    ]
}
