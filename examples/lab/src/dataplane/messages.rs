//! What the thread of the data plane is given, told and asked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};

use contrail_core::Result;
use serde::Serialize;
use uuid::Uuid;

use super::model::Model;
use super::netlink::Counters;
use crate::agent::ports::Subscription;
use crate::view::ConfigView;

/// Whether the lab forwards packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// It does, or does not start.
    On,
    /// It does not: only the APIs are served.
    Off,
    /// It does if this process may.
    #[default]
    Auto,
}

/// Where the data plane reads what it is to do.
pub struct Inputs {
    /// The agent's ports.
    pub subscriptions: Box<dyn Fn() -> Vec<Subscription> + Send>,
    /// The configuration.
    pub view: Box<dyn Fn() -> Arc<ConfigView> + Send>,
}

/// How a data plane is started.
pub struct PlaneOptions {
    /// The lab's name.
    pub lab: String,
    /// Whether it forwards.
    pub mode: Mode,
    /// The `nft` program; found in the path when absent.
    pub nft: Option<PathBuf>,
}

/// What the thread is told and asked.
pub enum Command {
    /// The inputs changed.
    Changed,
    /// The inputs changed; answered when the kernel has followed.
    Settle(mpsc::Sender<()>),
    /// Whether the host has a link of this name.
    LinkExists(String, mpsc::Sender<bool>),
    /// The state at this moment.
    Snapshot(mpsc::Sender<Snapshot>),
    /// Remove everything and end.
    Stop(mpsc::Sender<Result<()>>),
}

/// The state of the data plane at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The namespace of the router; `None` when nothing is forwarded.
    pub namespace: Option<PathBuf>,
    /// What does not work as it should: no forwarding, no packet filter, a failed change.
    pub problems: Vec<String>,
    /// The networks that have ports, and the ports.
    pub model: Model,
    /// What the kernel says of each port.
    pub ports: BTreeMap<Uuid, PortSnapshot>,
}

/// What the kernel says of a port.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortSnapshot {
    /// The index of the host end; `None` when it does not exist.
    pub ifindex: Option<u32>,
    /// Why the port could not be connected to the router.
    pub problem: Option<String>,
    /// What the host end received from the container and sent to it.
    pub counters: Counters,
}
