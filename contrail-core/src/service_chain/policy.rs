//! Planning the policy of a chain and its place on the networks.

use serde_json::json;

use super::change::{Change, Object, Target};
use super::identified::Identified;
use super::plan::{Planner, State};
use super::problem::Problem;
use crate::api::objects::{
    ActionList, NetworkPolicy, PolicyAddress, PolicyEntries, PolicyLink, PolicyPorts, PolicyRule,
    Sequence, VirtualNetwork,
};
use crate::api::{Ref, Resource};
use crate::ownership::chains;
use crate::values::FqName;

impl Planner<'_> {
    /// Plans the policy and its attachment to both networks.
    pub(super) fn policy(&mut self) {
        let kind = NetworkPolicy::TYPE;
        let name = &self.chain.policy;
        let wanted = self.chain.wanted_policy();
        let detail = summary(&wanted.entries);
        let Some(existing) = &self.snapshot.policy else {
            let mut wanted = wanted;
            wanted.meta.annotations = chains::of_chain(&self.chain.name);
            let wanted = Identified::made(wanted);
            self.show(kind, name, State::Missing, true, detail);
            let target = Target::of(&wanted);
            let object = Object::Policy(wanted);
            self.steps.policy.push(Change::Create(object));
            self.attach(&target, true);
            return;
        };
        let ours = chains::is_by_chain(&existing.meta);
        let is_same = is_same(&existing.entries, &wanted.entries);
        if is_same {
            self.show(kind, name, State::Present, ours, detail);
        } else {
            let actual = summary(&existing.entries);
            let text = format!("has {actual} and not {detail}");
            self.show(kind, name, State::Different, ours, &text);
            match ours {
                true => {
                    let change = update(existing, &wanted, text);
                    self.steps.policy.push(change);
                }
                false => self.unfit_policy(text),
            }
        }
        self.attach(&Target::of(existing), ours);
        self.detach_elsewhere(existing, ours);
    }

    fn unfit_policy(&mut self, difference: String) {
        self.problems.push(Problem::Unfit {
            kind: NetworkPolicy::TYPE,
            name: self.chain.policy.clone(),
            difference: format!("{difference}: it was not made by a chain, so take another name"),
        });
    }

    fn attach(&mut self, policy: &Target, ours: bool) {
        for end in self.chain.ends() {
            let Some(network) = self.network(end) else {
                continue;
            };
            let refs = &self.snapshot.networks[end].object.network_policy_refs;
            let (own, others): (Vec<&Ref<PolicyLink>>, Vec<&Ref<PolicyLink>>) =
                refs.iter().partition(|link| link.is_to(&policy.name));
            let own = own
                .first()
                .map(|link| link.attr.clone().unwrap_or_default());
            let place = self.place(own.as_ref(), &others);
            self.check_place(end, place, &others);
            let is_there = own.as_ref().and_then(|link| link.sequence) == Some(place);
            let state = match (&own, is_there) {
                (_, true) => State::Present,
                (Some(_), false) => State::Different,
                (None, false) => State::Missing,
            };
            let detail = format!("on {end} with sequence {place}");
            self.show(policy.kind, &policy.name, state, ours, detail);
            if is_there {
                continue;
            }
            if !ours {
                self.unfit_policy(format!("is not attached to {end} with sequence {place}"));
                continue;
            }
            let rest = own.as_ref().map(|link| link.rest.clone());
            self.steps.attach.push(Change::Attach {
                network,
                policy: policy.clone(),
                before: own,
                after: PolicyLink {
                    rest: rest.unwrap_or_default(),
                    ..PolicyLink::at(place)
                },
            });
        }
    }

    /// The policy's place on a network: the one that was asked for, that it has, or behind all others.
    fn place(&self, own: Option<&PolicyLink>, others: &[&Ref<PolicyLink>]) -> Sequence {
        if let Some(major) = self.chain.sequence {
            return Sequence { major, minor: 0 };
        }
        if let Some(place) = own.and_then(|link| link.sequence) {
            return place;
        }
        let places = others.iter().filter_map(|link| sequence(link));
        let last = places.map(|place| place.major).max();
        Sequence {
            major: last.map_or(0, |last| last.saturating_add(1)),
            minor: 0,
        }
    }

    fn check_place(&mut self, network: &FqName, place: Sequence, others: &[&Ref<PolicyLink>]) {
        for other in others {
            let Some(theirs) = sequence(other) else {
                continue;
            };
            if theirs == place && self.chain.sequence.is_some() {
                self.problems.push(Problem::SameSequence {
                    network: network.clone(),
                    policy: other.referent(),
                    sequence: place.to_string(),
                });
            }
            let policy = other.uuid.and_then(|uuid| self.snapshot.others.get(&uuid));
            let covers = policy.is_some_and(|policy| {
                let mut rules = policy.entries.policy_rule.iter();
                rules.any(|rule| covers(rule, self.chain.ends()))
            });
            if theirs < place && covers {
                self.notes.push(format!(
                    "network policy {} comes first on {network} (sequence {theirs}): traffic that its rules match does not go through the services",
                    other.referent()
                ));
            }
        }
    }

    /// Detaches the policy from networks that it was attached to by an earlier description.
    fn detach_elsewhere(&mut self, policy: &Identified<NetworkPolicy>, ours: bool) {
        if !ours {
            return;
        }
        for link in &policy.virtual_network_back_refs {
            let is_end = |name| self.chain.ends().contains(&name);
            if !link.name().is_some_and(is_end) {
                self.detach(policy, link);
            }
        }
    }

    /// Plans to detach the policy from all networks and to remove it, if a chain made it.
    pub(super) fn drop_policy(&mut self) {
        let Some(policy) = &self.snapshot.policy else {
            return;
        };
        let kind = NetworkPolicy::TYPE;
        if !chains::is_of(&policy.meta, &self.chain.name) {
            let text = "kept: this chain did not create it";
            self.show(kind, policy.fq_name(), State::Present, false, text);
            return;
        }
        for link in &policy.virtual_network_back_refs {
            self.detach(policy, link);
        }
        self.show(kind, policy.fq_name(), State::Unneeded, true, "");
        let object = Object::Policy(policy.clone());
        self.steps.drop_policy.push(Change::Delete(object));
    }

    fn detach(&mut self, policy: &Identified<NetworkPolicy>, link: &Ref<PolicyLink>) {
        let Some(network) = Target::referred::<VirtualNetwork, _>(link) else {
            return;
        };
        let detail = format!("on {}", network.name);
        let kind = NetworkPolicy::TYPE;
        self.show(kind, policy.fq_name(), State::Unneeded, true, detail);
        self.steps.detach.push(Change::Detach {
            network,
            policy: Target::of(policy),
            before: link.attr.clone().unwrap_or_default(),
        });
    }
}

fn sequence(link: &Ref<PolicyLink>) -> Option<Sequence> {
    link.attr.as_ref()?.sequence
}

/// What makes one rule the same as another. The id, and what newer servers add, does not
/// count.
fn essence(rule: &PolicyRule) -> impl PartialEq + use<> {
    let side = |addresses: &[PolicyAddress]| -> Vec<Option<String>> {
        let networks = addresses
            .iter()
            .map(|address| address.virtual_network.clone());
        networks.collect()
    };
    let ports = |ranges: &[PolicyPorts]| -> Vec<PolicyPorts> {
        let is_any = |range: &PolicyPorts| {
            *range == PolicyPorts::ANY || (range.start_port, range.end_port) == (0, 65535)
        };
        match ranges.is_empty() || ranges.iter().any(is_any) {
            true => vec![PolicyPorts::ANY],
            false => ranges.to_vec(),
        }
    };
    let action = rule.action_list.clone().unwrap_or_default();
    (
        (rule.direction.clone(), rule.protocol.to_ascii_lowercase()),
        rule.ethertype.clone(),
        (side(&rule.src_addresses), side(&rule.dst_addresses)),
        (ports(&rule.src_ports), ports(&rule.dst_ports)),
        (action.simple_action, action.apply_service),
    )
}

fn is_same(existing: &PolicyEntries, wanted: &PolicyEntries) -> bool {
    let essence =
        |entries: &PolicyEntries| entries.policy_rule.iter().map(essence).collect::<Vec<_>>();
    essence(existing) == essence(wanted)
}

/// Changes the rules; one that only changes keeps its id and what else it has.
fn update(existing: &Identified<NetworkPolicy>, wanted: &NetworkPolicy, what: String) -> Change {
    let mut after = wanted.entries.clone();
    if let ([old], [new]) = (
        existing.entries.policy_rule.as_slice(),
        after.policy_rule.as_mut_slice(),
    ) {
        new.rule_uuid = old.rule_uuid;
        new.rest = old.rest.clone();
    }
    Change::Update {
        target: Target::of(existing),
        what: format!("because it {what}"),
        before: json!({"network_policy_entries": existing.entries}),
        after: json!({"network_policy_entries": after}),
    }
}

/// Rules for people.
fn summary(entries: &PolicyEntries) -> String {
    let rules: Vec<String> = entries.policy_rule.iter().map(rule_text).collect();
    match rules.is_empty() {
        true => "no rule".to_owned(),
        false => rules.join("; "),
    }
}

fn rule_text(rule: &PolicyRule) -> String {
    let side = |addresses: &[PolicyAddress], ports: &[PolicyPorts]| {
        let names = addresses
            .iter()
            .map(|address| match &address.virtual_network {
                Some(network) => network.clone(),
                None => "addresses".to_owned(),
            });
        let ports = ports.iter().filter(|range| **range != PolicyPorts::ANY);
        let ports = ports.map(|range| format!("{}-{}", range.start_port, range.end_port));
        let (names, ports): (Vec<_>, Vec<_>) = (names.collect(), ports.collect());
        match ports.is_empty() {
            true => names.join(","),
            false => format!("{} ports {}", names.join(","), ports.join(",")),
        }
    };
    let ActionList {
        simple_action,
        apply_service,
        ..
    } = rule.action_list.clone().unwrap_or_default();
    let action = match apply_service.is_empty() {
        true => simple_action.unwrap_or_default(),
        false => format!("through {}", apply_service.join(", ")),
    };
    format!(
        "{} {} {} {} {action}",
        rule.protocol,
        side(&rule.src_addresses, &rule.src_ports),
        rule.direction,
        side(&rule.dst_addresses, &rule.dst_ports),
    )
}

/// Whether a rule of another policy may mean packets between these networks. Protocols and ports are
/// left out: the answer is for a warning.
fn covers(rule: &PolicyRule, ends: [&FqName; 2]) -> bool {
    let means = |addresses: &[PolicyAddress], network: &FqName| {
        let mut names = addresses
            .iter()
            .map(|address| address.virtual_network.as_deref());
        names.any(|name| match name {
            Some("any" | "local") | None => true,
            Some(name) => name == network.to_string(),
        })
    };
    let [left, right] = ends;
    means(&rule.src_addresses, left) && means(&rule.dst_addresses, right)
        || means(&rule.src_addresses, right) && means(&rule.dst_addresses, left)
}
