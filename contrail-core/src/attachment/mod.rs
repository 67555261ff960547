//! Attaching a container to virtual networks and detaching it again.

mod types;

pub use types::{Assigned, Attached, Attachment, Detachment, NetworkSpec, Route, SubnetSpec};
