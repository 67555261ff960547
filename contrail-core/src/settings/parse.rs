//! The types of setting values, read from text. Pure; the errors say what is allowed, the caller
//! adds which setting it was.

use std::path::PathBuf;
use std::time::Duration;

use log::LevelFilter;

/// What is allowed, when a text is not.
pub type Allowed = &'static str;

/// `true` or `false` in the spellings of the field.
pub fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

pub(super) fn truth(text: &str) -> Result<bool, Allowed> {
    boolean(text).ok_or("true or false is expected")
}

pub(super) fn port(text: &str) -> Result<u16, Allowed> {
    let number = text.parse().ok().filter(|port| *port != 0);
    number.ok_or("a port number from 1 to 65535 is expected")
}

pub(super) fn seconds(text: &str) -> Result<Duration, Allowed> {
    let number: Option<f32> = text.parse().ok();
    number
        .filter(|seconds| (0.001..=3600.0).contains(seconds))
        .map(Duration::from_secs_f32)
        .ok_or("a number of seconds greater than 0 and not above 3600 is expected")
}

pub(super) fn absolute_path(text: &str) -> Result<PathBuf, Allowed> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err("an absolute path is expected")
    }
}

/// Whether Keystone authorises requests.
pub(super) fn auth_mode(text: &str) -> Result<bool, Allowed> {
    match text.to_ascii_lowercase().as_str() {
        "keystone" => Ok(true),
        "noauth" | "no-auth" | "none" => Ok(false),
        _ => Err("keystone or noauth is expected"),
    }
}

/// Any text of one line: names at Keystone have few rules.
pub(super) fn text(text: &str) -> Result<String, Allowed> {
    match text.chars().any(char::is_control) {
        true => Err("a text without control characters is expected"),
        false => Ok(text.to_string()),
    }
}

/// A part of a fully qualified name.
pub(super) fn name(text: &str) -> Result<String, Allowed> {
    if text.chars().any(|c| c == ':' || c.is_control()) {
        Err("a name without colons and control characters is expected")
    } else {
        Ok(text.to_string())
    }
}

pub(super) fn http_url(text: &str) -> Result<String, Allowed> {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !is_odd(text) => {
            Ok(text.to_string())
        }
        _ => {
            Err("a URL such as http://10.0.0.1:35357/v2.0, without user and password, is expected")
        }
    }
}

/// A password in a URL would be shown wherever the URL is.
fn is_odd(text: &str) -> bool {
    text.chars()
        .any(|c| c == '@' || c.is_whitespace() || c.is_control())
}

/// The names of the older plugin, those of the `log` crate and the numbers of syslog.
pub(super) fn log_level(text: &str) -> Result<LevelFilter, Allowed> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "none" | "off" => LevelFilter::Off,
        "error" | "err" | "critical" | "crit" | "alert" | "emergency" | "emerg" | "fatal"
        | "panic" | "0" | "1" | "2" | "3" => LevelFilter::Error,
        "warning" | "warn" | "4" => LevelFilter::Warn,
        "notice" | "info" | "5" | "6" => LevelFilter::Info,
        "debug" | "7" => LevelFilter::Debug,
        "trace" => LevelFilter::Trace,
        _ => {
            return Err(
                "none, emergency, alert, critical, error, warning, notice, info, debug, trace or a number from 0 to 7 is expected",
            );
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_log_level_of_the_older_plugin_is_known() {
        for level in [
            "debug",
            "info",
            "notice",
            "warning",
            "error",
            "critical",
            "alert",
            "emergency",
            "none",
            "WARN",
            "7",
        ] {
            assert!(log_level(level).is_ok(), "{level}");
        }
        assert!(log_level("loud").is_err() && log_level("8").is_err());
    }

    #[test]
    fn limits_hold() {
        assert!(port("0").is_err() && port("65536").is_err() && port("80x").is_err());
        assert_eq!(port("8082"), Ok(8082));
        for text in ["0", "-1", "nan", "inf", "1e9", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2500)));
        assert!(absolute_path("run").is_err());
        assert!(http_url("10.0.0.1:35357").is_err() && http_url("http:///v3").is_err());
    }
}
