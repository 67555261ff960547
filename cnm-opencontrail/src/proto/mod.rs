//! Docker's plugin protocol as values: which call a request is, and the JSON of its answer.
//!
//! Go sends `null` for empty lists and maps, newer engines leave keys out: both read as the default.

mod call;
mod ids;
mod ipam;
mod network;
mod reply;
mod values;

pub use call::Call;
pub use ids::{EndpointId, InvalidId, NetworkId};
pub use ipam::{
    AddressSpaces, IpamCapabilities, ReleaseAddress, ReleasePool, RequestAddress,
    RequestAddressReply, RequestPool, RequestPoolReply,
};
pub use network::{
    AllocateNetwork, CreateEndpoint, CreateNetwork, EndpointInterface, GatewayCheck, InterfaceName,
    IpamData, Join, JoinReply, NetworkCapabilities, OfEndpoint, OfNetwork, PortBinding,
    ProgramExternalConnectivity, Scope, StaticRoute,
};
pub use reply::{Failure, Reply};
pub(crate) use values::DOCKERS;
pub use values::Options;
