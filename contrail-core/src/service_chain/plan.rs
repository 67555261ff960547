//! What has to change so that the controller has a chain, or no longer has it: a pure function of
//! the chain and of what the controller has.

use std::collections::BTreeSet;

use serde::Serialize;
use uuid::Uuid;

use super::chain::Chain;
use super::change::{Change, Target};
use super::members;
use super::problem::Problem;
use super::snapshot::Snapshot;
use crate::api::Resource;
use crate::api::objects::{NetworkPolicy, PortTuple, VirtualNetwork};
use crate::values::FqName;

/// What has to change, what exists, and what makes it impossible.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The chain.
    pub chain: String,
    /// The changes, in the order in which they must be made.
    pub changes: Vec<Change>,
    /// Every object that takes part, as it is now.
    pub objects: Vec<Shown>,
    /// What makes the chain impossible: unless empty, nothing is changed.
    #[serde(serialize_with = "as_texts")]
    pub problems: Vec<Problem>,
    /// What people should know although it prevents nothing.
    pub notes: Vec<String>,
}

/// An object that takes part in a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its type, as the API spells it.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Whether it is as it should be.
    pub state: State,
    /// Whether a chain created it, and will remove it.
    pub ours: bool,
    /// More about it.
    pub detail: String,
}

/// Whether an object is as a chain needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is there, as needed.
    Present,
    /// It is not there.
    Missing,
    /// It is there, but otherwise than needed.
    Different,
    /// The chain created it and no longer needs it.
    Unneeded,
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Present => "present",
            State::Missing => "missing",
            State::Different => "different",
            State::Unneeded => "unneeded",
        }
    }
}

impl Plan {
    /// Whether the controller has the chain as it is described.
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty() && self.changes.is_empty()
    }

    /// Whether the controller has the policy with which the chain begins, whatever else is missing.
    pub fn has_begun(&self) -> bool {
        let mut policies = self
            .objects
            .iter()
            .filter(|o| o.kind == NetworkPolicy::TYPE);
        policies.any(|policy| policy.state != State::Missing)
    }
}

/// Changes by kind: the fields are in the order in which they must be made. A chain begins to work
/// when its policy is attached, last of all; it ends with the policy, first of all.
#[derive(Default)]
pub(super) struct Steps {
    pub(super) templates: Vec<Change>,
    pub(super) instances: Vec<Change>,
    pub(super) tuples: Vec<Change>,
    /// Ports that go from one port tuple to another.
    pub(super) moves: Vec<Change>,
    pub(super) roles: Vec<Change>,
    pub(super) joins: Vec<Change>,
    pub(super) policy: Vec<Change>,
    pub(super) attach: Vec<Change>,
    pub(super) detach: Vec<Change>,
    pub(super) drop_policy: Vec<Change>,
    /// This one and the next two are the fields of a
    /// [`Dissolution`](super::membership::tuple::Dissolution), in their order.
    pub(super) leaves: Vec<Change>,
    pub(super) clear_roles: Vec<Change>,
    pub(super) drop_tuples: Vec<Change>,
    pub(super) drop_instances: Vec<Change>,
    pub(super) drop_templates: Vec<Change>,
}

impl Steps {
    fn in_order(self) -> Vec<Change> {
        [
            self.templates,
            self.instances,
            self.tuples,
            self.moves,
            self.roles,
            self.joins,
            self.policy,
            self.attach,
            self.detach,
            self.drop_policy,
            self.leaves,
            self.clear_roles,
            self.drop_tuples,
            self.drop_instances,
            self.drop_templates,
        ]
        .concat()
    }
}

/// A plan in the making.
pub(super) struct Planner<'a> {
    pub(super) chain: &'a Chain,
    pub(super) snapshot: &'a Snapshot,
    pub(super) steps: Steps,
    pub(super) objects: Vec<Shown>,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<String>,
    /// Service instances that are deleted or get another template.
    pub(super) let_go: BTreeSet<FqName>,
    /// Port tuples that stay.
    pub(super) kept_tuples: BTreeSet<Uuid>,
    /// Templates that stay.
    pub(super) kept_templates: BTreeSet<FqName>,
}

/// What has to change so that the controller has the chain.
pub fn plan(chain: &Chain, snapshot: &Snapshot) -> Plan {
    let mut planner = Planner::new(chain, snapshot);
    planner.networks();
    planner.projects();
    let members = members::find(chain, snapshot, &mut planner.problems);
    for (service, members) in chain.services.iter().zip(&members) {
        planner.service(service, members);
    }
    planner.orphans();
    planner.policy();
    planner.drop_unneeded();
    planner.finish()
}

/// What has to change so that the controller has nothing of what the chain made.
pub fn plan_removal(chain: &Chain, snapshot: &Snapshot) -> Plan {
    let mut planner = Planner::new(chain, snapshot);
    planner.drop_policy();
    planner.drop_instances(|_| true);
    planner.drop_templates();
    planner.finish()
}

impl<'a> Planner<'a> {
    fn new(chain: &'a Chain, snapshot: &'a Snapshot) -> Self {
        Self {
            chain,
            snapshot,
            steps: Steps::default(),
            objects: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            let_go: BTreeSet::new(),
            kept_tuples: BTreeSet::new(),
            kept_templates: BTreeSet::new(),
        }
    }

    fn finish(self) -> Plan {
        Plan {
            chain: self.chain.name.clone(),
            changes: self.steps.in_order(),
            objects: self.objects,
            problems: self.problems,
            notes: self.notes,
        }
    }

    /// Adds an object for people.
    pub(super) fn show(
        &mut self,
        kind: &'static str,
        name: impl ToString,
        state: State,
        ours: bool,
        detail: impl Into<String>,
    ) {
        self.objects.push(Shown {
            kind,
            name: name.to_string(),
            state,
            ours,
            detail: detail.into(),
        });
    }

    /// The network as a target, when it exists.
    pub(super) fn network(&self, name: &FqName) -> Option<Target> {
        let network = self.snapshot.networks.get(name)?;
        Some(Target::of(&network.object))
    }

    fn networks(&mut self) {
        let legs = self.chain.services.iter().flat_map(|s| s.legs());
        let mut names: Vec<&FqName> = self.chain.ends().to_vec();
        for (_, network) in legs {
            if !names.contains(&network) {
                names.push(network);
            }
        }
        for name in names {
            let kind = VirtualNetwork::TYPE;
            match self.snapshot.networks.get(name) {
                None => {
                    let network = name.clone();
                    self.problems.push(Problem::NoNetwork { network });
                    self.show(kind, name, State::Missing, false, "");
                }
                Some(found) if found.prefixes.is_empty() => {
                    let network = name.clone();
                    self.problems.push(Problem::NoSubnet { network });
                    self.show(kind, name, State::Different, false, "has no subnet");
                }
                Some(found) => {
                    let prefixes = found.prefixes.join(", ");
                    self.show(kind, name, State::Present, false, prefixes);
                }
            }
        }
    }

    /// Adds notes on port tuples without effect, even where other members keep the chain up.
    fn orphans(&mut self) {
        let services = self.chain.services.iter();
        let found = services.filter_map(|service| self.snapshot.instances.get(&service.name));
        let orphans = found.flat_map(|found| found.orphans());
        self.notes.extend(orphans.map(|tuple| {
            format!(
                "{} {} belongs to an earlier service instance of this name: its member serves no chain \
                 until it is created again",
                PortTuple::TYPE,
                tuple.fq_name()
            )
        }));
    }

    fn projects(&mut self) {
        for project in self.chain.projects().difference(&self.snapshot.projects) {
            let project = project.clone();
            self.problems.push(Problem::NoProject { project });
        }
    }
}

fn as_texts<S: serde::Serializer>(problems: &[Problem], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(problems.iter().map(ToString::to_string))
}
