//! Parts of messages for people.

use std::collections::HashSet;
use std::error::Error;

/// A value between quotes, with control characters made visible: a message stays one line, and the
/// bounds of the value are visible.
///
/// ```
/// assert_eq!(contrail_core::error::quoted("a\tb"), r#""a\tb""#);
/// ```
pub fn quoted(value: &str) -> String {
    let visible = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    format!("\"{}\"", value.chars().map(visible).collect::<String>())
}

/// A text without the byte order mark that some editors put before it.
///
/// ```
/// assert_eq!(contrail_core::values::text::without_bom("\u{feff}{}"), "{}");
/// ```
pub fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The text of another program, after a colon; empty if the text is.
///
/// ```
/// use contrail_core::error::after_colon;
///
/// assert_eq!(format!("status 500{}", after_colon("no memory")), "status 500: no memory");
/// assert_eq!(format!("status 500{}", after_colon("")), "status 500");
/// ```
pub fn after_colon(text: &str) -> String {
    match text.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

/// How many there are of something, with a plural in `s`.
///
/// ```
/// use contrail_core::error::counted;
///
/// assert_eq!([0, 1, 2].map(|n| counted(n, "orphan")), ["0 orphans", "1 orphan", "2 orphans"]);
/// ```
pub fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Seconds as people write them: 29.999998 is 30, 0.2 stays 0.2.
///
/// ```
/// assert_eq!(contrail_core::error::rounded(29.999_998), "30");
/// ```
pub fn rounded(seconds: f32) -> String {
    let digits = match seconds {
        s if s < 1.0 => 1000.0,
        s if s < 10.0 => 100.0,
        _ => 10.0,
    };
    ((seconds * digits).round() / digits).to_string()
}

/// One line with the whole chain of causes: `cannot create veth tap0: File exists (os error 17)`.
pub fn report(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        line.push_str(&after_colon(&source.to_string()));
        next = source.source();
    }
    line
}

/// The [reports](report) of several errors, each text once: one reason may make several steps fail.
pub fn reports<E: Error>(errors: &[E]) -> String {
    let mut lines: Vec<String> = errors.iter().map(|error| report(error)).collect();
    let mut told = HashSet::new();
    lines.retain(|line| told.insert(line.clone()));
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_no_more_digits_than_matter() {
        for (seconds, text) in [
            (29.999_998, "30"),
            (20.0, "20"),
            (12.34, "12.3"),
            (1.499_999_9, "1.5"),
            (0.2, "0.2"),
            (0.019_999_9, "0.02"),
            (0.0, "0"),
        ] {
            assert_eq!(rounded(seconds), text);
        }
    }

    #[test]
    fn only_what_cannot_be_seen_is_escaped() {
        assert_eq!(quoted(r#"{"a":1}"#), r#""{"a":1}""#);
        assert_eq!(quoted("ä\n\u{1b}"), r#""ä\n\u{1b}""#);
    }
}
