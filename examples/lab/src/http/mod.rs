//! What a service of the lab sees of HTTP: a request value, a response value and one function.

mod answer;
mod by_hand;
mod message;
mod server;
mod service;
mod underway;

pub use message::{Request, Response, ServiceName};
pub use server::{Server, Watch};
pub use service::Service;
pub use underway::{Step, Underway};
