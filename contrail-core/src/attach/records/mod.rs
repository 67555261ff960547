//! What this host must remember between calls, as files in `state_dir` and `run_dir`.

pub(crate) mod dissolving;
pub(crate) mod networks;
pub(crate) mod nodes;
pub(crate) mod orphans;
pub(crate) mod returns;
pub(crate) mod services;
pub(crate) mod uses;
