//! The service chains that the controller has built, read from their routing instances.

use contrail_core::FqName;

use super::types::ChainView;
use crate::config::made::Chain;
use crate::config::state::State;
use crate::config::store::Object;

pub(super) fn built(state: &State) -> Vec<ChainView> {
    let chains = state.made.chains();
    chains.filter_map(|chain| view(state, chain)).collect()
}

fn view(state: &State, chain: &Chain) -> Option<ChainView> {
    let network = |name: &FqName| state.store.find(state.kinds.virtual_network, name.parts());
    let instance = |name: FqName| {
        let id = state
            .store
            .find(state.kinds.routing_instance, name.parts())?;
        state.store.get(id)
    };
    let mut leads_back = true;
    for service in &chain.services {
        let left = instance(chain.routing_instance(&chain.left, service));
        if !left.is_some_and(passes_routes_on) {
            return None;
        }
        // There is none to the right of a service instance that translates addresses.
        let right = instance(chain.routing_instance(&chain.right, service));
        leads_back &= right.is_none_or(passes_routes_on);
    }
    Some(ChainView {
        rules: chain.rules.clone(),
        left: network(&chain.left)?,
        right: network(&chain.right)?,
        leads_back,
    })
}

fn passes_routes_on(instance: &Object) -> bool {
    let kinds = [
        "service_chain_information",
        "ipv6_service_chain_information",
    ];
    kinds.iter().any(|kind| instance.props.contains_key(*kind))
}
