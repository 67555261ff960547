//! The result of a command.

use contrail_core::Error;
use contrail_core::service_chain::{ChainState, Plan, Progress};
use serde::Serialize;

/// The result of a command.
#[derive(Serialize)]
pub struct Report {
    #[serde(flatten)]
    /// What was changed, or would be, and what is there.
    pub plan: Plan,
    /// What the controller has built of an applied chain; `None` if the command did not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ChainState>,
}

impl Report {
    /// Whether the chain is applied but not built.
    pub fn is_unbuilt(&self) -> bool {
        let progress = self.state.as_ref().map(ChainState::progress);
        matches!(progress, Some(Progress::Waiting | Progress::Unbuilt))
    }

    /// The report as JSON, for programs.
    pub fn json(&self) -> contrail_core::Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|source| Error::Encode {
            what: "the report".into(),
            source,
        })?;
        Ok(text + "\n")
    }
}
