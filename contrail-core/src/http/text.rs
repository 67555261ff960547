//! Error bodies as short plain text. The API answers most errors as bare text, some as an HTML page
//! (quota, size) and Keystone as JSON.

/// The longest text that is kept, in bytes.
const MAX_TEXT: usize = 1000;

/// A body as one line of plain text.
pub fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let message = json_message(&text).unwrap_or_else(|| match is_html(&text) {
        true => html_message(&text),
        false => text.trim().to_owned(),
    });
    shorten(&message.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Keystone's `{"error": {"message": …}}` and the agent's `{"error": …}`.
fn json_message(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let error = value.get("error")?;
    let message = error.get("message").unwrap_or(error);
    message.as_str().map(str::to_owned)
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

fn shorten(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = (0..=MAX_TEXT).rev().find(|&at| text.is_char_boundary(at));
    format!("{}…", &text[..end.unwrap_or(0)])
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
        assert!(long.len() <= MAX_TEXT + 3 && long.ends_with('…'));
        assert_eq!(plain(&[0xff, b'x']), "\u{fffd}x");
    }
}
