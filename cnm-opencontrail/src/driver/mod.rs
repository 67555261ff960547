//! The network driver: Docker networks are virtual networks, endpoints are VM interfaces.
//!
//! | subject | files |
//! |---|---|
//! | options and pools of a network | `network_options`, `network_labels`, `route_targets`, `pools`, `wanted` |
//! | networks | `network`, `virtual_network`, `auxiliary`, `network_removal` |
//! | endpoints | `endpoint_options`, `endpoint`, `endpoint_removal`, `join`, `published_ports`, `conflict` |
//! | what must survive a restart, or the loss of the state | `store`, `earlier_network`, `recover` |
//! | running containers | `keep`, `services`, `chain_loss` |
//! | the operator's clean-up | `clean` |

mod auxiliary;
mod chain_loss;
mod clean;
mod conflict;
mod earlier_network;
mod endpoint;
mod endpoint_options;
mod endpoint_removal;
mod join;
mod keep;
mod names;
mod network;
mod network_driver;
mod network_labels;
mod network_options;
mod network_removal;
mod pools;
mod published_ports;
mod recover;
mod route_targets;
mod services;
mod store;
mod virtual_network;
mod wanted;

pub(crate) use endpoint_options::ENDPOINT_OPTIONS;
pub use network_driver::NetworkDriver;
pub(crate) use network_options::NETWORK_OPTIONS;

/// Whether options can be read as those of a network, and as those of an endpoint.
#[cfg(feature = "fuzzing")]
pub(crate) fn reads(options: &crate::proto::Options, project: &contrail_core::FqName) -> [bool; 2] {
    let asked = network_labels::Asked {
        ipv4: true,
        ipv6: false,
        internal: false,
    };
    [
        network_options::read(options, asked, project, "0123456789ab").is_ok(),
        endpoint_options::read(options, project).is_ok(),
    ]
}

/// Reads the state of networks and endpoints in a directory; how many there are.
#[cfg(feature = "fuzzing")]
pub(crate) fn stored(dir: &std::path::Path) -> crate::error::Result<usize> {
    let store = store::Store::new(dir);
    Ok(store.networks()?.len() + store.endpoints()?.len())
}

/// Whether the annotation of a virtual network can be read.
#[cfg(feature = "fuzzing")]
pub(crate) fn reads_note(note: &str) -> bool {
    wanted::Wanted::of_note(note).is_ok()
}
