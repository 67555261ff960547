//! Creating endpoints: a container's connection to a network, with its objects and addresses.

use std::net::IpAddr;

use contrail_core::api::{Resource, SecurityGroup};
use contrail_core::attach::{Endpoint, EndpointAddress, Service};
use contrail_core::error::Layered;
use contrail_core::values::Invalid;
use contrail_core::{Deadline, Error as CoreError, FqName, MacAddr, attach};
use uuid::Uuid;

use super::names::container_name;
use super::network_driver::NetworkDriver;
use super::pools::address_of;
use super::recover::unknown;
use super::store::{EndpointEntry, Network};
use super::{endpoint_options, published_ports};
use crate::error::Result;
use crate::plugin::PATIENCE;
use crate::proto::{CreateEndpoint, EndpointId, EndpointInterface, Reply};
use crate::stage::Stage;

impl NetworkDriver {
    /// `NetworkDriver.CreateEndpoint`: the objects and the addresses.
    ///
    /// # Errors
    /// An address that is held by another interface, with its holder; options that cannot be used; an
    /// endpoint that has joined already; a controller that is down.
    pub fn create_endpoint(&self, request: &CreateEndpoint) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let network = self.known(&request.network_id, end)?;
        let name = &network.name;
        let project = name.parent().ok_or_else(|| {
            Invalid::new("virtual network", name.to_string(), "it is in no project")
        })?;
        let options = endpoint_options::read(&request.options, &project)?;
        let given = &request.interface;
        let mac = match given.mac_address.as_str() {
            "" => None,
            text => Some(text.parse::<MacAddr>()?),
        };
        let mut addresses = Vec::new();
        for text in [&given.address, &given.address_ipv6] {
            if !text.is_empty() {
                let address = address_of("address", text)?;
                addresses.push((address, self.reserved_by_ipam(&network, address)?));
            }
        }
        if addresses.is_empty() {
            let hint = "Docker gave the endpoint none: use its own IPAM driver or opencontrail";
            return Err(CoreError::missing("an address", hint).into());
        }
        let entry = EndpointEntry {
            network: Some(request.network_id.clone()),
            addresses,
            mac,
            vm: None,
            service: options.service,
            node: Some(self.node.clone()),
            stage: Stage::Live,
            options: options.interface,
        };
        published_ports::check(request, &network, &entry)?;
        let mac_of_objects = self.create_recorded(&request.endpoint_id, &entry, end, || {
            // A removal of the network takes the endpoints that are recorded when it begins: this one is
            // among them, or the network is no longer there.
            self.recorded(&request.network_id)?
                .ok_or_else(|| unknown(&request.network_id))?;
            self.create_objects(request, &network, &entry, end)
        })?;
        let interface = match mac {
            Some(_) => EndpointInterface::default(),
            None => EndpointInterface::with_mac(mac_of_objects),
        };
        Ok(Reply::Endpoint { interface })
    }

    /// Creates an endpoint and records it. Docker does not delete one whose creation was interrupted, so it
    /// is recorded first, as something to remove.
    fn create_recorded<T>(
        &self,
        id: &EndpointId,
        entry: &EndpointEntry,
        end: Deadline,
        create: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let _lock = self.locks.lock(id.as_str(), end)?;
        let earlier = self.store.endpoint(id)?;
        match &earlier {
            Some(earlier) if earlier.stage.is_incomplete() => {
                self.remove_recorded(id, earlier.clone())?;
            }
            // Created again it would lose its port, while its container runs.
            Some(earlier) if earlier.vm.is_some() => {
                return Err(CoreError::AlreadyExists {
                    kind: "Docker endpoint",
                    name: id.short().to_owned(),
                    uuid: None,
                }
                .into());
            }
            _ => {}
        }
        self.attacher.remember_name()?;
        let creating = EndpointEntry {
            stage: Stage::Creating,
            ..entry.clone()
        };
        self.store.put_endpoint(id, &creating)?;
        let created = create();
        match (&created, earlier) {
            (Ok(_), _) => self.store.put_endpoint(id, entry)?,
            // All of it was rolled back, or its removal is in the queue of deferred ones.
            (Err(_), None) => self.store.remove_endpoint(id)?,
            // What the earlier call created may exist: it remains recorded as something to remove.
            (Err(_), Some(_)) => {}
        }
        created
    }

    fn create_objects(
        &self,
        request: &CreateEndpoint,
        network: &Network,
        entry: &EndpointEntry,
        end: Deadline,
    ) -> Result<MacAddr> {
        let mut endpoint = self.endpoint(&request.endpoint_id, network, entry);
        let created = match self.attacher.create_endpoint(&endpoint) {
            Err(error) if is_network_gone(&error) => {
                self.check_groups(&endpoint.options.security_groups, end)?;
                log::warn!(
                    "virtual network {} no longer exists: creating it again",
                    network.name
                );
                let network = self.establish_again(&request.network_id, network, end)?;
                endpoint.network_id = network.uuid;
                endpoint.project_id = network.project;
                self.attacher.create_endpoint(&endpoint)
            }
            Err(error) if self.free_address(request, &error, end)? => {
                self.attacher.create_endpoint(&endpoint)
            }
            other => other,
        };
        created.map_err(|error| self.name_holder(network, error, end))
    }

    /// Names a security group that does not exist: the API does not say which of the objects that an
    /// interface refers to is missing.
    fn check_groups(&self, groups: &[FqName], end: Deadline) -> Result<()> {
        for name in groups {
            if self.client(end).lookup::<SecurityGroup>(name)?.is_none() {
                return Err(CoreError::NotFound {
                    kind: SecurityGroup::TYPE,
                    name: name.to_string(),
                    hint: Some("create it, or leave the option security-group out".into()),
                }
                .into());
            }
        }
        Ok(())
    }

    /// An endpoint in the form in which the library attaches it.
    pub(super) fn endpoint(
        &self,
        id: &EndpointId,
        network: &Network,
        entry: &EndpointEntry,
    ) -> Endpoint {
        Endpoint {
            id: id.as_str().to_owned(),
            network: network.name.clone(),
            network_id: network.uuid,
            project_id: network.project,
            addresses: entry
                .addresses
                .iter()
                .map(|(address, reserved)| EndpointAddress {
                    address: *address,
                    reserved: *reserved,
                })
                .collect(),
            mac: entry.mac,
            mtu: network.wanted.options.properties.mtu,
            display_name: container_name(id),
            service: entry.service.clone().map(|role| Service {
                role,
                forwarding: false,
            }),
            options: entry.options.clone(),
        }
    }

    /// The instance IP that the plugin's own IPAM driver has reserved for an address.
    fn reserved_by_ipam(&self, network: &Network, address: IpAddr) -> Result<Option<Uuid>> {
        // The pools of a network whose state was lost have no address space.
        let mut pools = network.wanted.pools.iter();
        let own = pools.any(|pool| self.is_own(pool) || pool.address_space.is_empty());
        match own {
            true => self.ipam.reservation(network.uuid, address),
            false => Ok(None),
        }
    }
}

/// Whether the virtual network of an endpoint no longer exists.
pub(super) fn is_network_gone(error: &attach::Error) -> bool {
    matches!(
        error.client_cause(),
        Some(CoreError::MissingReference { .. })
    )
}
