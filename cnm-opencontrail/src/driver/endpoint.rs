//! Endpoints: a container's connection to a network, from its addresses to its interface and back.

use std::net::IpAddr;

use contrail_core::api::{Resource, SecurityGroup};
use contrail_core::attach::{Endpoint, EndpointAddress, Service};
use contrail_core::error::report;
use contrail_core::{Deadline, Error as CoreError, FqName, MacAddr};

use super::names::container_name;
use super::network::address_of;
use super::store::{EndpointEntry, NetworkEntry};
use super::{NetworkDriver, PATIENCE, endpoint_options};
use crate::error::{Error, Result};
use crate::proto::{
    CreateEndpoint, EndpointId, EndpointInterface, InterfaceName, Join, JoinReply, NetworkId,
    PortBinding, Reply,
};

/// What the names of interfaces in containers begin with.
const IN_CONTAINER: &str = "eth";

impl NetworkDriver {
    /// `NetworkDriver.CreateEndpoint`: the objects and the addresses.
    ///
    /// # Errors
    /// An address that somebody has, with the holder's name; options that cannot be used; an endpoint
    /// that has joined already; a controller that is down.
    pub fn create_endpoint(&self, request: &CreateEndpoint) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let network = self.known(&request.network_id, end)?;
        let options = endpoint_options::read(&request.options, &network.name.parent())?;
        let given = &request.interface;
        let mac = match given.mac_address.as_str() {
            "" => None,
            text => Some(text.parse::<MacAddr>()?),
        };
        let mut addresses = Vec::new();
        for text in [&given.address, &given.address_ipv6] {
            if !text.is_empty() {
                let address = address_of("address", text)?;
                addresses.push((address, self.set_aside_by_ipam(&network, address)?));
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
            unfinished: false,
            security_groups: options.security_groups,
        };
        self.check_published(request, &network, &entry)?;
        let made = self.noted(&request.endpoint_id, &entry, end, || {
            self.make_objects(request, &network, &entry, end)
        })?;
        let interface = match mac {
            Some(_) => EndpointInterface::default(),
            None => EndpointInterface::with_mac(made),
        };
        Ok(Reply::Endpoint { interface })
    }

    /// Makes an endpoint and remembers it. Docker does not delete one whose creation was interrupted, so it
    /// is noted before as something to remove.
    fn noted<T>(
        &self,
        id: &EndpointId,
        entry: &EndpointEntry,
        end: Deadline,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let _making = self.making.begin(id.as_str(), end)?;
        let earlier = self.store.endpoint(id)?;
        match &earlier {
            Some(earlier) if earlier.unfinished => drop(self.take_away(id, earlier.clone())?),
            // Made anew it would lose its port, under a container that runs.
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
        let unfinished = EndpointEntry {
            unfinished: true,
            ..entry.clone()
        };
        self.store.put_endpoint(id, &unfinished)?;
        let made = make();
        match (&made, earlier) {
            (Ok(_), _) => self.store.put_endpoint(id, entry)?,
            // All of it was taken back, or is noted elsewhere.
            (Err(_), None) => self.store.remove_endpoint(id)?,
            // What the earlier call has made may be there: it stays noted as something to remove.
            (Err(_), Some(_)) => {}
        }
        made
    }

    fn make_objects(
        &self,
        request: &CreateEndpoint,
        network: &NetworkEntry,
        entry: &EndpointEntry,
        end: Deadline,
    ) -> Result<MacAddr> {
        let mut endpoint = self.endpoint(&request.endpoint_id, network, entry);
        let made = match self.attacher.create_endpoint(&endpoint) {
            Err(error) if is_network_gone(&error) => {
                self.check_groups(&endpoint.security_groups, end)?;
                log::warn!(
                    "virtual network {} has vanished: it is made again",
                    network.name
                );
                let network = self.establish_again(&request.network_id, network, end)?;
                endpoint.network_id = network.uuid;
                endpoint.project_id = network.project;
                self.attacher.create_endpoint(&endpoint)
            }
            Err(error) if self.make_room(request, &error, end)? => {
                self.attacher.create_endpoint(&endpoint)
            }
            other => other,
        };
        made.map_err(|error| self.name_holder(network, error, end))
    }

    /// `NetworkDriver.Join`: the interface, which Docker then moves into the container.
    ///
    /// # Errors
    /// An endpoint that does not exist, an agent or a controller that is down.
    pub fn join(&self, request: &Join) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let network = self.known(&request.network_id, end)?;
        let _joining = self.making.begin(request.endpoint_id.as_str(), end)?;
        let mut entry = self.known_endpoint(&request.endpoint_id, end)?;
        let endpoint = self.endpoint(&request.endpoint_id, &network, &entry);
        let sandbox = request.sandbox_key.to_string_lossy();
        // Unknown of an endpoint whose state was lost.
        entry.network.get_or_insert(request.network_id.clone());
        // Noted before: if this ends half-way, the one who deletes the endpoint must know of it.
        entry.vm = Some(self.attacher.sandbox_machine(&sandbox));
        self.store.put_endpoint(&request.endpoint_id, &entry)?;
        let joined = self.attacher.join_endpoint(&endpoint, &sandbox)?;
        let (gateway, gateway_ipv6) = gateways(&network, &entry);
        Ok(Reply::Join(JoinReply {
            interface_name: InterfaceName {
                src_name: joined.ifname,
                dst_prefix: IN_CONTAINER,
            },
            gateway,
            gateway_ipv6,
            static_routes: Vec::new(),
            // Traffic goes by the vRouter, or nowhere.
            disable_gateway_service: true,
        }))
    }

    /// `NetworkDriver.Leave`. Docker goes on whatever the answer is.
    ///
    /// # Errors
    /// When what is left could not even be put off.
    pub fn leave(&self, id: &EndpointId) -> Result<Reply> {
        let _leaving = self.making.begin(id.as_str(), Deadline::after(PATIENCE))?;
        let done = self.attacher.leave_endpoint(id.as_str())?;
        note_deferred(id, done.deferred);
        Ok(Reply::Done {})
    }

    /// `NetworkDriver.DeleteEndpoint`: everything that [`NetworkDriver::leave`] takes away, too, since
    /// some engines do not send that after a failed join.
    ///
    /// # Errors
    /// When what is left could not even be put off.
    pub fn delete_endpoint(&self, id: &EndpointId) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let deferred = self.remove_endpoint(id, end)?;
        if deferred == 0 {
            // They answer: the turn of what had to wait.
            self.attacher.work_off_pending(end);
        }
        Ok(Reply::Done {})
    }

    /// Takes an endpoint away, whatever state it is in. Returns how many removals wait.
    pub(super) fn remove_endpoint(&self, id: &EndpointId, end: Deadline) -> Result<usize> {
        // Before waiting: whoever is at it, a Join most likely, leaves the mark.
        self.mark_unfinished(id)?;
        let _going = self.making.begin(id.as_str(), end)?;
        let known = self.mark_unfinished(id)?;
        self.take_away(id, known.unwrap_or_default())
    }

    /// Notes that an endpoint has to go; returns what was known of it. Docker asks once: what can be
    /// removed is, also where nothing can be noted.
    fn mark_unfinished(&self, id: &EndpointId) -> Result<Option<EndpointEntry>> {
        let known = self.store.endpoint(id)?;
        if let Some(entry) = known.clone().filter(|entry| !entry.unfinished) {
            let unfinished = true;
            let entry = EndpointEntry {
                unfinished,
                ..entry
            };
            if let Err(error) = self.store.put_endpoint(id, &entry) {
                log::warn!("{}", report(&error));
            }
        }
        Ok(known)
    }

    /// Takes away what there is of an endpoint, and its entry. What could not be removed is noted elsewhere.
    /// If even that failed the entry stays, for the next tidying up: Docker does not ask a second time.
    /// The caller is [at it](crate::making::Making::begin).
    pub(super) fn take_away(&self, id: &EndpointId, entry: EndpointEntry) -> Result<usize> {
        let reserved: Vec<_> = entry.addresses.iter().filter_map(|(_, ip)| *ip).collect();
        let done = self
            .attacher
            .delete_endpoint(id.as_str(), entry.vm, &reserved)?;
        self.store.remove_endpoint(id)?;
        note_deferred(id, done.deferred);
        Ok(done.deferred)
    }

    /// Published ports lead nowhere: the vRouter does not know them. Docker tells of them when it creates
    /// the endpoint, before the container starts.
    fn check_published(
        &self,
        request: &CreateEndpoint,
        network: &NetworkEntry,
        entry: &EndpointEntry,
    ) -> Result<()> {
        let ports = request.options.get("com.docker.network.portmap");
        let ports: Vec<PortBinding> = ports
            .and_then(|ports| serde_json::from_value(ports.clone()).ok())
            .unwrap_or_default();
        if ports.is_empty() {
            return Ok(());
        }
        let list: Vec<String> = ports
            .iter()
            .map(|p| format!("{}:{}", p.host_port, p.port))
            .collect();
        let addresses: Vec<String> = entry.addresses.iter().map(|(a, _)| a.to_string()).collect();
        let addresses = addresses.join(", ");
        let reason = format!(
            "virtual network {} publishes no ports on this host: reach the container at {addresses}, \
             or give it a floating IP",
            network.name,
        );
        if network.wanted.options.refuse_ports {
            return Err(CoreError::invalid("published ports", list.join(" "), reason).into());
        }
        let endpoint = request.endpoint_id.short();
        log::warn!(
            "container with address {addresses} (endpoint {endpoint}): published ports {} lead nowhere: \
             {reason}",
            list.join(" ")
        );
        Ok(())
    }

    /// The API does not say which of the objects that an interface refers to is missing.
    fn check_groups(&self, groups: &[FqName], end: Deadline) -> Result<()> {
        for name in groups {
            if self.client(end).lookup::<SecurityGroup>(name)?.is_none() {
                return Err(CoreError::NotFound {
                    kind: SecurityGroup::TYPE,
                    name: name.to_string(),
                    hint: "create it, or leave the option security-group out".into(),
                }
                .into());
            }
        }
        Ok(())
    }

    /// An endpoint as the attaching part of the library wants it.
    pub(super) fn endpoint(
        &self,
        id: &EndpointId,
        network: &NetworkEntry,
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
            mtu: network.wanted.options.mtu,
            display_name: container_name(id),
            service: entry.service.clone().map(|role| Service {
                role,
                forwarding: false,
            }),
            security_groups: entry.security_groups.clone(),
        }
    }

    fn set_aside_by_ipam(
        &self,
        network: &NetworkEntry,
        address: IpAddr,
    ) -> Result<Option<uuid::Uuid>> {
        // Of a network whose state was lost it is not known whose pools it has.
        let mut pools = network.wanted.pools.iter();
        let own = pools.any(|pool| self.is_own(pool) || pool.address_space.is_empty());
        match own {
            true => self.ipam.reservation(network.uuid, address),
            false => Ok(None),
        }
    }

    /// Makes the virtual network of a Docker network again.
    ///
    /// # Errors
    /// [`Error::UnknownNetwork`] when Docker has deleted its network.
    pub(super) fn establish_again(
        &self,
        id: &NetworkId,
        network: &NetworkEntry,
        end: Deadline,
    ) -> Result<NetworkEntry> {
        // Whoever deletes it waits for its endpoints, one of which the caller may be at.
        let is_there = || {
            let known = self.store.network(id)?;
            Ok(known.is_some_and(|known| !known.deleted))
        };
        let making = self.making.begin_while(id.as_str(), end, is_there)?;
        if making.is_none() || !is_there()? {
            let network = id.short().to_owned();
            return Err(Error::UnknownNetwork { network });
        }
        let entry = self.establish(id, network.wanted.clone(), end)?;
        self.store.put_network(id, &entry)?;
        Ok(entry)
    }
}

pub(super) fn is_network_gone(error: &CoreError) -> bool {
    matches!(
        error.cause(),
        CoreError::NotFound {
            kind: "reference",
            ..
        }
    )
}

/// The gateways of an endpoint, IPv4 and IPv6: one of each family in which it has an address.
fn gateways(network: &NetworkEntry, endpoint: &EndpointEntry) -> (Option<IpAddr>, Option<IpAddr>) {
    if network.wanted.internal || network.wanted.options.without_gateway {
        return (None, None);
    }
    let pools = network
        .wanted
        .pools
        .iter()
        .map(|pool| pool.gateway.as_str());
    let known: Vec<IpAddr> = pools
        .filter(|gateway| !gateway.is_empty())
        .filter_map(|gateway| address_of("gateway", gateway).ok())
        .collect();
    let of = |v4: bool| {
        let serves = endpoint.addresses.iter().any(|(a, _)| a.is_ipv4() == v4);
        known
            .iter()
            .copied()
            .find(|gateway| serves && gateway.is_ipv4() == v4)
    };
    (of(true), of(false))
}

fn note_deferred(id: &EndpointId, deferred: usize) {
    if deferred > 0 {
        let id = id.short();
        log::warn!("endpoint {id}: {deferred} removals wait for the controller or the agent");
    }
}
