//! The timestamps in Keystone's answers: ISO 8601, in UTC or with an offset.

use std::time::SystemTime;

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::Offset};

/// Reads `2026-11-24T22:57:16Z`, also with a fraction of the second, with an offset (`+00:00`) or
/// with neither: then it is UTC. A time before 1970 is no time of a token.
pub fn parse(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let in_utc = |time: DateTime| Offset::UTC.to_timestamp(time);
    let timestamp = text
        .parse::<Timestamp>()
        .or_else(|_| text.parse().and_then(in_utc))
        .ok()?;
    let time = SystemTime::try_from(timestamp).ok()?;
    (time >= SystemTime::UNIX_EPOCH).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> Option<u64> {
        let time = parse(text)?.duration_since(SystemTime::UNIX_EPOCH);
        Some(time.unwrap().as_secs())
    }

    #[test]
    fn every_form_of_the_same_moment_is_the_same() {
        for text in [
            "2026-11-24T22:57:16Z",
            "2026-11-24T22:57:16.000000Z",
            "2026-11-24T22:57:16.419468",
            "2026-11-24T22:57:16+00:00",
            "2026-11-24T22:57:16.5+00:00",
            "2026-11-24 22:57:16",
            "2026-11-25T00:57:16+02:00",
            "2026-11-24T17:27:16-0530",
        ] {
            assert_eq!(unix(text), Some(1_795_561_036), "{text}");
        }
    }

    #[test]
    fn leap_days_and_century_rules_hold() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2024-02-29T00:00:00Z", 1_709_164_800),
            ("2024-03-01T00:00:00Z", 1_709_251_200),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(unix(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn a_time_may_be_less_precise() {
        assert_eq!(unix("2026-11-24T22:57Z"), Some(1_795_561_020));
        assert_eq!(unix("2026-11-24"), Some(1_795_478_400));
    }

    #[test]
    fn what_is_no_timestamp_is_none() {
        for text in [
            "",
            "tomorrow",
            "2026-13-24T00:00:00Z",
            "2026-11-24T25:00:00Z",
            "2026-11-24T22:57:16.Z",
            "2026-11-24T22:57:16+0",
            "2026-11-24T22:57:16Zulu",
            "1960-01-01T00:00:00Z",
            "+026-11-24T22:57:16Z",
            "2026-01-01T00:00:00+1é0",
            "é026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.9é9Z",
            "2026-01-01T00:00:00+\u{1f600}",
            "-9999-01-01T00:00:00Z",
            "99999999999999999999-01-01",
            "2026-01-01T00:00:00+99:99",
            "\u{0}\u{1b}[31m",
        ] {
            assert_eq!(unix(text), None, "{text:?}");
        }
    }
}
