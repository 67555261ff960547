//! Rules of network policies and security groups.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::config::check::is_falsy;
use crate::config::draft::Draft;
use crate::config::error::{ApiError, Result};
use crate::config::python_repr::str_of;
use crate::config::state::State;
use crate::config::store::Object;

pub fn before_policy(draft: &mut Draft<'_>) -> Result<()> {
    check_rules(draft.object.props.get_mut("network_policy_entries"), true)
}

pub fn before_create_group(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    check_rules(draft.object.props.get_mut("security_group_entries"), false)?;
    if draft
        .object
        .props
        .get("security_group_id")
        .is_some_and(|id| !id.is_null())
    {
        return Err(ApiError::new(403, "Cannot set the security group ID"));
    }
    if draft.object.parent.is_none() {
        return Err(ApiError::traceback("KeyError: 'parent_uuid'"));
    }
    let configured = draft
        .object
        .props
        .get("configured_security_group_id")
        .and_then(Value::as_u64);
    let number = match configured {
        Some(number @ 1..) => number,
        _ => state.group_ids.take(),
    };
    draft
        .object
        .props
        .insert("security_group_id".into(), json!(number));
    Ok(())
}

pub fn before_update_group(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    let stored = state.store.get(draft.object.uuid);
    let number = draft
        .object
        .props
        .get("security_group_id")
        .filter(|id| !id.is_null());
    let unchanged = stored.and_then(|group| group.props.get("security_group_id")) == number;
    if number.is_some() && !unchanged {
        return Err(ApiError::new(403, "Cannot update the security group ID"));
    }
    check_rules(draft.object.props.get_mut("security_group_entries"), false)
}

pub fn after_delete_group(state: &mut State, object: &Object) {
    if let Some(number) = object.number("security_group_id") {
        state.group_ids.free(number);
    }
}

/// Protocols that a rule may name; numbers up to 255 are allowed, too.
const PROTOCOLS: [&str; 24] = [
    "any", "icmp", "igmp", "ggp", "ipip", "st", "tcp", "cbt", "egp", "igp", "udp", "rdp", "dccp",
    "ipv6", "rsvp", "gre", "esp", "ah", "icmp6", "ospf", "pim", "vrrp", "l2tp", "sctp",
];

fn check_rules(entries: Option<&mut Value>, of_policy: bool) -> Result<()> {
    let rules = entries.and_then(|entries| entries.get_mut("policy_rule"));
    let Some(Value::Array(rules)) = rules else {
        return Ok(());
    };
    let without_ids: Vec<Map<String, Value>> = rules.iter().map(without_ids).collect();
    for (index, rule) in without_ids.iter().enumerate() {
        if without_ids[index + 1..].contains(rule) {
            let id = rules[index].get("rule_uuid").map_or("None".into(), str_of);
            return Err(ApiError::new(409, format!("Rule already exists : {id}")));
        }
    }
    for rule in rules {
        check_protocol(rule)?;
        if of_policy {
            check_policy_rule(rule)?;
        } else {
            check_group_rule(rule)?;
        }
        if rule.get("rule_uuid").is_none_or(is_falsy) {
            rule["rule_uuid"] = json!(Uuid::new_v4());
        }
    }
    Ok(())
}

fn without_ids(rule: &Value) -> Map<String, Value> {
    let mut rule = rule.as_object().cloned().unwrap_or_default();
    for field in ["rule_uuid", "created", "last_modified"] {
        rule.shift_remove(field);
    }
    rule
}

fn check_protocol(rule: &Value) -> Result<()> {
    let protocol = rule.get("protocol").filter(|protocol| !protocol.is_null());
    let protocol = protocol.ok_or_else(|| ApiError::traceback("KeyError: 'protocol'"))?;
    let protocol = str_of(protocol);
    let is_number = !protocol.is_empty() && protocol.chars().all(|c| c.is_ascii_digit());
    let lower = protocol.to_ascii_lowercase();
    let valid = if is_number {
        protocol.parse::<u8>().is_ok()
    } else {
        PROTOCOLS.contains(&lower.as_str())
    };
    if valid {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "Rule with invalid protocol : {lower}"
    )))
}

/// The security groups that one side of a rule names.
fn groups<'a>(rule: &'a Value, side: &str) -> impl Iterator<Item = &'a Value> {
    let addresses = rule.get(side).and_then(Value::as_array);
    let groups = addresses
        .into_iter()
        .flatten()
        .filter_map(|a| a.get("security_group"));
    groups.filter(|group| !group.is_null())
}

fn check_policy_rule(rule: &Value) -> Result<()> {
    if rule.get("action_list").is_none_or(Value::is_null) {
        return Err(ApiError::bad_request("Action is required"));
    }
    if groups(rule, "src_addresses")
        .chain(groups(rule, "dst_addresses"))
        .next()
        .is_some()
    {
        let text = "Config Error: policy rule refering to security group is not allowed";
        return Err(ApiError::bad_request(text));
    }
    Ok(())
}

fn check_group_rule(rule: &Value) -> Result<()> {
    let sides = ["src_addresses", "dst_addresses"];
    let family = rule.get("ethertype").and_then(Value::as_str);
    for side in sides {
        let addresses = rule
            .get(side)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for subnet in addresses
            .filter_map(|a| a.get("subnet"))
            .filter(|s| !s.is_null())
        {
            let prefix = str_of(&subnet["ip_prefix"]);
            let actual = if prefix.contains(':') { "IPv6" } else { "IPv4" };
            if let Some(family) = family.filter(|family| *family != actual) {
                let length = str_of(&subnet["ip_prefix_len"]);
                return Err(ApiError::bad_request(format!(
                    "Rule subnet {prefix}/{length} doesn't match ethertype {family}"
                )));
            }
        }
    }
    if sides
        .iter()
        .any(|side| groups(rule, side).any(|group| group == "local"))
    {
        return Ok(());
    }
    let text = "At least one of source or destination addresses must be 'local'";
    Err(ApiError::bad_request(text))
}
