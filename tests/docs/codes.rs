//! The table of error codes.

use opencontrail_tests::pages::page;

use super::tables::first_column;

const SOURCE: &str = include_str!("../../cni-opencontrail/src/protocol/error.rs");

/// The codes of the constants `pub const NAME: u32 = 7;`.
fn constants() -> Vec<u32> {
    let code = |line: &str| {
        let rest = line.trim().strip_prefix("pub const ")?;
        let number = rest.split_once(": u32 = ")?.1;
        number.strip_suffix(';')?.parse().ok()
    };
    SOURCE.lines().filter_map(code).collect()
}

#[test]
fn every_error_code_has_its_row_in_the_order_of_the_code() {
    let page = page("docs/error-codes.md");
    let cells = first_column(&page, "code").into_iter();
    let rows: Vec<u32> = cells.map(|cell| cell.parse().unwrap()).collect();
    assert!(
        constants().len() > 10,
        "the constants are written otherwise now"
    );
    assert_eq!(rows, constants());
}
