//! The README's table of error codes.

use super::README;

const SOURCE: &str = include_str!("../../cni-opencontrail/src/error.rs");

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
    let rows: Vec<u32> = README
        .lines()
        .skip_while(|line| !line.starts_with("| code | meaning |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| line.split('|').nth(1).unwrap_or_default().split(','))
        .map(|code| code.trim().parse().unwrap())
        .collect();
    assert!(
        constants().len() > 10,
        "the constants are written otherwise now"
    );
    assert_eq!(rows, constants());
}
