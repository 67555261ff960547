//! Addresses that are reserved before there is an interface for them: instance IPs that refer to
//! their network alone. They carry the owner mark, so that this host finds its own again.

use std::net::IpAddr;

use uuid::Uuid;

use crate::api::objects::InstanceIp;
use crate::api::{Client, ListQuery};
use crate::attach::attacher::Attacher;
use crate::attach::attacher::Host;
use crate::attach::error::Result;
use crate::attach::objects;
use crate::attach::spec::{Reservation, Reserve};
use crate::error::Error;
use crate::ownership::{self, ReservedFor};
use crate::values::Deadline;

impl Attacher {
    /// Reserves an address. One request, and a second one when the API chooses.
    ///
    /// # Errors
    /// [`Error::AddressInUse`] when the address is taken, [`Error::NoAddress`] when none is left
    /// or no subnet holds it, [`Error::NotFound`] when the network is gone.
    pub fn reserve_address(&self, wanted: &Reserve, deadline: Deadline) -> Result<IpAddr> {
        Ok(reserve(&self.client(deadline), &self.host, wanted)?)
    }

    /// The addresses that this host has reserved in a network, apart from those whose marks only a later
    /// release can read. One request.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn reservations(&self, network: Uuid, deadline: Deadline) -> Result<Vec<Reservation>> {
        let found = self.addresses_of(network, deadline)?;
        let ours = |ip: InstanceIp| {
            let purpose = self.host.maker.reserved_for(&ip.meta)?.to_owned();
            let (id, address) = (ip.meta.uuid?, ip.address?);
            let reserved_for = ReservedFor::of(&ip.meta);
            // Only the program that understands a mark decides about its address.
            let reserved_for = reserved_for
                .inspect_err(|error| log::debug!("left reserved address {address} alone: {error}"));
            Some(Reservation {
                id,
                address,
                reserved_for: reserved_for.ok()?,
                purpose,
            })
        };
        Ok(found.into_iter().filter_map(ours).collect())
    }

    /// Who has an address of a network, for people. One request.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn address_holder(
        &self,
        network: Uuid,
        address: IpAddr,
        deadline: Deadline,
    ) -> Result<Option<String>> {
        let found = self.addresses_of(network, deadline)?;
        let holder = found.iter().find(|ip| ip.address == Some(address));
        Ok(holder.map(|ip| ownership::holder(&ip.meta)))
    }

    /// Releases an address; `false` when it was already gone.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn release_address(&self, id: Uuid, deadline: Deadline) -> Result<bool> {
        Ok(self.client(deadline).delete::<InstanceIp>(id)?)
    }

    fn addresses_of(&self, network: Uuid, deadline: Deadline) -> crate::Result<Vec<InstanceIp>> {
        let query = ListQuery::referring_to(network).fields(&[
            "instance_ip_address",
            "annotations",
            "display_name",
        ]);
        self.client(deadline).list(&query)
    }
}

fn reserve(client: &Client, host: &Host, wanted: &Reserve) -> crate::Result<IpAddr> {
    client.ensure_address(&objects::reserved_ip(host, wanted))?;
    if let Some(address) = wanted.address {
        return Ok(address);
    }
    let object: InstanceIp = client.get_with(wanted.id, &["instance_ip_address"])?;
    match object.address {
        Some(address) => Ok(address),
        None => {
            // The API makes it without one where the chosen subnet is full.
            client.delete::<InstanceIp>(wanted.id)?;
            Err(full(wanted))
        }
    }
}

fn full(wanted: &Reserve) -> Error {
    let reason = match wanted.subnet {
        Some((_, prefix)) => format!("every address of subnet {prefix} is taken"),
        None => "the API chose none".to_owned(),
    };
    Error::NoAddress {
        network: wanted.network.clone(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::{Method, Response};
    use crate::testing::{FakeTransport, client_of, host};
    use crate::values::{Family, FqName};

    const ID: Uuid = Uuid::from_u128(7);

    #[test]
    fn an_instance_ip_without_an_address_is_rolled_back_and_the_full_subnet_is_named() {
        // As recorded: the API answers 200 to the creation.
        let transport = FakeTransport::new(|request| {
            let body = match request.method {
                Method::DELETE => String::new(),
                _ => json!({"instance-ip": {"fq_name": [ID], "uuid": ID}}).to_string(),
            };
            Ok(Response::new(200, body))
        });
        let wanted = Reserve {
            id: ID,
            network: &FqName::new(["d", "p", "n"]),
            network_id: Uuid::from_u128(1),
            family: Family::V4,
            address: None,
            subnet: Some((Uuid::from_u128(2), "10.1.1.0/29".parse().unwrap())),
            reserved_for: ReservedFor::Interface,
            purpose: "test",
        };
        let error = reserve(&client_of(transport.clone()), &host(), &wanted).unwrap_err();
        assert!(matches!(error, Error::NoAddress { .. }));
        assert!(error.to_string().contains("10.1.1.0/29"), "{error}");
        let methods: Vec<Method> = transport
            .requests()
            .iter()
            .map(|r| r.method.clone())
            .collect();
        assert_eq!(methods, [Method::POST, Method::GET, Method::DELETE]);
    }
}
