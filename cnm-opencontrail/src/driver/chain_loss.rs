//! How often each service was found without its chains, and what is to be done about it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use contrail_core::FqName;

/// How often in a row each service was found without its chains.
#[derive(Default)]
pub(super) struct ChainLoss(Mutex<HashMap<FqName, u32>>);

/// What is to be done about a service without its chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Let its members on this host join it again.
    Rejoin,
    /// That did not help: warn the operator.
    Warn,
}

impl ChainLoss {
    /// Counts that the chains through a service are lost, or resets the count if they are not. There is no
    /// remedy the first time, since the controller may still be building them.
    pub(super) fn count(&self, instance: &FqName, is_lost: bool) -> Option<Remedy> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_lost {
            counts.remove(instance);
            return None;
        }
        let count = counts.entry(instance.clone()).or_default();
        *count = count.saturating_add(1);
        match *count {
            2 => Some(Remedy::Rejoin),
            // At growing intervals.
            count if count > 2 && count.is_power_of_two() => Some(Remedy::Warn),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_rejoin_once_and_warnings_follow_at_growing_intervals() {
        let (loss, name) = (ChainLoss::default(), FqName::new(["d", "p", "fw"]));
        let checks = |count: usize| -> Vec<(usize, Remedy)> {
            let checks = (1..=count).filter_map(|check| Some((check, loss.count(&name, true)?)));
            checks.collect()
        };
        let expected = [(2, Remedy::Rejoin), (4, Remedy::Warn), (8, Remedy::Warn)];
        assert_eq!(checks(9), expected);
        assert_eq!(loss.count(&name, false), None);
        assert_eq!(checks(3), expected[..1]);
    }
}
