//! Reading tables of the documentation.

/// The rows below the header that starts with `header`, without the line of dashes.
///
/// # Panics
/// If there is no such table, or more than one.
pub fn rows<'a>(page: &'a str, header: &str) -> Vec<&'a str> {
    let header = format!("| {header} |");
    let found = page.lines().filter(|line| line.starts_with(&header));
    assert_eq!(found.count(), 1, "tables with the header {header}");
    page.lines()
        .skip_while(|line| !line.starts_with(&header))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect()
}

/// The first cell of each row.
pub fn first_column<'a>(page: &'a str, header: &str) -> Vec<&'a str> {
    let cell = |row: &'a str| row.split('|').nth(1).unwrap_or_default().trim();
    rows(page, header).into_iter().map(cell).collect()
}

/// The names in the first column, sorted: `name` of a cell with the code `` `name=value` ``.
pub fn names<'a>(page: &'a str, header: &str) -> Vec<&'a str> {
    let cells = first_column(page, header).into_iter();
    let code = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let mut names: Vec<&str> = code
        .map(|code| code.split('=').next().unwrap_or_default())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn a_cell_may_name_several_with_values() {
    let page =
        "text\n\n| option | meaning |\n|---|---|\n| `b=1`, `a` | x |\n| `c` | `d` |\n\n| e |";
    assert_eq!(names(page, "option"), ["a", "b", "c"]);
    assert_eq!(first_column(page, "option"), ["`b=1`, `a`", "`c`"]);
}
