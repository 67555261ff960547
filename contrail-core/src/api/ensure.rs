//! Creating objects under computed ids, which may be repeated.

use uuid::Uuid;

use super::client::Client;
use super::objects::InstanceIp;
use super::resource::Resource;
use crate::error::{Error, Result};
use crate::values::Effect;

/// Whether [`Client::ensure`] created the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ensured {
    /// The object's id.
    pub uuid: Uuid,
    /// `false` if it existed already.
    pub created: bool,
    /// Whether that is certain: `false` if a request was repeated after its answer was lost, since the
    /// object that the second one found may be older than the first.
    pub is_certain: bool,
}

impl Client {
    /// Creates an object that has its own id, or finds the one that exists under that id: the call is
    /// idempotent.
    ///
    /// # Errors
    /// As [`Client::create`]; [`Error::AlreadyExists`] only if the name belongs to an object with
    /// another id; [`Error::Missing`] if the object has no id.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client) -> contrail_core::Result<()> {
    /// use contrail_core::api::VirtualMachine;
    /// use uuid::Uuid;
    ///
    /// let machine = VirtualMachine::new(Uuid::from_u128(1));
    /// let first = client.ensure(&machine)?;
    /// let second = client.ensure(&machine)?;
    /// assert_eq!(first.uuid, second.uuid);
    /// assert!(!second.created);
    /// # Ok(()) }
    /// ```
    pub fn ensure<R: Resource>(&self, object: &R) -> Result<Ensured> {
        let Some(own) = object.uuid() else {
            let what = format!("id of {} {}", R::TYPE, object.fq_name());
            return Err(Error::missing(
                what,
                "only objects with an id can be ensured",
            ));
        };
        let error = match self.create_typed(object) {
            Err(error @ Error::AlreadyExists { .. }) => error,
            other => return other,
        };
        let existing = match &error {
            Error::AlreadyExists { uuid: Some(id), .. } => Some(*id),
            // A text of another version: the name has one holder, who can be asked for.
            _ => self.id_of::<R>(object.fq_name())?,
        };
        match existing == Some(own) {
            true => Ok(Ensured {
                uuid: own,
                created: false,
                is_certain: true,
            }),
            false => Err(error),
        }
    }

    /// Creates an instance IP that has its own id, or finds the one that exists under that id, as
    /// [`Client::ensure`]. If the answer is lost, the object is looked up, and the creation is sent again
    /// only if the object is absent and the connection broke: a server that takes too long may still be
    /// working on it, and two creations at the same time take two addresses.
    ///
    /// # Errors
    /// As [`Client::ensure`].
    pub fn ensure_address(&self, ip: &InstanceIp) -> Result<Ensured> {
        let error = match self.ensure(ip) {
            Err(error) if !error.had_no_effect() => error,
            other => return other,
        };
        let Some(uuid) = ip.uuid() else {
            return Err(error);
        };
        match self.get_opt_with::<InstanceIp>(uuid, &["instance_ip_address"]) {
            Ok(Some(_)) => Ok(Ensured {
                uuid,
                created: true,
                is_certain: false,
            }),
            Ok(None) if is_interrupted(&error) => self.ensure(ip).map_err(Error::unsure),
            Ok(None) | Err(_) => Err(error),
        }
    }
}

fn is_interrupted(error: &Error) -> bool {
    let cause = error.cause();
    matches!(cause, Error::Unreachable { effect, .. } if *effect == Effect::Interrupted)
}
