//! Whether the controller has built a chain: pure.

use super::leg::Leg;
use super::objects::Objects;
use super::state::{ChainState, LegState};
use super::view::View;
use super::wanted::Wanted;
use crate::service_chain::types::Leg as Side;

/// What there is of a chain, leg by leg, and what is missing.
pub fn assess(wanted: &Wanted, objects: &Objects) -> ChainState {
    let view = View::new(wanted, objects);
    let legs = view.legs();
    let last = legs.len().saturating_sub(1);
    let places = legs.into_iter().enumerate();
    let legs = places.map(|(place, (index, side))| {
        let leg = Leg {
            view: &view,
            index,
            side,
        };
        let mut lacks = leg.lacks();
        let ends = [(0, Side::Left), (last, Side::Right)];
        let ends = ends.into_iter().filter(|(end, _)| *end == place);
        lacks.extend(ends.filter_map(|(_, end)| view.missing_rule(end)));
        LegState {
            service: leg.service().name.clone(),
            side,
            network: wanted.network(side).clone(),
            lacks,
        }
    });
    ChainState {
        policy: wanted.policy.clone(),
        legs: legs.collect(),
    }
}
