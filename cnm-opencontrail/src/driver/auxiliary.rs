//! Auxiliary addresses: reserved so that no other host or program gets them.

use std::net::IpAddr;

use contrail_core::Deadline;
use contrail_core::attach::Reserve;
use contrail_core::ownership::ReservedFor;
use contrail_core::values::Family;
use uuid::Uuid;

use super::network_driver::NetworkDriver;
use super::pools::address_of;
use super::store::Network;
use crate::error::Result;
use crate::proto::{IpamData, NetworkId};
use crate::reserved::Purpose;

impl NetworkDriver {
    /// Reserves the auxiliary addresses of a network.
    ///
    /// # Errors
    /// If an address cannot be used or reserved; the entry lists those that were reserved before.
    pub(super) fn reserve_auxiliary(
        &self,
        id: &NetworkId,
        network: &mut Network,
        end: Deadline,
    ) -> Result<()> {
        for (label, address) in self.auxiliary(&network.wanted.pools.clone())? {
            let ip = instance_ip(id, network.uuid, address);
            let purpose = Purpose::Auxiliary {
                label,
                network: id.short(),
            };
            self.attacher.reserve_address(
                &Reserve {
                    id: ip,
                    network: &network.name,
                    network_id: network.uuid,
                    family: Family::of(address),
                    address: Some(address),
                    subnet: None,
                    reserved_for: ReservedFor::Nothing,
                    purpose: &purpose.to_string(),
                },
                end,
            )?;
            network.auxiliary.push(ip);
        }
        Ok(())
    }

    /// The instance IPs of the auxiliary addresses of pools of a network.
    ///
    /// # Errors
    /// If an address cannot be used.
    pub(super) fn auxiliary_ips(
        &self,
        id: &NetworkId,
        network: Uuid,
        pools: &[IpamData],
    ) -> Result<Vec<Uuid>> {
        let addresses = self.auxiliary(pools)?.into_iter();
        Ok(addresses
            .map(|(_, address)| instance_ip(id, network, address))
            .collect())
    }

    /// The auxiliary addresses that this driver reserves; the plugin's own IPAM driver does so for its
    /// pools.
    fn auxiliary<'a>(&self, pools: &'a [IpamData]) -> Result<Vec<(&'a str, IpAddr)>> {
        let others = pools.iter().filter(|pool| !self.is_own(pool));
        let texts = others.flat_map(|pool| &pool.aux_addresses);
        let addresses =
            texts.map(|(label, text)| Ok((label.as_str(), address_of("aux-address", text)?)));
        addresses.collect()
    }
}

/// The instance IP that reserves an auxiliary address.
fn instance_ip(id: &NetworkId, network: Uuid, address: IpAddr) -> Uuid {
    Uuid::new_v5(&network, format!("{id} {address}").as_bytes())
}
