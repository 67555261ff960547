//! The flat YAML file `opencontrail.conf`: lines of `key: value`. Only that much of YAML is read;
//! everything else is refused rather than misunderstood.

use std::path::Path;

use super::layer::{Entry, Origin};
use crate::error::{Error, Result};

/// The entries of such a file, in their order.
///
/// # Errors
///
/// [`Error::Invalid`] with the number of the first line that is not understood, or that names a key
/// again.
pub fn parse(text: &str, path: &Path) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let refused = |reason: &str| {
            // Values are not repeated: the line may hold a password.
            let shown = line.split(':').next().unwrap_or_default().trim();
            let place = format!("line {} of {}", index + 1, path.display());
            Error::invalid(place, shown, reason)
        };
        let content = line.trim_end();
        if content.is_empty() || content.trim_start().starts_with('#') {
            continue;
        }
        if matches!(content, "---" | "...") {
            continue;
        }
        if content.starts_with([' ', '\t', '-', '[', '{']) {
            return Err(refused("only lines of \"key: value\" are understood"));
        }
        let Some((key, rest)) = content.split_once(':') else {
            return Err(refused("\"key: value\" is expected"));
        };
        if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
            return Err(refused("a blank is expected after the colon"));
        }
        let key = scalar(key.trim()).map_err(refused)?;
        let value = scalar(rest.trim()).map_err(refused)?;
        if entries.iter().any(|entry| entry.key == key) {
            return Err(refused("the key stands here for the second time"));
        }
        entries.push(Entry {
            key,
            value,
            origin: Origin::File {
                path: path.to_path_buf(),
                line: index + 1,
            },
        });
    }
    Ok(entries)
}

/// The text of a plain or quoted scalar; "" for none, `~` and `null`.
fn scalar(text: &str) -> std::result::Result<String, &'static str> {
    if let Some(rest) = text.strip_prefix('\'') {
        return single_quoted(rest);
    }
    if let Some(rest) = text.strip_prefix('"') {
        return double_quoted(rest);
    }
    let plain = match text.split_once(" #") {
        Some((value, _comment)) => value.trim_end(),
        None if text.starts_with('#') => "",
        None => text,
    };
    if plain.starts_with([
        '[', '{', '&', '*', '!', '|', '>', '%', '@', '`', ',', ']', '}',
    ]) {
        return Err("only plain and quoted values are understood");
    }
    if plain.contains(": ") || plain.ends_with(':') {
        return Err("a value with a colon must be quoted");
    }
    Ok(match plain {
        "~" | "null" => String::new(),
        plain => plain.to_string(),
    })
}

fn single_quoted(rest: &str) -> std::result::Result<String, &'static str> {
    let mut value = String::new();
    let mut characters = rest.chars();
    while let Some(c) = characters.next() {
        if c != '\'' {
            value.push(c);
            continue;
        }
        let rest = characters.as_str();
        match rest.strip_prefix('\'') {
            Some(rest) => {
                value.push('\'');
                characters = rest.chars();
            }
            None => return after_quote(rest).map(|()| value),
        }
    }
    Err("the quote is not closed")
}

fn double_quoted(rest: &str) -> std::result::Result<String, &'static str> {
    let mut value = String::new();
    let mut characters = rest.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => return after_quote(characters.as_str()).map(|()| value),
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\' | '/')) => value.push(escaped),
                _ => return Err("only \\\" and \\\\ are understood in double quotes"),
            },
            c => value.push(c),
        }
    }
    Err("the quote is not closed")
}

fn after_quote(rest: &str) -> std::result::Result<(), &'static str> {
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        Ok(())
    } else {
        Err("nothing but a comment may follow a quoted value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file of the older daemon.
    const OLD: &str = "---
api_server: vip
api_port: '8082'
admin_user: admin
admin_password: ladakh1
admin_tenant: admin
socketpath: /run/plugins
scope: global
DEBUG: true
";

    fn values(text: &str) -> Vec<(String, String)> {
        let entries = parse(text, Path::new("/o.conf")).unwrap();
        entries.into_iter().map(|e| (e.key, e.value)).collect()
    }

    #[test]
    fn the_file_of_the_older_daemon_is_understood() {
        let values = values(OLD);
        assert_eq!(values.len(), 8);
        assert_eq!(values[1], ("api_port".into(), "8082".into()));
        assert_eq!(values[5], ("socketpath".into(), "/run/plugins".into()));
    }

    #[test]
    fn quotes_comments_and_null_are_understood() {
        let read =
            values("# c\na: 'it''s' # c\nb: \"x # \\\"y\\\"\"\nc: v#w # c\nd: ~\ne:\nf: h:1\n");
        let read: Vec<&str> = read.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(read, ["it's", "x # \"y\"", "v#w", "", "", "h:1"]);
    }

    #[test]
    fn everything_else_is_refused_with_its_line_and_without_its_value() {
        for line in [
            "- a",
            "  nested: x",
            "a",
            "a:b",
            "a: [x]",
            "a: |",
            "a: &x y",
            "a: 'x",
            "a: 'x' y",
            "a: \"\\n\"",
            "x: again",
            "a: b: c",
        ] {
            let error = parse(&format!("x: secret\n{line}\n"), Path::new("/o.conf"));
            let text = error.err().map(|e| e.to_string()).unwrap_or_default();
            assert!(text.contains("line 2 of /o.conf"), "{line:?}: {text}");
        }
    }
}
