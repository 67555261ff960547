//! Parts of messages for people.

use std::collections::HashSet;
use std::error::Error;

/// A text of another program as part of a message: what would act on a terminal or change the order in
/// which the text is shown is made visible, so that it cannot pretend to be something else.
///
/// ```
/// assert_eq!(contrail_core::error::visible("\u{1b}[2Jgone\u{202e}"), r"\u{1b}[2Jgone\u{202e}");
/// ```
pub fn visible(text: &str) -> String {
    let show = |c: char| match c.is_control() || changes_direction(c) {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(show).collect()
}

/// The marks by which a text overrides the direction of writing.
fn changes_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The longest text of another program in a message, in bytes.
const MAX_TEXT: usize = 1000;

/// The beginning of a text of another program, no longer than a message needs.
pub(crate) fn shortened(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = (0..=MAX_TEXT).rev().find(|&at| text.is_char_boundary(at));
    format!("{}…", &text[..end.unwrap_or(0)])
}

/// A value between quotes, with control characters made visible: a message stays one line, and the
/// bounds of the value are visible.
///
/// ```
/// assert_eq!(contrail_core::error::quoted("a\tb"), r#""a\tb""#);
/// ```
pub fn quoted(value: &str) -> String {
    format!("\"{}\"", visible(value))
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

/// One line with the whole chain of causes: `cannot create veth tap0: File exists (os error 17)`. Names and
/// values in it come from anywhere, so it is made [visible].
pub fn report(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        line.push_str(&after_colon(&source.to_string()));
        next = source.source();
    }
    visible(&line)
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
    /// An error whose text, and that of its cause, hold what somebody else has written.
    #[derive(Debug, thiserror::Error)]
    #[error("cannot read {0}")]
    struct Hostile(&'static str, #[source] std::io::Error);

    #[test]
    fn nothing_in_a_report_acts_on_a_terminal() {
        for (text, shown) in [
            ("a\u{1b}[2Jb", r"a\u{1b}[2Jb"),
            ("a\r\nwarn: b", r"a\r\nwarn: b"),
            ("a\u{9b}b\u{7f}", r"a\u{9b}b\u{7f}"),
            ("txt.\u{202e}fdp", r"txt.\u{202e}fdp"),
            ("ä \\ \"x\"", r#"ä \ "x""#),
        ] {
            let error = Hostile(text, std::io::Error::other(text));
            assert_eq!(report(&error), format!("cannot read {shown}: {shown}"));
        }
    }
}
