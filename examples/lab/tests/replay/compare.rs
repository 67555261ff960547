//! Compares a recorded answer with the lab's, learning which ids and times stand for which.

use std::collections::HashMap;

use contrail_core::MacAddr;
use serde_json::Value;
use uuid::Uuid;

use crate::client::Answer;
use crate::recording::Response;

/// Which of the lab's ids and times stand for which recorded ones.
pub struct Comparison {
    /// Recorded to lab.
    forward: HashMap<String, String>,
    /// Lab to recorded: no id may stand for two.
    backward: HashMap<String, String>,
    /// Recorded to lab; several recorded times may become one.
    times: HashMap<String, String>,
    /// The headers that were recorded if they were sent.
    headers: &'static [&'static str],
}

/// Numbers that the server chooses.
const NUMBERS: [&str; 4] = [
    "uuid_mslong",
    "uuid_lslong",
    "virtual_network_network_id",
    "security_group_id",
];

type Compared = Result<(), String>;

impl Comparison {
    /// A comparison of recorded answers of which these headers were kept.
    pub fn of(headers: &'static [&'static str]) -> Self {
        Self {
            forward: HashMap::new(),
            backward: HashMap::new(),
            times: HashMap::new(),
            headers,
        }
    }

    /// A recorded text with the lab's ids and times.
    pub fn translate(&self, text: &str) -> String {
        let replace = |piece: &Piece<'_>| match piece {
            Piece::Id(id) => self.known(id),
            Piece::Simple(id) => self.known(&hyphenated(id)).replace('-', ""),
            Piece::Time(time) => self
                .times
                .get(*time)
                .map_or(*time, String::as_str)
                .to_owned(),
            Piece::Plain(text) => (*text).to_owned(),
        };
        pieces(text).iter().map(replace).collect()
    }

    /// The lab's id for a recorded one, or the recorded one if the lab has not chosen any yet.
    fn known(&self, id: &str) -> String {
        self.forward.get(id).map_or(id, String::as_str).to_owned()
    }

    /// Says that the lab's id of something is this one.
    pub fn learn(&mut self, recorded: &str, actual: &str) {
        self.pair(recorded, actual).unwrap();
    }

    pub fn compare(&mut self, recorded: &Response, answer: &Answer) -> Compared {
        if recorded.status != answer.status {
            let (expected, actual) = (recorded.status, answer.status);
            let body: String = answer.body.chars().take(300).collect();
            return Err(format!(
                "status {expected} was recorded, not {actual}: {body}"
            ));
        }
        for name in self.headers {
            let expected = recorded.headers.get(*name).map(String::as_str);
            if expected != answer.header(name) {
                let actual = answer.header(name);
                return Err(format!("{name} {expected:?} was recorded, not {actual:?}"));
            }
        }
        if let (Some(expected), actual) = (recorded.headers.get("Etag"), answer.header("etag")) {
            self.text(expected, actual.unwrap_or_default())?;
        }
        match &recorded.body {
            Value::String(text) if text.starts_with("<truncated: ") => {
                self.beginning(text, &answer.body)
            }
            Value::String(text) => self.text(text, &answer.body),
            document => {
                let actual: Value = serde_json::from_str(&answer.body)
                    .map_err(|error| format!("no JSON ({error}): {}", answer.body))?;
                self.value("", document, &actual)
            }
        }
    }

    /// Of an answer whose connection was closed too early only the head is compared.
    pub fn compare_cut(&mut self, recorded: &Response, cut: &str, answer: &Answer) -> Compared {
        let announced = answer.header("content-length").unwrap_or_default();
        let came = answer.body.len();
        let found = format!(
            "Content-Length {announced} announced, connection closed after {came} bytes of body"
        );
        if found != cut {
            return Err(format!("{cut:?} was recorded, not {found:?}"));
        }
        self.compare(recorded, answer)
    }

    /// Of a long body only its length and beginning were kept.
    fn beginning(&mut self, recorded: &str, actual: &str) -> Compared {
        let rest = recorded.trim_start_matches("<truncated: ");
        let (length, beginning) = rest.split_once(" bytes> ").unwrap();
        // The port in the recorded links had one digit more when the bytes were counted.
        let bytes = actual.len() + actual.matches("http://127.0.0.1:8082").count();
        if length.parse() != Ok(bytes) {
            return Err(format!("{length} bytes were recorded, not {bytes}"));
        }
        self.text(beginning, &actual[..beginning.len()])
    }

    fn value(&mut self, key: &str, recorded: &Value, actual: &Value) -> Compared {
        match (recorded, actual) {
            (Value::Object(expected), Value::Object(found)) => {
                let missing = expected.keys().find(|key| !found.contains_key(*key));
                let extra = found.keys().find(|key| !expected.contains_key(*key));
                if missing.or(extra).is_some() {
                    return Err(format!("{key}: {missing:?} missing, {extra:?} extra"));
                }
                let mut fields = expected.iter();
                fields.try_for_each(|(key, value)| self.value(key, value, &found[key]))
            }
            (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
                let (expected, found) = self.in_order(expected, found);
                let mut pairs = expected.iter().zip(&found);
                pairs.try_for_each(|(expected, found)| self.value(key, expected, found))
            }
            (Value::String(expected), Value::String(found)) => self.text(expected, found),
            (Value::Number(expected), Value::Number(found)) if NUMBERS.contains(&key) => {
                self.pair(&format!("{key} {expected}"), &format!("{key} {found}"))
            }
            _ if recorded == actual => Ok(()),
            _ => Err(format!("{key}: {recorded} was recorded, not {actual}")),
        }
    }

    /// Lists of objects and of links have no order that means anything; other lists have.
    fn in_order<'a>(
        &self,
        recorded: &'a [Value],
        actual: &'a [Value],
    ) -> (Vec<&'a Value>, Vec<&'a Value>) {
        let mut recorded: Vec<&Value> = recorded.iter().collect();
        let mut actual: Vec<&Value> = actual.iter().collect();
        let is_unordered = |item: &&Value| {
            let item = item
                .as_object()
                .filter(|fields| !fields.contains_key("rule_uuid"));
            item.is_some_and(|fields| {
                let wrapped = fields.len() == 1 && fields.values().all(Value::is_object);
                let named = ["uuid", "href", "key"]
                    .iter()
                    .any(|key| fields.contains_key(*key));
                named || (wrapped && !fields.contains_key("subnet"))
            })
        };
        if recorded.iter().chain(&actual).all(is_unordered) {
            recorded.sort_by_cached_key(|item| self.masked(&item.to_string(), &self.forward));
            let identity = self
                .backward
                .keys()
                .map(|id| (id.clone(), id.clone()))
                .collect();
            actual.sort_by_cached_key(|item| self.masked(&item.to_string(), &identity));
        }
        (recorded, actual)
    }

    /// A text by which both sides sort alike: known ids are the lab's, unknown ones and times
    /// are all the same.
    fn masked(&self, text: &str, known: &HashMap<String, String>) -> String {
        let value: Value = serde_json::from_str(text).unwrap();
        let mut sorted = value;
        sort_keys(&mut sorted);
        let text = sorted.to_string();
        let mask = |piece: &Piece<'_>| match piece {
            Piece::Id(id) => known.get(*id).map_or("id", String::as_str).to_owned(),
            Piece::Simple(id) => known
                .get(&hyphenated(id))
                .map_or("id".into(), String::clone),
            Piece::Time(_) => "time".into(),
            Piece::Plain(text) => (*text).to_owned(),
        };
        pieces(&text).iter().map(mask).collect()
    }

    fn text(&mut self, recorded: &str, actual: &str) -> Compared {
        let differ = || format!("{recorded:?} was recorded, not {actual:?}");
        if let (Ok(expected), Ok(found)) = (recorded.parse::<MacAddr>(), actual.parse()) {
            return self.mac(expected, found).then_some(()).ok_or_else(differ);
        }
        let (recorded, actual) = self.links_in_order(recorded, actual);
        let (expected, found) = (pieces(&recorded), pieces(&actual));
        if expected.len() != found.len() {
            return Err(differ());
        }
        for pair in expected.iter().zip(&found) {
            match pair {
                (Piece::Plain(expected), Piece::Plain(found)) if expected == found => {}
                (Piece::Id(expected), Piece::Id(found)) => self.pair(expected, found)?,
                (Piece::Simple(expected), Piece::Simple(found)) => {
                    self.pair(&hyphenated(expected), &hyphenated(found))?;
                }
                (Piece::Time(expected), Piece::Time(found)) => {
                    self.times.insert((*expected).into(), (*found).into());
                }
                _ => return Err(differ()),
            }
        }
        Ok(())
    }

    /// Sorts a Python list of links in an error text.
    fn links_in_order(&self, recorded: &str, actual: &str) -> (String, String) {
        let sorted = |text: &str, translate: bool| -> Option<String> {
            let (before, list) = text.split_once("['http://")?;
            let (list, after) = list.split_once("']")?;
            let mut links: Vec<&str> = list.split("', 'http://").collect();
            links.sort_by_cached_key(|link| match translate {
                true => self.translate(link),
                false => (*link).to_owned(),
            });
            Some(format!("{before}{links:?}{after}"))
        };
        let owned = |text: &str| text.to_owned();
        (
            sorted(recorded, true).unwrap_or_else(|| owned(recorded)),
            sorted(actual, false).unwrap_or_else(|| owned(actual)),
        )
    }

    /// Two addresses are alike when they are equal, or each comes from the id of the same object.
    fn mac(&self, recorded: MacAddr, actual: MacAddr) -> bool {
        let of = |id: &str| Uuid::parse_str(id).ok().map(MacAddr::of_interface);
        let mut pairs = self.forward.iter();
        let derived = pairs.any(|(a, b)| of(a) == Some(recorded) && of(b) == Some(actual));
        recorded == actual || derived
    }

    fn pair(&mut self, recorded: &str, actual: &str) -> Compared {
        let forward = self
            .forward
            .entry(recorded.into())
            .or_insert_with(|| actual.into());
        if forward != actual {
            return Err(format!("{recorded} is {forward} here, not {actual}"));
        }
        let backward = self
            .backward
            .entry(actual.into())
            .or_insert_with(|| recorded.into());
        if backward != recorded {
            return Err(format!(
                "{actual} stands for {backward}, not for {recorded}"
            ));
        }
        Ok(())
    }
}

fn hyphenated(simple: &str) -> String {
    Uuid::parse_str(simple).unwrap().to_string()
}

fn sort_keys(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.sort_keys();
            fields.values_mut().for_each(sort_keys);
        }
        Value::Array(items) => items.iter_mut().for_each(sort_keys),
        _ => {}
    }
}

enum Piece<'a> {
    Plain(&'a str),
    Id(&'a str),
    /// An id without dashes.
    Simple(&'a str),
    Time(&'a str),
}

const ID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const SIMPLE: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
const TIME: &str = "9999-99-99T99:99:99.999999";

/// Cuts a text at the ids and times in it.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let fits = |text: &str, pattern: &str| {
        let text = text.as_bytes().get(..pattern.len())?;
        let fits = text
            .iter()
            .zip(pattern.bytes())
            .all(|(byte, wanted)| match wanted {
                b'x' => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
                b'9' => byte.is_ascii_digit(),
                other => *byte == other,
            });
        fits.then_some(pattern.len())
    };
    let mut out = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let piece = |pattern: &str, piece: fn(&'_ str) -> Piece<'_>| {
            fits(rest, pattern).map(|length| (length, piece(&rest[..length])))
        };
        let found = piece(ID, |id| Piece::Id(id));
        let found = found.or_else(|| piece(SIMPLE, |id| Piece::Simple(id)));
        let found = found.or_else(|| piece(TIME, |time| Piece::Time(time)));
        match found {
            Some((length, piece)) => {
                if plain < at {
                    out.push(Piece::Plain(&text[plain..at]));
                }
                out.push(piece);
                at += length;
                plain = at;
            }
            None => at += 1,
        }
    }
    if plain < text.len() {
        out.push(Piece::Plain(&text[plain..]));
    }
    out
}
