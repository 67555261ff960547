//! Scalars of the flat YAML file: plain, in single quotes, in double quotes.

/// Why a text is not understood.
pub(super) type Reason = &'static str;

/// The beginning of a text.
pub(super) enum Part<'a> {
    /// A quoted scalar, and what follows its closing quote.
    Quoted { text: String, rest: &'a str },
    /// All of the text: a plain scalar, or a plain key with its value.
    Plain(&'a str),
}

/// Whether it separates: a space or a tab.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Whether nothing but a blank may come first.
pub(super) fn is_end_or_blank(text: &str) -> bool {
    text.is_empty() || text.starts_with(is_blank)
}

/// Whether nothing but a comment comes. A comment needs a blank before it.
pub(super) fn is_end(text: &str) -> bool {
    let rest = text.trim_start_matches(is_blank);
    rest.is_empty() || rest.starts_with('#') && rest.len() < text.len()
}

/// Reads a quoted scalar; checks that other texts begin as a plain one may.
pub(super) fn part(text: &str) -> Result<Part<'_>, Reason> {
    if let Some(inner) = text.strip_prefix('\'') {
        return single_quoted(inner);
    }
    if let Some(inner) = text.strip_prefix('"') {
        return double_quoted(inner);
    }
    let first = text.chars().next().unwrap_or('#');
    let is_alone = is_end_or_blank(&text[first.len_utf8().min(text.len())..]);
    match first {
        '[' | '{' => return Err("lists in [] and mappings in {} are not supported"),
        '&' => return Err("anchors (&) are not supported"),
        '*' => return Err("aliases (*) are not supported"),
        '!' => return Err("tags (!) are not supported"),
        '|' | '>' => return Err("values of several lines (| and >) are not supported"),
        '%' | '@' | '`' | ',' | ']' | '}' => {
            return Err("a key or value that starts with this character must be quoted");
        }
        '-' if is_alone => return Err("lists are not supported"),
        '?' if is_alone => return Err("keys that start with ? are not supported"),
        _ => {}
    }
    Ok(Part::Plain(text))
}

/// A plain text without its comment, which needs a blank before it.
pub(super) fn without_comment(plain: &str) -> &str {
    let is_comment = |(at, _): &(usize, &str)| *at == 0 || plain[..*at].ends_with(is_blank);
    let end = plain.match_indices('#').find(is_comment);
    plain[..end.map_or(plain.len(), |(at, _)| at)].trim_end_matches(is_blank)
}

/// The text of a plain value; "" for null in each of its spellings.
pub(super) fn plain_value(plain: &str) -> Result<String, Reason> {
    let plain = without_comment(plain);
    let mut colons = plain.match_indices(':');
    if colons.any(|(at, _)| is_end_or_blank(&plain[at + 1..])) {
        return Err("a value with a colon and a blank must be quoted");
    }
    Ok(match plain {
        "~" | "null" | "Null" | "NULL" => String::new(),
        plain => plain.to_string(),
    })
}

const UNCLOSED: Reason = "the quote is not closed on this line";

fn single_quoted(inner: &str) -> Result<Part<'_>, Reason> {
    let mut text = String::new();
    let mut left = inner;
    loop {
        let (before, rest) = left.split_once('\'').ok_or(UNCLOSED)?;
        text.push_str(before);
        match rest.strip_prefix('\'') {
            Some(after) => {
                text.push('\'');
                left = after;
            }
            None => return Ok(Part::Quoted { text, rest }),
        }
    }
}

fn double_quoted(inner: &str) -> Result<Part<'_>, Reason> {
    let mut text = String::new();
    let mut left = inner.chars();
    loop {
        match left.next().ok_or(UNCLOSED)? {
            '"' => {
                let rest = left.as_str();
                return Ok(Part::Quoted { text, rest });
            }
            '\\' => text.push(escaped(&mut left)?),
            c => text.push(c),
        }
    }
}

/// The character that an escape means; its backslash has been read.
fn escaped(left: &mut std::str::Chars) -> Result<char, Reason> {
    let digits = match left.next().ok_or(UNCLOSED)? {
        '0' => return Ok('\0'),
        'a' => return Ok('\x07'),
        'b' => return Ok('\x08'),
        't' | '\t' => return Ok('\t'),
        'n' => return Ok('\n'),
        'v' => return Ok('\x0b'),
        'f' => return Ok('\x0c'),
        'r' => return Ok('\r'),
        'e' => return Ok('\x1b'),
        'N' => return Ok('\u{85}'),
        '_' => return Ok('\u{a0}'),
        'L' => return Ok('\u{2028}'),
        'P' => return Ok('\u{2029}'),
        same @ (' ' | '"' | '/' | '\\') => return Ok(same),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return Err("YAML has no such escape in double quotes; a backslash is written \\\\"),
    };
    let number = left.as_str().get(..digits);
    let is_hex = |text: &&str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let number = number
        .filter(is_hex)
        .and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let found = number.and_then(char::from_u32);
    left.nth(digits - 1);
    found.ok_or("an escape needs the number of a character: \\xHH, \\uHHHH or \\UHHHHHHHH")
}
