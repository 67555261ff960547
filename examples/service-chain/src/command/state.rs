//! What the controller has built, as text for people: pure.

use contrail_core::service_chain::{ChainState, LegState, Progress};

/// Every leg, a line each.
pub fn legs(state: &ChainState) -> String {
    lines(state, |_| true)
}

/// The legs that are not built, a line each.
pub fn broken_legs(state: &ChainState) -> String {
    lines(state, |leg| !leg.lacks.is_empty())
}

/// The first leg that is not built.
pub fn first(state: &ChainState) -> String {
    let mut broken = state.legs.iter().filter(|leg| !leg.lacks.is_empty());
    broken.next().map(LegState::to_string).unwrap_or_default()
}

/// How far the controller is.
pub fn verdict(state: &ChainState) -> &'static str {
    match state.progress() {
        Progress::Built => "complete",
        Progress::Hidden => "applied; whether it is built only an administrator can read",
        Progress::Waiting | Progress::Unbuilt => "applied, not built",
    }
}

fn lines(state: &ChainState, is_chosen: impl Fn(&LegState) -> bool) -> String {
    let legs = state.legs.iter().filter(|leg| is_chosen(leg));
    legs.map(|leg| format!("{leg}\n")).collect()
}
