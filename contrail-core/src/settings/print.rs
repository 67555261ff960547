//! The table of settings with their values and where these come from, for people.

use super::origin::Origin;
use super::table::Setting;

/// A setting with the value that counts.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The setting.
    pub setting: &'static Setting,
    /// Its value as text, `***` for a secret.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: Origin,
}

/// The table, one setting a line.
pub fn table(rows: &[Resolved]) -> String {
    let cells: Vec<[String; 3]> = rows
        .iter()
        .map(|row| {
            [
                row.setting.name.to_string(),
                row.value.clone().unwrap_or_else(|| "-".into()),
                row.origin.to_string(),
            ]
        })
        .collect();
    let width = |column: usize| {
        let widths = cells.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    cells
        .iter()
        .map(|[name, value, origin]| format!("{name:first$}  {value:second$}  {origin}\n"))
        .collect()
}
