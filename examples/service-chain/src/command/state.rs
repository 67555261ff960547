//! What the controller has built, as text. Pure functions.

use contrail_core::service_chain::{ChainState, LegState, Progress};

/// All legs, one line each.
pub fn legs(state: &ChainState) -> String {
    lines(state, |_| true)
}

/// The legs that are not built, one line each.
pub fn broken_legs(state: &ChainState) -> String {
    lines(state, |leg| !leg.lacks.is_empty())
}

/// The first leg that is not built.
pub fn first(state: &ChainState) -> String {
    let mut broken = state.legs.iter().filter(|leg| !leg.lacks.is_empty());
    broken.next().map(LegState::to_string).unwrap_or_default()
}

/// The progress of the controller.
pub fn verdict(state: &ChainState) -> &'static str {
    match state.progress() {
        Progress::Built => "complete",
        Progress::Hidden => "applied; only an administrator can see whether it is built",
        Progress::Waiting | Progress::Unbuilt => "applied, not built",
    }
}

fn lines(state: &ChainState, is_chosen: impl Fn(&LegState) -> bool) -> String {
    let legs = state.legs.iter().filter(|leg| is_chosen(leg));
    legs.map(|leg| format!("{leg}\n")).collect()
}
