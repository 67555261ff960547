//! Passwords and tokens that must never reach a log, an error or a result.

use std::fmt;

/// A password or token. `Debug` and `Display` hide it; [`Secret::expose`] is the only way to its
/// text, so a search for that name finds every use.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text that must not be shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the request that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` with `***` in place of every occurrence of this secret, also as escaped in HTML and JSON:
    /// an answer may repeat what was sent. A value that is too short to be a secret is not replaced:
    /// that would only make texts unreadable.
    ///
    /// ```
    /// let token = contrail_core::Secret::new("sesame");
    /// assert_eq!(token.hide_in("X-Auth-Token: sesame"), "X-Auth-Token: ***");
    /// ```
    pub fn hide_in(&self, text: &str) -> String {
        if self.0.len() < SHORTEST {
            return text.to_owned();
        }
        let forms = [
            self.0.clone(),
            html(&self.0),
            json(&self.0),
            ascii(&json(&self.0)),
        ];
        let hide = |text: String, form: &String| text.replace(form, "***");
        forms.iter().fold(text.to_owned(), hide)
    }

    /// Whether the text is empty, which field configurations use for "none".
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The shortest text, in bytes, that is hidden in others.
const SHORTEST: usize = 4;

fn html(text: &str) -> String {
    let escapes = [
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("\"", "&quot;"),
    ];
    let escape = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
    escapes.iter().fold(text.to_owned(), escape)
}

/// As it appears between the quotes of a JSON text.
fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// JSON as Python writes it, without any character beyond ASCII.
fn ascii(json: &str) -> String {
    let units = |c: char| {
        let mut buffer = [0; 2];
        let units = c.encode_utf16(&mut buffer).iter();
        units.map(|unit| format!("\\u{unit:04x}")).collect()
    };
    json.chars()
        .map(|c| {
            if c.is_ascii() {
                c.to_string()
            } else {
                units(c)
            }
        })
        .collect()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_nor_display_shows_the_text() {
        let secret = Secret::new("contrail123");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "*** *** Some(***)"
        );
        assert_eq!(secret.expose(), "contrail123");
    }

    #[test]
    fn a_secret_is_hidden_in_every_form_in_which_others_repeat_it() {
        let secret = Secret::new("pä\"<&x");
        for text in [
            "pä\"<&x",
            "pä&quot;&lt;&amp;x",
            "pä\\\"<&x",
            "p\\u00e4\\\"<&x",
        ] {
            let answer = format!("got {text} and {text}");
            assert_eq!(secret.hide_in(&answer), "got *** and ***", "{text}");
        }
        assert_eq!(Secret::new("").hide_in("text"), "text");
        assert_eq!(Secret::new("e").hide_in("text"), "text");
    }
}
