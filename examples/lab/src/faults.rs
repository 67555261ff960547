//! Faults on demand: which requests a service of the lab misbehaves on, and how.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::harm::Harm;
use crate::http::{Response, ServiceName};

/// How a service misbehaves on one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The connection is reset: at once when the rule names neither method nor path, else when the
    /// request has been read. No effect.
    Refuse,
    /// The request is never answered and has no effect; the connection stays open.
    Hang,
    /// The request is handled after this many milliseconds.
    Delay(u64),
    /// The request is begun at once and answered after this many milliseconds: what arrives meanwhile
    /// overlaps with it.
    Overlap(u64),
    /// This answer, without effect.
    Status(StatusAnswer),
    /// The connection is closed without an answer and without effect.
    DropBefore,
    /// The request takes effect, then the connection is closed without an answer.
    DropAfter,
    /// The request takes effect; half of the announced body is sent, then the connection is closed.
    Truncate,
    /// The request takes effect; the body of the answer is broken JSON.
    Garbage,
    /// The request takes effect; the answer has this content type.
    ContentType(String),
    /// The answer is that of success, but nothing happened.
    Forget,
    /// The request takes effect and is never answered; the connection stays open.
    Swallow,
    /// The request takes effect; the answer comes byte by byte, with so many milliseconds between two.
    Trickle(u64),
    /// The request takes effect unless it is refused; the answer is one that does harm.
    Harm(Harm),
    /// The request is handled and answered; then the connection is closed although the answer did not
    /// say so, as the API does behind uwsgi.
    Close,
}

/// A fixed answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusAnswer {
    /// The status code.
    pub code: u16,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// The content type of the body.
    #[serde(default = "html")]
    pub content_type: String,
}

fn html() -> String {
    "text/html; charset=UTF-8".into()
}

impl StatusAnswer {
    /// The answer as it is sent.
    pub fn response(&self) -> Response {
        Response::new(self.code, &self.content_type, self.body.as_bytes())
    }
}

/// One fault: the requests it is for and what happens to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The service.
    pub service: ServiceName,
    /// The method; every method when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path, see [`path_matches`]; every path when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many matching requests pass before the first fault.
    #[serde(default)]
    pub skip: u32,
    /// How many requests are then hit; without end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// What happens.
    pub action: Action,
}

impl Rule {
    fn matches(&self, service: ServiceName, method: &str, path: &str) -> bool {
        self.service == service
            && self.method.as_deref().is_none_or(|m| m == method)
            && self.path.as_deref().is_none_or(|p| path_matches(p, path))
    }

    fn acts_at_accept(&self) -> bool {
        self.action == Action::Refuse && self.method.is_none() && self.path.is_none()
    }
}

/// Whether a path is meant by a pattern: `*` matches any characters; a pattern without `*` is
/// the path itself or whole leading segments of it (`/port` means `/port/<id>` too, not `/ports`).
pub fn path_matches(pattern: &str, path: &str) -> bool {
    if !pattern.contains('*') {
        return path.strip_prefix(pattern).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('/') || pattern.ends_with('/')
        });
    }
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty()
}

/// A rule with what it has seen so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The rule.
    pub rule: Rule,
    /// How many requests matched.
    pub seen: u32,
    /// How many of them were hit.
    pub hit: u32,
}

impl Progress {
    /// Counts a matching request; whether it is hit.
    fn count(&mut self) -> bool {
        self.seen = self.seen.saturating_add(1);
        let hit = self.seen > self.rule.skip && self.rule.count.is_none_or(|max| self.hit < max);
        self.hit = self.hit.saturating_add(u32::from(hit));
        hit
    }
}

/// The rules of a lab. They are asked in the order they were added: each rule that matches counts
/// the request, and the first that hits decides.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Progress>>);

impl Faults {
    /// Adds a rule behind the others.
    pub fn add(&self, rule: Rule) {
        self.rules().push(Progress {
            rule,
            seen: 0,
            hit: 0,
        });
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.rules().clear();
    }

    /// The rules and what they have done.
    pub fn list(&self) -> Vec<Progress> {
        self.rules().clone()
    }

    /// What happens to this request, counted.
    pub fn take(&self, service: ServiceName, method: &str, path: &str) -> Option<Action> {
        self.rules()
            .iter_mut()
            .filter(|p| !p.rule.acts_at_accept() && p.rule.matches(service, method, path))
            .find_map(|p| p.count().then(|| p.rule.action.clone()))
    }

    /// Whether a new connection is to be reset, counted.
    pub fn refuses(&self, service: ServiceName) -> bool {
        self.rules()
            .iter_mut()
            .filter(|p| p.rule.acts_at_accept() && p.rule.service == service)
            .any(Progress::count)
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Progress>> {
        // The list is whole after every statement: a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_path_without_star_means_itself_and_what_is_below() {
        assert!(path_matches("/port", "/port"));
        assert!(path_matches("/port", "/port/1"));
        assert!(path_matches("/", "/port/1"));
        assert!(!path_matches("/port", "/ports"));
        assert!(!path_matches("/port/1", "/port"));
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        assert!(path_matches(
            "/virtual-network/*/ip-alloc",
            "/virtual-network/1/ip-alloc"
        ));
        assert!(path_matches("*", "/anything"));
        assert!(path_matches("/virtual-machine*", "/virtual-machines"));
        assert!(path_matches("/a*b*b", "/abxb"));
        assert!(!path_matches(
            "/virtual-network/*/ip-alloc",
            "/virtual-network/1/ip-free"
        ));
        assert!(!path_matches("/a*bc", "/abcd"));
    }

    #[test]
    fn a_rule_skips_then_hits_as_often_as_it_says() {
        let faults = Faults::default();
        faults.add(rule(
            r#"{"service":"config-api","method":"POST","skip":1,"count":2,"action":"drop_after"}"#,
        ));
        let hits: Vec<bool> = (0..5)
            .map(|_| faults.take(ServiceName::ConfigApi, "POST", "/x").is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!(faults.take(ServiceName::ConfigApi, "GET", "/x"), None);
        assert_eq!(faults.take(ServiceName::Agent, "POST", "/x"), None);
        assert_eq!((faults.list()[0].seen, faults.list()[0].hit), (5, 2));
    }

    #[test]
    fn the_first_rule_that_hits_decides_and_the_next_takes_over_when_it_is_used_up() {
        let faults = Faults::default();
        faults.add(rule(
            r#"{"service":"agent","count":1,"action":{"delay":5}}"#,
        ));
        faults.add(rule(
            r#"{"service":"agent","action":{"status":{"code":503,"body":"busy"}}}"#,
        ));
        let take = || faults.take(ServiceName::Agent, "GET", "/port/1");
        assert_eq!(take(), Some(Action::Delay(5)));
        let Some(Action::Status(answer)) = take() else {
            panic!("the second rule must act");
        };
        assert_eq!(answer.response().status, 503);
    }

    #[test]
    fn a_refusal_without_path_acts_on_connections_and_with_path_on_requests() {
        let faults = Faults::default();
        faults.add(rule(r#"{"service":"agent","count":1,"action":"refuse"}"#));
        faults.add(rule(
            r#"{"service":"agent","path":"/port","action":"refuse"}"#,
        ));
        assert!(faults.refuses(ServiceName::Agent));
        assert!(!faults.refuses(ServiceName::Agent));
        assert_eq!(
            faults.take(ServiceName::Agent, "POST", "/port"),
            Some(Action::Refuse)
        );
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let text = r#"{"service":"agent","pth":"/port","action":"hang"}"#;
        assert!(serde_json::from_str::<Rule>(text).is_err());
    }
}
