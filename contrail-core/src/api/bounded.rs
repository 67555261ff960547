//! Parsing within bounds of time and memory: a short text can stand for values that take a hundred times
//! its size, so the size of an answer says little about what it costs to read it.

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::values::Deadline;

/// The most memory that the objects of one answer may take, in bytes, as [`weight`] estimates it: some
/// thousand ports with all their properties.
const MAX_WEIGHT: usize = 96 << 20;

/// What the objects of one answer may cost.
pub struct Budget {
    /// In bytes; `None` once an object needed more.
    left: Option<usize>,
    deadline: Deadline,
}

/// Why an answer is not read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// The deadline has passed.
    Time,
    /// The objects need more memory than an answer may take.
    Memory,
}

impl Budget {
    /// The budget of one answer that must be read by the deadline.
    pub fn until(deadline: Deadline) -> Self {
        Self {
            left: Some(MAX_WEIGHT),
            deadline,
        }
    }

    /// Takes the cost of an object of `size` bytes that is read from this text.
    pub fn take(&mut self, text: &str, size: usize) -> Result<(), Exceeded> {
        self.check_time()?;
        let cost = weight(text).saturating_add(size);
        self.left = self.left.and_then(|left| left.checked_sub(cost));
        self.left.map(drop).ok_or(Exceeded::Memory)
    }

    /// Whether nothing more may be read.
    pub fn is_exceeded(&self) -> bool {
        self.left.is_none() || self.deadline.has_passed()
    }

    /// Whether there is time to go on.
    pub fn check_time(&self) -> Result<(), Exceeded> {
        match self.deadline.has_passed() {
            true => Err(Exceeded::Time),
            false => Ok(()),
        }
    }
}

/// At most how much memory the values of a JSON text take, in bytes.
fn weight(text: &str) -> usize {
    let mut weight = text.len();
    let (mut is_string, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        if is_escaped {
            is_escaped = false;
            continue;
        }
        match byte {
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            _ if is_string => {}
            // A map is a tree whose nodes have room for eleven entries.
            b'{' => weight += 640,
            b'[' => weight += 128,
            // One more value, with room for as many again as a growing list keeps.
            b',' | b':' => weight += 64,
            _ => {}
        }
    }
    weight
}

/// The value of one key of the object that `body` is; the others are not kept.
pub fn field<'a>(body: &'a [u8], key: &str) -> serde_json::Result<Option<&'a RawValue>> {
    struct Field<'k>(&'k str);

    impl<'de> Visitor<'de> for Field<'_> {
        type Value = Option<&'de RawValue>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                if key == self.0 {
                    found = Some(map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let found = deserializer.deserialize_map(Field(key))?;
    deserializer.end()?;
    Ok(found)
}

/// Gives each item of the list that `text` is to `look`, until that says that the list must not be read
/// any further.
pub fn each<'a, E>(
    text: &'a str,
    look: impl FnMut(&'a RawValue) -> Result<(), E>,
) -> serde_json::Result<Result<(), E>> {
    struct Each<F, E> {
        look: F,
        stopped: Option<E>,
    }

    impl<'de, E, F: FnMut(&'de RawValue) -> Result<(), E>> Visitor<'de> for &mut Each<F, E> {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
            while let Some(item) = items.next_element::<&'de RawValue>()? {
                if let Err(stopped) = (self.look)(item) {
                    self.stopped = Some(stopped);
                    return Err(A::Error::custom("not read any further"));
                }
            }
            Ok(())
        }
    }

    impl<'de, E, F: FnMut(&'de RawValue) -> Result<(), E>> DeserializeSeed<'de> for &mut Each<F, E> {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_seq(self)
        }
    }

    let mut each = Each {
        look,
        stopped: None,
    };
    let outcome = each.deserialize(&mut serde_json::Deserializer::from_str(text));
    match (each.stopped, outcome) {
        (Some(stopped), _) => Ok(Err(stopped)),
        (None, outcome) => outcome.map(Ok),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn braces_in_strings_weigh_nothing() {
        assert_eq!(weight(r#""{[,:\"{""#), 9);
        assert_eq!(weight("{}"), 642);
        assert!(weight(r#"{"a":0}"#) > 640);
    }

    #[test]
    fn a_budget_ends_with_its_memory_and_with_its_time() {
        let mut budget = Budget::until(Deadline::after(Duration::from_secs(60)));
        assert_eq!(budget.take("{}", MAX_WEIGHT - 642), Ok(()));
        assert_eq!(budget.take("", 1), Err(Exceeded::Memory));
        let mut late = Budget::until(Deadline::after(Duration::ZERO));
        assert_eq!(late.take("", 0), Err(Exceeded::Time));
    }

    #[test]
    fn one_key_is_found_and_nothing_else_kept() {
        let found = |body: &'static str| field(body.as_bytes(), "k").map(|v| v.map(RawValue::get));
        assert_eq!(
            found(r#"{"a":[1,{}],"k":{"x":1},"b":2}"#).unwrap(),
            Some(r#"{"x":1}"#)
        );
        assert_eq!(found(r#"{"\u006b":5}"#).unwrap(), Some("5"));
        assert_eq!(found("{}").unwrap(), None);
        for odd in ["", "[]", "5", r#"{"k":1} x"#, r#"{"k":"#] {
            assert!(found(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn a_list_is_read_until_it_must_not_be_read_any_further() {
        let mut seen = Vec::new();
        let mut look = |item: &RawValue| {
            seen.push(item.get().to_owned());
            if seen.len() < 3 {
                Ok(())
            } else {
                Err("enough")
            }
        };
        assert!(each("[1,{},", &mut look).unwrap_err().is_eof());
        assert_eq!(each("[[],4", &mut look).unwrap(), Err("enough"));
        assert_eq!(seen, ["1", "{}", "[]"]);
    }
}
