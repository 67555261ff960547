//! One function for each parser of text from outside. Whatever the text is, it is understood or refused: a
//! panic is a find. `cargo fuzz` and `cargo test` call the same functions.

mod agent;
mod api;
mod chain;
mod docker;
mod keystone;
mod netconf;
mod settings;
mod state;
mod transport;

pub use agent::agent;
pub use api::{api_error, api_list, api_object};
pub use chain::chain;
pub use docker::{annotation, docker_options, docker_request};
pub use keystone::{date, stored_token, token};
pub use netconf::{cni_environment, netconf};
pub use settings::{environment, ini, yaml};
pub use state::state;

/// A function that takes any text.
pub type Target = fn(&[u8]);

/// All of them with their names, which are those of their corpora.
pub const TARGETS: [(&str, Target); 17] = [
    ("agent", agent),
    ("annotation", annotation),
    ("api_error", api_error),
    ("api_list", api_list),
    ("api_object", api_object),
    ("chain", chain),
    ("cni_environment", cni_environment),
    ("date", date),
    ("docker_options", docker_options),
    ("docker_request", docker_request),
    ("environment", environment),
    ("ini", ini),
    ("netconf", netconf),
    ("state", state),
    ("stored_token", stored_token),
    ("token", token),
    ("yaml", yaml),
];

/// What was read is looked at.
fn used<T>(value: T) {
    std::hint::black_box(value);
}

/// An error says something, not everything that it was given, and nothing that acts on a terminal.
fn check_error(error: &dyn std::error::Error) {
    let said = contrail_core::error::report(error);
    let size = said.len();
    assert!(!said.is_empty() && size < 10_000, "{size} bytes");
    assert!(!said.contains(char::is_control), "{said:?}");
}
