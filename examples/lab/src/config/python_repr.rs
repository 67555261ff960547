//! Values as Python's `repr` writes them: the server's error texts hold them.

use std::fmt::Write;

use serde_json::Value;

/// `repr(value)`.
pub fn repr(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

/// `repr` of a string.
pub fn repr_str(value: &str) -> String {
    let mut text = String::new();
    write_str(&mut text, value);
    text
}

/// `repr` of a list of strings.
pub fn repr_list<S: AsRef<str>>(values: &[S]) -> String {
    let mut text = String::from("[");
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        write_str(&mut text, value.as_ref());
    }
    text.push(']');
    text
}

/// `str(value)`: like `repr`, but a string is itself.
pub fn str_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_str(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (key, item)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_str(out, key);
                out.push_str(": ");
                write_value(out, item);
            }
            out.push('}');
        }
    }
}

fn write_str(out: &mut String, text: &str) {
    // Python prefers single quotes and changes only to avoid escaping them.
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            // Writing to a String cannot fail.
            c if c.is_control() && (c as u32) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_look_as_in_python() {
        let value = json!({"a": [1, -2.5, null, true, false], "b": {"c": "d"}, "e": []});
        assert_eq!(
            repr(&value),
            "{'a': [1, -2.5, None, True, False], 'b': {'c': 'd'}, 'e': []}"
        );
        assert_eq!(
            repr_list(&["default-domain", "p"]),
            "['default-domain', 'p']"
        );
        assert_eq!(str_of(&json!("plain")), "plain");
        assert_eq!(str_of(&json!(["x"])), "['x']");
    }

    #[test]
    fn quotes_and_control_characters_are_escaped_as_in_python() {
        assert_eq!(repr_str("it's"), r#""it's""#);
        assert_eq!(repr_str(r#"it's "it""#), r#"'it\'s "it"'"#);
        assert_eq!(repr_str("a\\b\n\u{1}é"), r"'a\\b\n\x01é'");
    }
}
