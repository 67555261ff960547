//! What is measured, and its medians.

use std::fmt;
use std::time::Duration;

use super::network::Requests;
use super::programs::{COUNT, Operation};

/// What one process cost.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub wall: Duration,
    /// User and system time, with that of the processes that it waited for.
    pub cpu: Duration,
    /// Peak memory in KiB.
    pub rss: u64,
}

/// What the plugin meets.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// How many networks the project has.
    pub networks: usize,
    /// What is added to each request, in milliseconds.
    pub delay: u64,
    /// Whether the lab forwards packets, which is work of its own.
    pub forwarding: bool,
}

impl Condition {
    /// Without forwarding.
    pub fn new(networks: usize, delay: u64) -> Self {
        Self {
            networks,
            delay,
            forwarding: false,
        }
    }

    /// Whether times have budgets: what the services take longer no program can save.
    pub fn is_quick(&self) -> bool {
        self.delay == 0 && !self.forwarding
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            networks, delay, ..
        } = self;
        let forwarding = if self.forwarding { ", forwarding" } else { "" };
        write!(
            f,
            "{networks} networks, {delay} ms more per request{forwarding}"
        )
    }
}

/// One operation of all programs under one condition.
pub struct Case {
    pub operation: Operation,
    pub condition: Condition,
    /// Of the plugin.
    pub requests: Requests,
    pub samples: [Vec<Sample>; COUNT],
}

impl Case {
    pub fn new(operation: Operation, condition: Condition) -> Self {
        Self {
            operation,
            condition,
            requests: Requests::default(),
            samples: Default::default(),
        }
    }

    /// The wall time of a program in milliseconds; `None` when it is not installed.
    pub fn wall(&self, program: usize) -> Option<Spread> {
        Spread::of(self.samples[program].iter().map(|s| milliseconds(s.wall)))
    }

    /// The CPU time of a program in milliseconds.
    pub fn cpu(&self, program: usize) -> Option<Spread> {
        Spread::of(self.samples[program].iter().map(|s| milliseconds(s.cpu)))
    }

    /// The peak memory of a program in MiB.
    pub fn rss(&self, program: usize) -> Option<Spread> {
        Spread::of(self.samples[program].iter().map(|s| s.rss as f64 / 1024.0))
    }
}

/// One operation of all programs in many namespaces at once.
pub struct Crowd {
    pub operation: Operation,
    pub condition: Condition,
    /// From the first start to the last end.
    pub times: [Vec<Duration>; COUNT],
}

impl Crowd {
    pub fn new(operation: Operation, condition: Condition) -> Self {
        Self {
            operation,
            condition,
            times: Default::default(),
        }
    }

    /// The time of a program in milliseconds; `None` when it is not installed.
    pub fn wall(&self, program: usize) -> Option<Spread> {
        Spread::of(self.times[program].iter().copied().map(milliseconds))
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The middle and the ends of a series.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Spread {
    /// `None` for an empty series.
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Some(Self {
            least: *values.first()?,
            median: values[values.len() / 2],
            most: *values.last()?,
        })
    }
}
