//! What a leg of a service chain can lack.

use std::fmt;
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::api::Referent;
use crate::values::Family;
use crate::values::FqName;

/// One thing that a leg of a service chain lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The network does not exist.
    Network,
    /// The policy is not attached to the network.
    Policy(FqName),
    /// The service instance does not exist.
    ServiceInstance,
    /// No member of the service has a port on this side.
    Member,
    /// A member is in a port tuple that belongs to an earlier service instance of the same name.
    OrphanedTuple(Referent),
    /// The controller has not created the routing instance. Its name holds the id of the chain, which is
    /// not known before there is any trace of the chain.
    RoutingInstance(Option<FqName>),
    /// The routing instance says nothing of how routes of this family enter it.
    ServiceChainInformation(Family),
    /// Routes enter by another service instance.
    OtherService(String),
    /// A prefix of the far network is not among those that enter.
    Prefix(IpNetwork),
    /// No port of the service has the address that is the next hop.
    Address(Option<IpAddr>),
    /// The address that is the next hop still belongs to a VM interface that is no longer a member of
    /// the service.
    AddressWithoutInterface {
        /// The address.
        address: IpAddr,
        /// The VM interface.
        interface: Uuid,
    },
    /// No member of a transparent service is in the routing instance.
    Steering(FqName),
    /// Packets that a member sends on do not continue in its routing instance, on the way to the next
    /// service.
    Onward {
        /// The VM interface of the member.
        interface: Uuid,
        /// The routing instance.
        instance: FqName,
    },
    /// Two routing instances do not exchange routes.
    Connection {
        /// The one on the left.
        from: FqName,
        /// The one on the right.
        to: FqName,
    },
    /// The access control list of the network has no rule that leads into the chain.
    AclRule(FqName),
    /// The routing instances of the network cannot be read with these rights: whether the rest is there
    /// is not known.
    Visibility,
}

impl Lack {
    /// The word for it in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Lack::Network => "network",
            Lack::Policy(_) => "policy",
            Lack::ServiceInstance => "service-instance",
            Lack::Member => "member",
            Lack::OrphanedTuple(_) => "orphaned-tuple",
            Lack::RoutingInstance(_) => "routing-instance",
            Lack::ServiceChainInformation(_) => "service-chain-information",
            Lack::OtherService(_) => "other-service",
            Lack::Prefix(_) => "prefix",
            Lack::Address(_) => "address",
            Lack::AddressWithoutInterface { .. } => "address-without-interface",
            Lack::Steering(_) => "steering",
            Lack::Onward { .. } => "onward",
            Lack::Connection { .. } => "connection",
            Lack::AclRule(_) => "acl-rule",
            Lack::Visibility => "visibility",
        }
    }

    /// Whether the controller should have created it: everything that it needs for that exists, or can
    /// be created again from what exists.
    pub fn is_of_controller(&self) -> bool {
        !matches!(
            self,
            Lack::Network
                | Lack::Policy(_)
                | Lack::ServiceInstance
                | Lack::Member
                | Lack::Visibility
        )
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lack::Network => f.write_str("the network does not exist"),
            Lack::Policy(policy) => write!(f, "network policy {policy} is not attached"),
            Lack::ServiceInstance => f.write_str("the service instance does not exist"),
            Lack::Member => f.write_str("no container has joined the service on this side"),
            Lack::OrphanedTuple(tuple) => write!(
                f,
                "port tuple {tuple} belongs to an earlier service instance of this name"
            ),
            Lack::RoutingInstance(Some(name)) => write!(f, "no routing instance {name}"),
            Lack::RoutingInstance(None) => f.write_str("no routing instance of the service"),
            Lack::ServiceChainInformation(Family::V4) => {
                f.write_str("no service_chain_information")
            }
            Lack::ServiceChainInformation(Family::V6) => {
                f.write_str("no ipv6_service_chain_information")
            }
            Lack::OtherService(other) => write!(f, "the next hop is service instance {other}"),
            Lack::Prefix(prefix) => write!(f, "no route to {prefix}"),
            Lack::Address(Some(address)) => write!(f, "no member has the address {address}"),
            Lack::Address(None) => f.write_str("the next hop has no address"),
            Lack::AddressWithoutInterface { address, interface } => write!(
                f,
                "the address {address} still belongs to VM interface {interface}, which is not a member"
            ),
            Lack::Steering(name) => write!(f, "no member is in routing instance {name}"),
            Lack::Onward {
                interface,
                instance,
            } => write!(
                f,
                "what VM interface {interface} sends does not continue in routing instance {instance}"
            ),
            Lack::Connection { from, to } => write!(f, "no connection between {from} and {to}"),
            Lack::AclRule(network) => write!(f, "no rule in the access control list of {network}"),
            Lack::Visibility => f.write_str(
                "the network's routing instances cannot be read: only an administrator sees them",
            ),
        }
    }
}

impl Serialize for Lack {
    /// The word for it, and the text for people.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Lack", 2)?;
        fields.serialize_field("lack", self.kind())?;
        fields.serialize_field("text", &self.to_string())?;
        fields.end()
    }
}
