//! The flat YAML file `opencontrail.conf`: one mapping from keys to scalars, a line each, read as
//! YAML 1.2 reads it. Everything else of YAML is refused by its name rather than misunderstood.
//!
//! This is no general parser: those for YAML 1.2 that keep line numbers refuse `key:<tab>value`.

use std::path::Path;

use super::configparser::lines;
use super::layer::Entry;
use super::origin::Origin;
use super::yaml_scalar::{self as scalar, Part, Reason, is_blank, is_end_or_blank};
use crate::error::{Error, Result};
use crate::values::text::without_bom;

/// The entries of such a file, in their order.
///
/// # Errors
///
/// [`Error::Invalid`] with the number of the first line that is not understood, or that repeats a
/// key.
pub fn parse(text: &str, path: &Path) -> Result<Vec<Entry>> {
    let mut reader = Reader::default();
    for (index, line) in lines(without_bom(text)).enumerate() {
        let pair = reader.line(line).map_err(|reason| {
            let place = format!("line {} of {}", index + 1, path.display());
            // Values are not repeated: the line may hold a password.
            match line.split_once(':') {
                Some((key, _)) => Error::invalid(place, key.trim(), reason),
                None => Error::hidden(place, reason),
            }
        })?;
        let origin = Origin::File {
            path: path.to_path_buf(),
            line: index + 1,
        };
        reader
            .entries
            .extend(pair.map(|(key, value)| Entry { key, value, origin }));
    }
    Ok(reader.entries)
}

/// What the lines so far have been.
#[derive(Default)]
struct Reader {
    entries: Vec<Entry>,
    /// How far the keys are indented, once there is one.
    indent: Option<usize>,
    place: Place,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    #[default]
    Start,
    Document,
    End,
}

impl Reader {
    /// The key and the value of a line; `None` for a line without an entry.
    fn line(&mut self, line: &str) -> std::result::Result<Option<(String, String)>, Reason> {
        if !line.chars().all(is_printable) {
            return Err(
                "control characters are not allowed; write them as escapes in double quotes",
            );
        }
        let content = line.trim_matches(is_blank);
        if content.is_empty() || content.starts_with('#') {
            return Ok(None);
        }
        if is_marker(line, "...") {
            self.place = Place::End;
            return only_comment(&line[3..]);
        }
        if self.place == Place::End || is_marker(line, "---") && self.has_begun() {
            return Err("only one document is supported");
        }
        if is_marker(line, "---") {
            self.place = Place::Document;
            return only_comment(&line[3..]);
        }
        if line.starts_with('%') {
            return Err("directives are not supported");
        }
        self.check_indent(line)?;
        self.place = Place::Document;
        let (key, value) = pair(content)?;
        if self.entries.iter().any(|entry| entry.key == key) {
            return Err("the key is in the file twice");
        }
        Ok(Some((key, value)))
    }

    fn has_begun(&self) -> bool {
        self.place != Place::Start
    }

    fn check_indent(&mut self, line: &str) -> std::result::Result<(), Reason> {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line[indent..].starts_with('\t') {
            return Err("a tab cannot indent a line");
        }
        match self.indent.replace(indent) {
            Some(first) if first != indent => {
                Err("nested mappings and values of several lines are not supported")
            }
            _ => Ok(()),
        }
    }
}

/// Whether the line starts with a marker of a document's start or end.
fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(is_end_or_blank)
}

fn only_comment<T>(rest: &str) -> std::result::Result<Option<T>, Reason> {
    match scalar::is_end(rest) {
        true => Ok(None),
        false => Err("only a comment is supported behind --- and ..."),
    }
}

/// The key and the value of `key: value`.
fn pair(content: &str) -> std::result::Result<(String, String), Reason> {
    const EXPECTED: Reason = "\"key: value\" is expected, with a blank behind the colon";
    let (key, rest) = match scalar::part(content)? {
        Part::Quoted { text, rest } => {
            let rest = rest.trim_start_matches(is_blank);
            (text, rest.strip_prefix(':').ok_or(EXPECTED)?)
        }
        Part::Plain(plain) => {
            let colon = plain
                .match_indices(':')
                .find(|(at, _)| is_end_or_blank(&plain[at + 1..]));
            let (at, _) = colon.ok_or(EXPECTED)?;
            let key = plain[..at].trim_end_matches(is_blank);
            if scalar::without_comment(key) != key {
                return Err(EXPECTED);
            }
            (key.to_string(), &plain[at + 1..])
        }
    };
    if key.is_empty() || !is_end_or_blank(rest) {
        return Err(EXPECTED);
    }
    let value = match scalar::part(rest.trim_start_matches(is_blank))? {
        Part::Quoted { text, rest } if scalar::is_end(rest) => text,
        Part::Quoted { .. } => return Err("only a comment may follow a quoted value"),
        Part::Plain(plain) => scalar::plain_value(plain)?,
    };
    Ok((key, value))
}

/// What YAML calls printable.
fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\u{85}' | '\u{a0}'..) || !c.is_control()
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
            "x: again",
            "a: b: c",
        ] {
            let error = parse(&format!("x: secret\n{line}\n"), Path::new("/o.conf"));
            let text = error.err().map(|e| e.to_string()).unwrap_or_default();
            assert!(text.contains("line 2 of /o.conf"), "{line:?}: {text}");
            assert!(!text.contains("***"), "{line:?}: {text}");
        }
    }

    #[test]
    fn passwords_are_read_however_an_editor_left_them() {
        for (text, password) in [
            ("\u{feff}p: geheim\n", "geheim"),
            ("p: geheim\r\n", "geheim"),
            ("p: geheim\r", "geheim"),
            ("p: geheim\t# of the lab\n", "geheim"),
            ("p:\tgeheim \t # of the lab\n", "geheim"),
            ("p: geheim#1\t\n", "geheim#1"),
            ("p: 'geheim'\t# of the lab\n", "geheim"),
            ("p: \"geheim\"\t#\n", "geheim"),
            ("p: \"ge\\x68eim\\u0021\"\n", "geheim!"),
            ("p: 'it''s # it'\n", "it's # it"),
            ("p: Null\n", ""),
            ("p: NULL # none\n", ""),
            ("p: 'Null'\n", "Null"),
            ("p: \t# none\n", ""),
        ] {
            assert_eq!(values(text), [("p".into(), password.into())], "{text:?}");
        }
    }

    /// What a YAML 1.2 reader makes of a text; written by `yaml_vectors.py`.
    #[derive(serde::Deserialize)]
    struct Vector {
        text: String,
        entries: Option<Vec<(String, String)>>,
    }

    #[test]
    fn texts_are_read_as_yaml_1_2() {
        let vectors = include_str!("../../tests/fixtures/yaml_vectors.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        assert!(vectors.len() > 60);
        for Vector { text, entries } in vectors {
            let read = parse(&text, Path::new("/o.conf")).ok();
            let pairs = |entries: Vec<Entry>| entries.into_iter().map(|e| (e.key, e.value));
            let read = read.map(|entries| pairs(entries).collect::<Vec<_>>());
            assert_eq!(read, entries, "{text:?}");
        }
    }

    /// YAML that other programs read, and that no setting needs.
    #[test]
    fn other_yaml_is_refused_by_its_name() {
        for (text, name) in [
            ("- a\n", "lists"),
            ("a:\n- b\n", "lists"),
            ("a: [b]\n", "lists in []"),
            ("{a: b}\n", "mappings in {}"),
            ("a:\n  b: c\n", "nested mappings"),
            ("a: b\n  c\n", "values of several lines"),
            ("a: |\n  b\n", "(| and >)"),
            ("a: >-\n  b\n", "(| and >)"),
            ("a: 'b\n  c'\n", "not closed on this line"),
            ("a: &x b\n", "anchors"),
            ("a: *x\n", "aliases"),
            ("a: !!str b\n", "tags"),
            ("? a\n: b\n", "start with ?"),
            ("%YAML 1.2\n---\na: b\n", "directives"),
            ("a: b\n---\nc: d\n", "one document"),
            ("a: b\n...\nc: d\n", "one document"),
            ("--- a\n", "behind ---"),
        ] {
            let error = parse(text, Path::new("/o.conf"));
            let text = error.err().map(|e| e.to_string()).unwrap_or_default();
            assert!(text.contains(name), "{name}: {text}");
        }
    }
}
