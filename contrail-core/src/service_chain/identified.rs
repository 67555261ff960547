//! Objects together with their ids, so that no change can be planned for one without.

use std::ops::Deref;

use crate::api::Resource;
use crate::values::{FqName, identity};
use uuid::Uuid;

/// An object that has an id.
#[derive(Clone, Debug, PartialEq)]
pub struct Identified<R> {
    uuid: Uuid,
    object: R,
}

impl<R: Resource> Identified<R> {
    /// An object that was read; `None` if the answer does not tell its id.
    pub(super) fn of(object: R) -> Option<Self> {
        Some(Self {
            uuid: object.uuid()?,
            object,
        })
    }

    /// An object that was read by its id.
    pub(super) fn read(uuid: Uuid, object: R) -> Self {
        Self { uuid, object }
    }

    /// A new object, under the id that follows from its type and name.
    pub(super) fn made(mut object: R) -> Self {
        let uuid = made_id::<R>(object.fq_name());
        object.meta_mut().uuid = Some(uuid);
        Self { uuid, object }
    }

    /// The id.
    pub fn id(&self) -> Uuid {
        self.uuid
    }

    /// The object, to change anything but its id.
    pub(super) fn object_mut(&mut self) -> &mut R {
        &mut self.object
    }
}

impl<R> Deref for Identified<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.object
    }
}

/// The id of an object of a service chain that is made here.
pub(super) fn made_id<R: Resource>(name: &FqName) -> Uuid {
    identity::service_object(R::TYPE, name)
}

/// The objects that have ids; the API's answers do not leave them out.
pub(super) fn identified<R: Resource>(objects: Vec<R>) -> Vec<Identified<R>> {
    objects.into_iter().filter_map(Identified::of).collect()
}
