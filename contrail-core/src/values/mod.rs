//! Leaf values that every layer uses: names, ids, addresses, secrets, deadlines, and parts of messages.

pub mod deadline;
mod effect;
pub mod fq_name;
pub mod identity;
mod ifname;
pub mod invalid;
pub mod mac;
mod method;
mod mtu;
pub mod prefix;
pub mod secret;
pub mod text;

pub use deadline::Deadline;
pub use effect::Effect;
pub use fq_name::FqName;
pub use identity::Family;
pub use ifname::check_ifname;
pub use invalid::Invalid;
pub use mac::MacAddr;
pub use method::{Method, Uri};
pub use mtu::Mtu;
pub use secret::Secret;
