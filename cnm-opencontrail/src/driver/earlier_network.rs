//! Entries of Docker networks as earlier programs wrote them: release 0.1.0 without a version, and version 1,
//! which had the same form.

use contrail_core::FqName;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::wanted::Wanted;
use crate::stage::{Stage, incomplete};

/// The form. Ids were nil as long as they were not known.
#[derive(Deserialize)]
pub(super) struct EarlierNetwork {
    pub(super) wanted: Wanted,
    #[serde(deserialize_with = "known_id")]
    pub(super) uuid: Option<Uuid>,
    pub(super) name: FqName,
    #[serde(deserialize_with = "known_id")]
    pub(super) project: Option<Uuid>,
    pub(super) auxiliary: Vec<Uuid>,
    #[serde(default, rename = "deleted", with = "incomplete")]
    pub(super) stage: Stage,
}

fn known_id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Uuid>, D::Error> {
    Ok(Some(Uuid::deserialize(from)?).filter(|id| !id.is_nil()))
}
