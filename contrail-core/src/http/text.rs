//! Error bodies as short plain text. The API answers most errors as bare text, some as an HTML page
//! (quota, size) and Keystone as JSON.

use serde::Deserialize;

use crate::values::text::{shortened, visible};

/// The longest part of a body that is looked at, in bytes: a message is at its beginning.
const MAX_BODY: usize = 64 << 10;

/// A body as one line of plain text without control characters.
pub fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_BODY)]);
    let message = json_message(&text).unwrap_or_else(|| match is_html(&text) {
        true => html_message(&text),
        false => text.trim().to_owned(),
    });
    let line: Vec<&str> = message.split_whitespace().collect();
    shortened(&visible(&line.join(" ")))
}

/// Keystone's `{"error": {"message": …}}` and the agent's `{"error": …}`.
fn json_message(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        error: Message,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Message {
        Text(String),
        Object { message: String },
    }
    match serde_json::from_str::<Body>(text).ok()?.error {
        Message::Text(message) | Message::Object { message } => Some(message),
    }
}

fn is_html(text: &str) -> bool {
    let start = text.trim_start().get(..9).unwrap_or_default();
    start.eq_ignore_ascii_case("<!doctype") || start.to_ascii_lowercase().starts_with("<html")
}

/// The message of an HTML error page: the content of `<pre>` if there is one, as on the API's own pages,
/// otherwise all text of its body.
fn html_message(page: &str) -> String {
    let inner = |open: &str, close: &str| {
        let (_, rest) = page.split_once(open)?;
        Some(rest.split_once(close).map_or(rest, |(inner, _)| inner))
    };
    let part = inner("<pre>", "</pre>")
        .or_else(|| inner("<body>", "</body>"))
        .unwrap_or(page);
    let mut text = String::new();
    let mut in_tag = false;
    for character in part.chars() {
        match character {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            _ if in_tag => {}
            _ => text.push(character),
        }
    }
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#039;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apis_own_error_page_is_reduced_to_its_message() {
        let page = b"\n <!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head><title>Error: 412</title>\
            </head><body><p>caused an error:</p><pre>quota limit (1) exceeded for resource &#039;virtual_network&#039;</pre></body></html>";
        assert_eq!(
            plain(page),
            "quota limit (1) exceeded for resource 'virtual_network'"
        );
    }

    #[test]
    fn a_proxys_page_loses_its_tags() {
        let page =
            b"<html><body><h1>503 Service Unavailable</h1>\nNo server &amp; no luck.</body></html>";
        assert_eq!(plain(page), "503 Service Unavailable No server & no luck.");
    }

    #[test]
    fn json_errors_give_their_message() {
        for (body, text) in [
            (
                r#"{"error":{"code":401,"title":"Unauthorized","message":"Authentication is required."}}"#,
                "Authentication is required.",
            ),
            (r#"{"error":"{ Invalid VN uuid }"}"#, "{ Invalid VN uuid }"),
            (r#"{"uuid":"x"}"#, r#"{"uuid":"x"}"#),
        ] {
            assert_eq!(plain(body.as_bytes()), text);
        }
    }

    #[test]
    fn bare_text_stays_on_one_line_and_is_cut() {
        assert_eq!(
            plain(b"['a',\n 'b'] already exists"),
            "['a', 'b'] already exists"
        );
        assert_eq!(plain(b"</pre>"), "</pre>");
        let long = plain("ä".repeat(5000).as_bytes());
        assert!(long.len() <= 1003 && long.ends_with('…'));
        assert_eq!(plain(&[0xff, b'x']), "\u{fffd}x");
    }

    #[test]
    fn nothing_in_a_text_acts_on_a_terminal() {
        for (body, text) in [
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("a\u{7}\u{8}b", r"a\u{7}\u{8}b"),
            ("\u{9b}2J", r"\u{9b}2J"),
            ("a\r\nb\0", r"a b\u{0}"),
            ("abc\u{202e}fed", r"abc\u{202e}fed"),
            (
                r#"{"error":{"message":"\u001b]0;t\u0007"}}"#,
                r"\u{1b}]0;t\u{7}",
            ),
            ("<html><pre>\u{1b}c</pre></html>", r"\u{1b}c"),
        ] {
            assert_eq!(plain(body.as_bytes()), text);
        }
    }
}
