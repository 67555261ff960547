//! The table of settings.

use contrail_core::settings::{FOREIGN, Foreign, Key, SETTINGS, Treatment};
use opencontrail_tests::pages::page;
use serde_json::Value;

use super::tables;

/// The rows that the page must have, one for each setting.
fn rows() -> Vec<String> {
    let code = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(" ")
    };
    let row = |setting: &contrail_core::settings::Setting| {
        let names: Vec<&str> = std::iter::once(&setting.name)
            .chain(setting.aliases)
            .copied()
            .collect();
        let default = setting
            .default
            .map_or(String::new(), |default| code(&[default]));
        let (names, environment) = (code(&names), code(setting.env));
        format!("| {names} | {environment} | {default} | {} |", setting.help)
    };
    SETTINGS.iter().map(row).collect()
}

#[test]
fn the_table_of_settings_is_that_of_the_code() {
    let page = page("docs/settings.md");
    let rows = rows();
    assert_eq!(
        tables::rows(&page, "key | environment"),
        rows,
        "write this into docs/settings.md:\n{}",
        rows.join("\n")
    );
}

#[test]
fn the_table_of_other_variables_is_that_of_the_code() {
    let page = page("docs/settings.md");
    let row = |foreign: &Foreign| {
        let meaning = match foreign.treatment {
            Treatment::Refused(reason) => format!("refused: {reason}"),
            Treatment::NoEffect(reason) => format!("no effect: {reason}"),
            Treatment::PartOf(key) => format!("part of `{}`", key.name()),
        };
        format!("| `{}` | {meaning} |", foreign.name)
    };
    let rows: Vec<String> = FOREIGN.iter().map(row).collect();
    assert_eq!(
        tables::rows(&page, "variable"),
        rows,
        "write this into docs/settings.md:\n{}",
        rows.join("\n")
    );
}

#[test]
fn the_managed_plugin_has_every_setting_and_none_of_its_own_defaults() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/deploy/plugin/config.json"
    );
    let config: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let variables = config["env"].as_array().unwrap();
    let named = |name: &str| variables.iter().any(|variable| variable["name"] == name);
    let mut expected_of_all = 0;
    for setting in SETTINGS {
        let count = setting.env.iter().filter(|name| named(name)).count();
        // The engine has chosen the socket; what no variable sets, a file in /etc/contrail does.
        let is_settable = setting.key != Key::SocketPath && !setting.env.is_empty();
        let expected = usize::from(is_settable);
        expected_of_all += expected + usize::from(setting.secret);
        assert_eq!(
            count, expected,
            "{} by one of {:?}",
            setting.name, setting.env
        );
        let in_files = setting
            .env
            .iter()
            .filter(|name| named(&format!("{name}_FILE")));
        assert_eq!(
            in_files.count(),
            usize::from(setting.secret),
            "{}",
            setting.name
        );
    }
    assert_eq!(variables.len(), expected_of_all);
    for variable in variables {
        // One that is set would win over the files in /etc/contrail.
        assert_eq!(variable["value"], "", "{}", variable["name"]);
        assert_eq!(variable["settable"][0], "value", "{}", variable["name"]);
    }
    let mounts = config["mounts"].as_array().unwrap();
    let places: Vec<&Value> = mounts.iter().map(|mount| &mount["destination"]).collect();
    assert_eq!(places, ["/var/lib/contrail", "/etc/contrail"]);
}
