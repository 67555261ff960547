//! Every request that a client of the real services would send, with times, to count requests and
//! round trips. Those to the lab's own endpoint are not among them: they are no work of a plugin.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::faults::path_matches;
use crate::http::{Request, ServiceName};

/// How many requests are kept; older ones are forgotten.
const CAPACITY: usize = 100_000;

/// One request that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The service.
    pub service: ServiceName,
    /// The method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The status of the answer; 0 when none was sent.
    pub status: u16,
    /// When its head had been read, in microseconds since the log began or was reset.
    pub start: u64,
    /// When the answer was ready or the request was given up, on the same clock.
    pub end: u64,
    /// The number of the connection that it came on, unique in the process.
    pub connection: u64,
}

#[derive(Debug)]
struct State {
    began: Instant,
    entries: VecDeque<Entry>,
}

/// The log. Shared by all services.
#[derive(Debug)]
pub struct RequestLog(Mutex<State>);

impl Default for RequestLog {
    fn default() -> Self {
        Self(Mutex::new(State {
            began: Instant::now(),
            entries: VecDeque::new(),
        }))
    }
}

impl RequestLog {
    /// Notes that a request has come. It is logged when the returned value ends or is dropped.
    pub fn begin(
        self: &Arc<Self>,
        service: ServiceName,
        connection: u64,
        request: &Request,
    ) -> Open {
        let mut path = request.path.clone();
        if !request.query.is_empty() {
            path.push('?');
            path.push_str(&request.query);
        }
        Open {
            log: Arc::clone(self),
            started: Instant::now(),
            entry: Entry {
                service,
                method: request.method.clone(),
                path,
                status: 0,
                start: 0,
                end: 0,
                connection,
            },
        }
    }

    /// The requests that have ended, in the order they ended.
    pub fn entries(&self) -> Vec<Entry> {
        self.state().entries.iter().cloned().collect()
    }

    /// Forgets all requests and restarts the clock.
    pub fn reset(&self) {
        *self.state() = State {
            began: Instant::now(),
            entries: VecDeque::new(),
        };
    }

    /// How many requests of a service had this method and a path that `pattern` means (see
    /// [`path_matches`]); the query does not count.
    pub fn count(&self, service: ServiceName, method: &str, pattern: &str) -> usize {
        self.state()
            .entries
            .iter()
            .filter(|entry| entry.service == service && entry.method == method)
            .filter(|entry| {
                let path = entry.path.split('?').next().unwrap_or_default();
                path_matches(pattern, path)
            })
            .count()
    }

    /// How many requests there were by "service method /first-segment".
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in &self.state().entries {
            let first = entry.path.split(['/', '?']).nth(1).unwrap_or_default();
            let key = format!("{} {} /{first}", entry.service, entry.method);
            *counts.entry(key).or_default() += 1;
        }
        counts
    }

    /// The serial depth of all requests in the log, see [`serial_depth`].
    pub fn serial_depth(&self) -> usize {
        let spans: Vec<_> = self
            .state()
            .entries
            .iter()
            .map(|e| (e.start, e.end))
            .collect();
        serial_depth(spans)
    }

    fn push(&self, mut entry: Entry, started: Instant) {
        if entry.service == ServiceName::Control {
            return;
        }
        let mut state = self.state();
        let since = |then: Instant| {
            let micros = then.saturating_duration_since(state.began).as_micros();
            u64::try_from(micros).unwrap_or(u64::MAX)
        };
        entry.start = since(started);
        entry.end = since(Instant::now());
        if state.entries.len() == CAPACITY {
            state.entries.pop_front();
        }
        state.entries.push_back(entry);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment or push: a panic elsewhere leaves a usable log.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being handled.
pub struct Open {
    log: Arc<RequestLog>,
    started: Instant,
    entry: Entry,
}

impl Open {
    /// The request was answered with this status.
    pub fn end(mut self, status: u16) {
        self.entry.status = status;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.log.push(self.entry.clone(), self.started);
    }
}

/// The length of the longest chain of spans in which each starts after the one before ended: how
/// many round trips a client needed at least, however many requests ran side by side.
pub fn serial_depth(mut spans: Vec<(u64, u64)>) -> usize {
    // The greedy choice of the earliest end gives the longest chain.
    spans.sort_by_key(|&(start, end)| (end, start));
    let mut depth = 0;
    let mut free_from = 0;
    for (start, end) in spans {
        if depth == 0 || start >= free_from {
            depth += 1;
            free_from = end;
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_side_by_side_are_one_step() {
        assert_eq!(serial_depth(vec![]), 0);
        assert_eq!(serial_depth(vec![(0, 10), (1, 9), (2, 12)]), 1);
        assert_eq!(
            serial_depth(vec![(0, 10), (1, 9), (11, 20), (12, 30), (31, 40)]),
            3
        );
    }

    #[test]
    fn a_long_request_beside_short_ones_does_not_hide_their_chain() {
        assert_eq!(serial_depth(vec![(0, 100), (0, 10), (20, 30), (40, 50)]), 3);
    }

    #[test]
    fn counts_by_pattern_and_forgets_on_reset() {
        let log = Arc::new(RequestLog::default());
        let request = Request {
            method: "GET".into(),
            path: "/virtual-network/1".into(),
            query: "fields=a".into(),
            ..Request::default()
        };
        log.begin(ServiceName::ConfigApi, 7, &request).end(200);
        drop(log.begin(ServiceName::ConfigApi, 8, &request));
        let entries = log.entries();
        assert_eq!(entries[0].path, "/virtual-network/1?fields=a");
        assert_eq!((entries[0].status, entries[1].status), (200, 0));
        assert_eq!(
            log.count(ServiceName::ConfigApi, "GET", "/virtual-network"),
            2
        );
        assert_eq!(log.counts()["config-api GET /virtual-network"], 2);
        log.begin(ServiceName::Control, 9, &request).end(200);
        assert_eq!((log.entries().len(), log.counts().len()), (2, 1));
        log.reset();
        assert!(log.entries().is_empty());
    }
}
