//! The table of settings.

use contrail_core::settings::{FOREIGN, Foreign, SETTINGS, Treatment};
use opencontrail_tests::pages::page;

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
