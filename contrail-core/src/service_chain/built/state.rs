//! What the controller has built of a chain, leg by leg.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};

use super::lack::Lack;
use crate::service_chain::types::Leg;
use crate::values::FqName;

/// What the controller has built of one rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainState {
    /// The network policy that makes the chain.
    #[serde(serialize_with = "as_text")]
    pub policy: FqName,
    /// The legs, from left to right.
    pub legs: Vec<LegState>,
}

/// One leg: a service on one of its sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LegState {
    /// The service instance.
    #[serde(serialize_with = "as_text")]
    pub service: FqName,
    /// Its side.
    pub side: Leg,
    /// The network of that side.
    #[serde(serialize_with = "as_text")]
    pub network: FqName,
    /// What it lacks; empty when it is built.
    pub lacks: Vec<Lack>,
}

/// How far the controller has built a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// Every leg is built.
    Built,
    /// Something is missing that the controller needs to build the chain.
    Waiting,
    /// The controller has all that it needs, but something that it makes is missing.
    Unbuilt,
    /// It cannot be read with these rights.
    Hidden,
}

impl ChainState {
    /// Whether every leg is built.
    pub fn is_built(&self) -> bool {
        self.progress() == Progress::Built
    }

    /// How far the controller has built the chain.
    pub fn progress(&self) -> Progress {
        let any = |is_it: &dyn Fn(&Lack) -> bool| self.lacks().any(is_it);
        if any(&|lack| *lack == Lack::Visibility) {
            Progress::Hidden
        } else if any(&|lack| !lack.is_of_controller()) {
            Progress::Waiting
        } else if self.lacks().next().is_some() {
            Progress::Unbuilt
        } else {
            Progress::Built
        }
    }

    /// The services with a leg that lacks something.
    pub fn broken_services(&self) -> BTreeSet<&FqName> {
        let broken = self.legs.iter().filter(|leg| !leg.lacks.is_empty());
        broken.map(|leg| &leg.service).collect()
    }

    fn lacks(&self) -> impl Iterator<Item = &Lack> {
        self.legs.iter().flat_map(|leg| &leg.lacks)
    }
}

impl fmt::Display for LegState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            side,
            network,
            lacks,
        } = self;
        write!(f, "leg {service} {side} ({network}): ")?;
        let lacks: Vec<String> = lacks.iter().map(Lack::to_string).collect();
        match lacks.is_empty() {
            true => f.write_str("built"),
            false => write!(f, "not built: {}", lacks.join("; ")),
        }
    }
}

fn as_text<S: Serializer>(name: &FqName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(name)
}
