//! Ownership: the marks that say who made an object of the controller, and who uses a virtual network.
//!
//! All marks are annotations whose names start with `container-plugin.`; only objects that carry one are
//! ever changed or removed. The names are part of what controllers store and must never change.
//!
//! | scope | question | answer |
//! |---|---|---|
//! | any host | did a program of this project make it? | [`is_by_plugin`] |
//! | this host | did this program make it on this host? | [`Maker::made`] |
//! | a chain | did a service chain make it? | [`chains`] |
//! | a network | who uses it, apart from its interfaces? | [`users`] |
//! | a reserved address | what is it reserved for? | [`ReservedFor`] |
//!
//! [`names`] says what people see of containers and interfaces.

pub mod chains;
mod holder;
pub mod mark;
pub mod names;
mod reserved;
mod users;

pub use holder::Holder;
pub use mark::{Maker, holder, is_by_plugin};
pub use names::ContainerName;
pub use reserved::{ReservedFor, UnreadableMark};
pub use users::{NetworkUser, UserKind, users};
