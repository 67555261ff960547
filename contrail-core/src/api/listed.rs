//! A list as it was read: objects, and those that could not be read.

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::object_type::ObjectType;
use crate::error::{Error, Result, report};

/// The objects of a list, and those that could not be read. To decide by a list that something is unused
/// or absent, look at both.
///
/// ```
/// use contrail_core::api::{Listed, Project};
///
/// let nothing: Listed<Project> = Listed::default();
/// assert!(nothing.whole()?.is_empty());
/// # Ok::<(), contrail_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Listed<R> {
    /// The objects.
    pub objects: Vec<R>,
    /// The objects that exist and could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// An object of a list that could not be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The type, as the API spells it.
    pub kind: &'static str,
    /// The id, if that could be read.
    pub uuid: Option<Uuid>,
    /// Why.
    pub error: Error,
}

impl<R> Default for Listed<R> {
    fn default() -> Self {
        Self {
            objects: Vec::new(),
            unreadable: Vec::new(),
        }
    }
}

impl<R> Listed<R> {
    /// The same list with each object converted.
    pub fn map<T>(self, convert: impl FnMut(R) -> T) -> Listed<T> {
        Listed {
            objects: self.objects.into_iter().map(convert).collect(),
            unreadable: self.unreadable,
        }
    }

    /// The objects; those that could not be read are reported and left out.
    pub fn readable(self) -> Vec<R> {
        for odd in &self.unreadable {
            let (kind, error) = (odd.kind, report(&odd.error));
            let id = odd
                .uuid
                .map_or("without an id".to_owned(), |id| id.to_string());
            log::warn!("skipped {kind} {id}: cannot read it: {error}");
        }
        self.objects
    }

    /// The objects, all of them.
    ///
    /// # Errors
    /// [`Error::Decode`] for the first one that could not be read.
    pub fn whole(self) -> Result<Vec<R>> {
        match self.unreadable.into_iter().next() {
            Some(odd) => Err(odd.error),
            None => Ok(self.objects),
        }
    }
}

impl Unreadable {
    pub(super) fn new(kind: ObjectType, item: &RawValue, error: Error) -> Self {
        Self {
            kind: kind.name(),
            uuid: id_of(item),
            error,
        }
    }
}

/// The id of an object of which nothing else can be relied on.
fn id_of(item: &RawValue) -> Option<Uuid> {
    #[derive(Deserialize)]
    struct WithId {
        uuid: Uuid,
    }
    let read = serde_json::from_str::<WithId>(item.get()).ok();
    read.map(|read| read.uuid)
}
