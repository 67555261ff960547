//! The rules of single types: what is refused beyond the schema, what the server fills in, and
//! what it makes and removes together with an object.

mod floating_ip;
mod instance_ip;
mod network_address;
mod network_ipam;
mod policy;
mod project;
mod routing_instance;
mod service_template;
mod subnets;
mod virtual_machine_interface;
mod virtual_network;

use uuid::Uuid;

use super::draft::Draft;
use super::error::Result;
use super::state::State;
use super::store::Object;

/// Checks and completes a new object. Changes of the state come after the last check: when this
/// succeeds, the object is stored.
///
/// # Errors
/// What the type's rules refuse.
pub fn before_create(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    let kinds = state.kinds;
    match draft.object.kind {
        kind if kind == kinds.virtual_network => virtual_network::before_create(state, draft),
        kind if kind == kinds.virtual_machine_interface => {
            virtual_machine_interface::before_create(state, draft)
        }
        kind if kind == kinds.instance_ip => instance_ip::before_create(state, draft),
        kind if kind == kinds.network_ipam => network_ipam::before_create(state, draft),
        kind if kind == kinds.network_policy => policy::before_policy(draft),
        kind if kind == kinds.security_group => policy::before_create_group(state, draft),
        kind if kind == kinds.service_template => {
            service_template::before_create(draft);
            Ok(())
        }
        kind if kind == kinds.routing_instance => routing_instance::before_create(draft),
        kind if kind == kinds.floating_ip => floating_ip::before_create(state, draft),
        _ => Ok(()),
    }
}

/// Makes what the server makes together with a new object.
pub fn after_create(state: &mut State, object: &Object) {
    let kinds = state.kinds;
    match object.kind {
        kind if kind == kinds.virtual_network => virtual_network::after_create(state, object),
        kind if kind == kinds.virtual_machine_interface => {
            virtual_machine_interface::after_create(state, object);
        }
        kind if kind == kinds.project => project::after_create(state, object),
        _ => {}
    }
}

/// Checks and completes a change, also one of a single reference. As with
/// [`before_create`], changes of the state come last.
///
/// # Errors
/// What the type's rules refuse.
pub fn before_update(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    let kinds = state.kinds;
    match draft.object.kind {
        kind if kind == kinds.virtual_network => virtual_network::before_update(state, draft),
        kind if kind == kinds.virtual_machine_interface => {
            virtual_machine_interface::before_update(state, draft)
        }
        kind if kind == kinds.instance_ip => instance_ip::before_update(state, draft),
        kind if kind == kinds.network_ipam => network_ipam::before_update(state, draft),
        kind if kind == kinds.network_policy => policy::before_policy(draft),
        kind if kind == kinds.security_group => policy::before_update_group(state, draft),
        _ => Ok(()),
    }
}

/// Whether an object that nothing needs may go.
///
/// # Errors
/// What the type's rules refuse.
pub fn before_delete(state: &State, object: &Object) -> Result<()> {
    if object.kind == state.kinds.routing_instance {
        return routing_instance::before_delete(object);
    }
    Ok(())
}

/// Removes what goes together with an object that is gone.
pub fn after_delete(state: &mut State, object: &Object) {
    let kinds = state.kinds;
    match object.kind {
        kind if kind == kinds.virtual_network => virtual_network::after_delete(state, object),
        kind if kind == kinds.instance_ip => instance_ip::after_delete(state, object),
        kind if kind == kinds.floating_ip => floating_ip::after_delete(state, object),
        kind if kind == kinds.security_group => policy::after_delete_group(state, object),
        kind if kind == kinds.network_ipam => {
            state.spaces.remove(&object.uuid);
        }
        kind if kind == kinds.project => project::after_delete(state, object),
        _ => {}
    }
}

impl State {
    /// Removes an object and what the server makes together with it, whoever needs it.
    pub fn discard(&mut self, uuid: Uuid) {
        let removed = self.store.remove(uuid);
        self.forget(removed);
    }

    /// As [`State::discard`], but who refers to the object goes on doing so.
    pub fn discard_alone(&mut self, uuid: Uuid) {
        let removed = self.store.remove_alone(uuid);
        self.forget(removed);
    }

    fn forget(&mut self, removed: Option<Object>) {
        if let Some(object) = removed {
            self.touch();
            after_delete(self, &object);
        }
    }
}
