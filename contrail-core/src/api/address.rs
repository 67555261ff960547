//! Creating instance IPs, of which one id may never be sent twice at once.

use super::objects::InstanceIp;
use super::{Client, Ensured, Resource};
use crate::error::{Error, Result};
use crate::http::TransportError;

impl Client {
    /// Creates an instance IP that has its own id, or finds it made already under that id, as
    /// [`Client::ensure`]. When the answer gets lost, it is looked for, and sent again only if it is not
    /// there and the connection broke: a server that takes too long may still be at it, and two creations
    /// at once take two addresses.
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
            Ok(None) if has_broken(&error) => self.ensure(ip).map_err(Error::unsure),
            Ok(None) | Err(_) => Err(error),
        }
    }
}

fn has_broken(error: &Error) -> bool {
    let Error::Unreachable { source, .. } = error.cause() else {
        return false;
    };
    let source = source.downcast_ref::<TransportError>();
    matches!(source, Some(TransportError::Lost { .. }))
}
