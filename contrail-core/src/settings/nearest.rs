//! Suggestions for names that do not exist.

/// The most changes that a typing error explains.
const FARTHEST: usize = 3;

/// The most bytes of a character.
const MAX_CHAR: usize = 4;

/// The one of `candidates` that `name` probably means. Needs the feature `suggestions`; `None` without it.
///
/// ```
/// use contrail_core::settings::nearest;
///
/// # #[cfg(feature = "suggestions")]
/// assert_eq!(nearest("subnt", ["subnet", "gateway"]), Some("subnet"));
/// assert_eq!(nearest("x", ["subnet", "gateway"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: String = plain(name).collect();
    candidates
        .into_iter()
        .map(|known| (plain(known).collect::<String>(), known))
        // The distance is at least that of the lengths.
        .filter(|(known, _)| known.len().abs_diff(name.len()) <= FARTHEST * MAX_CHAR)
        .map(|(plain, known)| (distance(&name, &plain), known))
        .min()
        .filter(|(distance, known)| *distance <= (known.len() / 3).clamp(1, FARTHEST))
        .map(|(_, known)| known)
}

#[cfg(feature = "suggestions")]
fn distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(a, b)
}

#[cfg(not(feature = "suggestions"))]
fn distance(_: &str, _: &str) -> usize {
    usize::MAX
}

/// A name reduced to what distinguishes it.
pub(super) fn plain(name: &str) -> impl Iterator<Item = char> {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
}

#[cfg(all(test, feature = "suggestions"))]
mod tests {
    use super::*;
    use crate::settings::names;

    #[test]
    fn the_nearest_name_is_one_that_a_typing_error_explains() {
        assert_eq!(nearest("api_sever", names()), Some("api_server"));
        assert_eq!(nearest("admin_pasword", names()), Some("admin_password"));
        assert_eq!(nearest("mut", ["mtu", "ipam"]), Some("mtu"));
        assert_eq!(nearest("hairpinMode", names()), None);
    }
}
