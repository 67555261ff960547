//! Service templates: every project of the domain may use them.

use serde_json::{Value, json};

use crate::config::draft::Draft;

pub fn before_create(draft: &mut Draft<'_>) {
    let Some((_, domain)) = draft.object.parent else {
        return;
    };
    let share = draft
        .object
        .props
        .get_mut("perms2")
        .and_then(|perms| perms.get_mut("share"));
    if let Some(Value::Array(share)) = share {
        share.push(json!({"tenant": format!("domain:{domain}"), "tenant_access": 5}));
    }
}
