//! INI files as Python's `configparser.ConfigParser(strict=False)` reads them, with its basic
//! interpolation. Every value keeps its line, which no INI crate does.
//!
//! The rules that differ from other INI readers: comments are whole lines that start with `#` or
//! `;`; a line that is indented deeper than its key continues the value; section names are
//! case-sensitive and not trimmed, keys are lower-cased; of a key that occurs twice, the last value
//! counts; `%(key)s` stands for another value of the section or of `[DEFAULT]`, and `%%` for `%`.

use std::collections::BTreeMap;

/// The section whose keys count in every other one.
const DEFAULT: &str = "DEFAULT";
/// How deep values may refer to others: Python's limit.
const MAX_DEPTH: usize = 10;

/// How many references one value may stand for. Python has no such limit: there, references to references to many
/// more take for ever.
const MAX_REFERENCES: usize = 1000;

/// An INI file, before interpolation.
#[derive(Debug, Default)]
pub(super) struct Document {
    sections: BTreeMap<String, Section>,
}

/// A section, which may be in several parts of the file.
#[derive(Debug)]
struct Section {
    /// The line of its first header.
    line: usize,
    values: BTreeMap<String, Value>,
}

/// A value with the line, counted from 1, of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) line: usize,
}

/// Why a file, or a value in it, cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    /// The key or the section; nothing where the line may be a part of a value, such as a password.
    pub(super) shown: Option<String>,
    pub(super) reason: String,
}

impl Fault {
    fn new(line: usize, shown: Option<&str>, reason: impl Into<String>) -> Self {
        Self {
            line,
            shown: shown.map(str::to_owned),
            reason: reason.into(),
        }
    }
}

/// Where the reader is: the key to which further lines may belong.
struct Open {
    section: String,
    key: Option<String>,
    indent: usize,
}

impl Document {
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let mut document = Self::default();
        let mut open: Option<Open> = None;
        for (index, line) in lines(text).enumerate() {
            let content = line.trim();
            if content.starts_with(['#', ';']) {
                continue;
            }
            let indent = line.chars().take_while(|c| c.is_whitespace()).count();
            let value = open.as_ref().and_then(|open| document.open_value(open));
            match value {
                // An empty line inside a value belongs to it; one at its end does not.
                Some((value, at)) if content.is_empty() || indent > at => {
                    value.text.push('\n');
                    value.text.push_str(content);
                }
                _ if content.is_empty() => {}
                _ => open = Some(document.read_line(content, indent, index + 1, open)?),
            }
        }
        let values = document
            .sections
            .values_mut()
            .flat_map(|section| section.values.values_mut());
        for value in values {
            value.text.truncate(value.text.trim_end().len());
        }
        Ok(document)
    }

    fn open_value(&mut self, open: &Open) -> Option<(&mut Value, usize)> {
        let section = self.sections.get_mut(&open.section)?;
        Some((section.values.get_mut(open.key.as_ref()?)?, open.indent))
    }

    /// A section header, or a key with its value.
    fn read_line(
        &mut self,
        content: &str,
        indent: usize,
        line: usize,
        open: Option<Open>,
    ) -> Result<Open, Fault> {
        if let Some(name) = header(content) {
            let values = BTreeMap::new();
            let section = Section { line, values };
            self.sections.entry(name.into()).or_insert(section);
            return Ok(Open {
                section: name.into(),
                key: None,
                indent,
            });
        }
        let pair = content.split_once(['=', ':']);
        let pair = pair.filter(|(key, _)| !key.is_empty());
        let shown = match pair {
            Some((key, _)) => Some(key.trim_end()),
            None => Some(content).filter(|content| content.starts_with('[')),
        };
        let refused = |reason| Err(Fault::new(line, shown, reason));
        let is_header = content.starts_with('[');
        let (Some(open), Some((key, text))) = (open, pair) else {
            return refused(match (is_header, pair) {
                (true, _) => "the header of a section is expected as [NAME]",
                (false, Some(_)) => "a [section] is expected before the first key",
                (false, None) => "[section], key = value or a comment is expected",
            });
        };
        let key = key.trim_end().to_lowercase();
        let value = Value {
            text: text.trim().into(),
            line,
        };
        if let Some(section) = self.sections.get_mut(&open.section) {
            section.values.insert(key.clone(), value);
        }
        Ok(Open {
            key: Some(key),
            indent,
            ..open
        })
    }

    /// The value of `key`, with what it refers to, in `section` or in `[DEFAULT]`. `None` if
    /// neither has it, or there is no such section.
    pub(super) fn get(&self, section: &str, key: &str) -> Result<Option<Value>, Fault> {
        if !self.sections.contains_key(section) {
            return Ok(None);
        }
        let key = key.to_lowercase();
        let Some(raw) = self.raw(section, &key) else {
            return Ok(None);
        };
        let (mut text, mut left) = (String::new(), MAX_REFERENCES);
        self.interpolate(section, &raw.text, 1, &mut left, &mut text)
            .map_err(|reason| Fault::new(raw.line, Some(&key), reason))?;
        let line = raw.line;
        Ok(Some(Value { text, line }))
    }

    /// The names of the sections, each with its line.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&str, usize)> {
        let named = self.sections.iter().filter(|(name, _)| *name != DEFAULT);
        named.map(|(name, section)| (name.as_str(), section.line))
    }

    /// The keys of a section itself, in lower case, each with its line.
    pub(super) fn keys(&self, section: &str) -> impl Iterator<Item = (&str, usize)> {
        let values = self.sections.get(section).map(|section| &section.values);
        let values = values.into_iter().flatten();
        values.map(|(key, value)| (key.as_str(), value.line))
    }

    fn raw(&self, section: &str, key: &str) -> Option<&Value> {
        let of = |section: &str| self.sections.get(section)?.values.get(key);
        of(section).or_else(|| of(DEFAULT))
    }

    fn interpolate(
        &self,
        section: &str,
        mut rest: &str,
        depth: usize,
        left: &mut usize,
        out: &mut String,
    ) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("values refer to others more than {MAX_DEPTH} deep"));
        }
        while let Some((before, after)) = rest.split_once('%') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                out.push('%');
                rest = after;
                continue;
            }
            let reference = after
                .strip_prefix('(')
                .and_then(|inner| inner.split_once(')'));
            let reference = reference.and_then(|(key, after)| {
                let is_named = !key.is_empty();
                Some((key, after.strip_prefix('s')?)).filter(|_| is_named)
            });
            let Some((key, after)) = reference else {
                return Err("% is expected as %% or in %(key)s".into());
            };
            let Some(value) = self.raw(section, &key.to_lowercase()) else {
                return Err(format!("it refers to the key {key}, which is not there"));
            };
            *left = left
                .checked_sub(1)
                .ok_or_else(|| format!("it refers to others more than {MAX_REFERENCES} times"))?;
            self.interpolate(section, &value.text, depth + 1, left, out)?;
            rest = after;
        }
        out.push_str(rest);
        Ok(())
    }
}

/// The name in `[name]`; it may hold brackets itself, and text may follow.
fn header(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    Some(name).filter(|name| !name.is_empty())
}

/// The lines of a text that ends each with LF, CRLF or CR.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').flat_map(|line| {
        let line = line.strip_suffix('\n').unwrap_or(line);
        line.strip_suffix('\r').unwrap_or(line).split('\r')
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// What Python's reader makes of a text; written by `configparser_vectors.py`.
    #[derive(Deserialize)]
    struct Vector {
        text: String,
        section: String,
        key: String,
        value: Option<String>,
        error: Option<usize>,
    }

    #[test]
    fn texts_are_read_as_python_reads_them() {
        let vectors = include_str!("../../tests/fixtures/configparser_vectors.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        assert!(vectors.len() > 40);
        for vector in vectors {
            let read = Document::read(&vector.text)
                .and_then(|document| document.get(&vector.section, &vector.key));
            let text = &vector.text;
            match (read, vector.error) {
                (Ok(value), None) => {
                    assert_eq!(value.map(|value| value.text), vector.value, "{text:?}");
                }
                // 0 is an error that Python reports without a line.
                (Err(fault), Some(line)) => {
                    assert!(line == 0 || fault.line == line, "{text:?}: {fault:?}");
                }
                (read, error) => panic!("{text:?}: {read:?} {error:?}"),
            }
        }
    }

    #[test]
    fn values_know_the_line_of_their_key() {
        let text = "[DEFAULT]\nhost = h\n\n[auth]\r\n# c\r\nurl = http://%(host)s\r\n  /v3\r\n";
        let document = Document::read(text).unwrap();
        let value = document.get("auth", "URL").unwrap().unwrap();
        assert_eq!((value.text.as_str(), value.line), ("http://h\n/v3", 6));
        assert_eq!(document.get("auth", "host").unwrap().unwrap().line, 2);
    }

    #[test]
    fn faults_say_what_is_wrong_and_show_no_value() {
        let not_closed = "the header of a section is expected as [NAME]";
        for (text, shown, reason) in [
            (
                "[a]\nk = secret%\n",
                Some("k"),
                "% is expected as %% or in %(key)s",
            ),
            (
                "k = secret\n",
                Some("k"),
                "a [section] is expected before the first key",
            ),
            (
                "k=secret\n",
                Some("k"),
                "a [section] is expected before the first key",
            ),
            ("[a\nk = secret\n", Some("[a"), not_closed),
            ("[a]\nk = secret\n[b\n", Some("[b"), not_closed),
            ("[]\nk = secret\n", Some("[]"), not_closed),
            (
                "[a]\nk = v\nsecret\n",
                None,
                "[section], key = value or a comment is expected",
            ),
            (
                "[a]\n= secret\n",
                None,
                "[section], key = value or a comment is expected",
            ),
        ] {
            let read = Document::read(text).and_then(|document| document.get("a", "k"));
            let fault = read.unwrap_err();
            assert_eq!(fault.shown.as_deref(), shown, "{text:?}");
            assert_eq!(fault.reason, reason, "{text:?}");
        }
    }

    #[test]
    fn what_references_stand_for_is_bounded() {
        let mut text = String::from("[a]\nk0 =\n");
        for level in 1..9 {
            let references = format!("%(k{})s", level - 1).repeat(100);
            text.push_str(&format!("k{level} = {references}\n"));
        }
        let document = Document::read(&text).unwrap();
        assert!(document.get("a", "k1").unwrap().is_some());
        assert!(document.get("a", "k8").is_err());
    }
}
