//! The JSON of the documentation.

use cni_opencontrail::NETWORK_KEYS;
use contrail_core::settings;
use opencontrail_tests::pages::{page, pages};
use serde_json::Value;

/// The blocks of JSON of a page.
fn blocks(text: &str) -> Vec<Value> {
    let after = text.split("```json\n").skip(1);
    after
        .map(|rest| {
            let json = rest.split("```").next().unwrap_or_default();
            serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {json}"))
        })
        .collect()
}

#[test]
fn all_json_can_be_read() {
    let count: usize = pages().iter().map(|page| blocks(&page.text).len()).sum();
    assert!(
        count >= 2,
        "only {count} blocks: they are written otherwise"
    );
}

#[test]
fn the_keys_of_the_example_network_are_known() {
    let page = page("docs/cni.md");
    let blocks = blocks(&page);
    let network = blocks[0]["plugins"][0].as_object().unwrap();
    let keys = network.keys().map(String::as_str);
    let is_key = |key: &str| NETWORK_KEYS.iter().any(|known| known.name == key);
    let is_unknown = |key: &&str| !is_key(key) && settings::find(key).is_none();
    assert_eq!(keys.filter(is_unknown).count(), 0, "{network:?}");
    assert!(network.len() > 5);
}
