//! What the controller's own processes make of the configuration (`config-api.md` section 9): the service
//! monitor an address that all members of a service instance share, the schema transformer the routing
//! instances by which a service chain leads.
//!
//! On a real controller they follow a moment later. Here they are done before the request that changed
//! something is answered.

mod routing;
mod service_addresses;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::state::State;

/// What they have made, and nobody else may have an interest in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Made {
    /// The shared addresses of service instances.
    addresses: BTreeSet<Uuid>,
    /// The routing instances of service legs.
    routing_instances: BTreeSet<Uuid>,
    /// Connections between routing instances, each with the smaller id first.
    connections: BTreeSet<(Uuid, Uuid)>,
}

impl Made {
    fn is_empty(&self) -> bool {
        self.addresses.is_empty()
            && self.routing_instances.is_empty()
            && self.connections.is_empty()
    }
}

/// Makes and removes objects until they are what the configuration asks for.
pub fn follow(state: &mut State) {
    let kinds = state.kinds;
    let is_asked = state.store.count(kinds.service_instance) > 0
        || state.store.count(kinds.network_policy) > 0;
    if is_asked || !state.made.is_empty() {
        service_addresses::follow(state);
        // A chain exists once its members have such addresses.
        routing::follow(state);
    }
}
