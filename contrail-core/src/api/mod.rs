//! The configuration API: typed and untyped objects over REST, on any of several servers.
//!
//! Contract: OpenContrail 3.x up to OpenSDN. Requests are built as values ([`request`]), refusals
//! are read by one pure function ([`errors`]); only [`Client`] sends.
//!
//! A type of object that this crate does not have becomes a Rust type with [`resource!`](crate::resource),
//! or is used without one, as [`DynamicObject`].

mod answer;
mod bounded;
mod client;
mod create_or_find;
mod dynamic;
mod ensure;
pub mod errors;
mod lenient;
mod listed;
mod meta;
mod object_type;
pub mod objects;
mod pairs;
mod read;
mod reference;
pub mod request;
mod resource;
mod send;
mod subnets;
mod write;

pub use client::Client;
pub use dynamic::{DynamicClient, DynamicObject};
pub use ensure::Ensured;
pub use lenient::{empty_as_none, null_as_default};
pub use listed::{Listed, Unreadable};
pub use meta::{Meta, Rest};
pub use object_type::ObjectType;
pub use objects::{
    InstanceIp, IpamSubnet, NetworkIpam, NetworkPolicy, PortTuple, Project, RouteTarget,
    SecurityGroup, ServiceInstance, ServiceTemplate, VirtualMachine, VirtualMachineInterface,
    VirtualNetwork, VnSubnets,
};
pub use pairs::KeyValuePairs;
pub use reference::{Ref, Referent};
pub use request::ListQuery;
pub use resource::Resource;
