//! Forms of values that several options have.

use contrail_core::FqName;
use contrail_core::values::Mtu;

use super::table::Given;
use crate::error::Result;

/// Reads an option with one possible value.
pub(crate) fn flag(given: &Given, value: &str) -> Result<bool> {
    match given.text() == value {
        true => Ok(true),
        false => Err(given.refused(format!("{value} is expected, or nothing"))),
    }
}

/// Reads a truth as Docker does.
pub(crate) fn truth(given: &Given) -> Result<bool> {
    match given.text() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(given.refused("true or false is expected")),
    }
}

/// Reads an MTU, in bytes.
pub(crate) fn mtu(given: &Given) -> Result<u32> {
    let mtu = given.text().parse::<Mtu>();
    mtu.map(Mtu::bytes)
        .map_err(|invalid| given.refused(invalid.reason))
}

/// The items of a list that is separated by commas.
pub(crate) fn items(given: &Given) -> impl Iterator<Item = &str> {
    given.text().split(',').map(str::trim)
}

/// Reads a whole name with a number of parts.
pub(super) fn fq_name(given: &Given, text: &str, parts: usize, expected: &str) -> Result<FqName> {
    let name = text.parse::<FqName>().ok();
    let name = name.filter(|name| name.parts().len() == parts);
    name.ok_or_else(|| given.item_refused(text, format!("{expected} is expected")))
}

/// Reads the name of an object in a project: `name` in `project`, or `domain:project:name`.
pub(crate) fn name_in_project(given: &Given, text: &str, project: &FqName) -> Result<FqName> {
    FqName::in_project(text, project).map_err(|_| match text.is_empty() {
        true => given.item_refused(text, "a name is expected"),
        false => given.item_refused(text, "a name or domain:project:name is expected"),
    })
}
