//! What is known of networks and endpoints after the state directory was lost: the controller has it.
//!
//! The annotation of a Docker network on its virtual network holds what Docker asked for; everything about
//! an endpoint is in its objects, whose ids follow from its own.

use std::slice;

use contrail_core::api::{ListQuery, Resource, VirtualNetwork};
use contrail_core::ownership::{Maker, is_by_plugin};
use contrail_core::{Deadline, Error as CoreError, FqName};

use super::network_driver::NetworkDriver;
use super::store::{EndpointEntry, Network, NetworkEntry};
use super::wanted::Wanted;
use crate::error::{Error, Result};
use crate::options::Target;
use crate::proto::{EndpointId, NetworkId};
use crate::stage::Stage;

/// A virtual network with the annotation of a Docker network, which anyone may have copied.
struct Claim<'a> {
    network: &'a VirtualNetwork,
    /// What speaks for it, the strongest first: whether it is in this plugin's project, whether a program of
    /// this project made it, and whether that was this plugin on this machine.
    rights: [bool; 3],
}

impl<'a> Claim<'a> {
    /// The claim, if the network has the annotation and that is not about another network.
    fn of(network: &'a VirtualNetwork, key: &str, project: &FqName, maker: &Maker) -> Option<Self> {
        let meta = &network.meta;
        let note = Wanted::of_note(meta.annotations.get(key)?);
        let is_of_this = note.map_or(true, |wanted| match wanted.options.target {
            Target::Named(name) | Target::Existing(name) => name == meta.fq_name,
            Target::Id(id) => meta.uuid == Some(id),
        });
        if !is_of_this {
            log::warn!(
                "virtual network {} has the annotation {key} of another network: ignored it",
                meta.fq_name
            );
            return None;
        }
        let made_here = maker.made(meta, slice::from_ref(&maker.node)).is_some();
        Some(Self {
            network,
            rights: [
                meta.fq_name.parent().as_ref() == Some(project),
                is_by_plugin(meta),
                made_here,
            ],
        })
    }
}

/// The network with the strongest claim.
///
/// # Errors
/// [`Error::AmbiguousNetwork`] if it is not the only one.
fn strongest<'a>(
    id: &NetworkId,
    key: &str,
    claims: &[Claim<'a>],
) -> Result<Option<&'a VirtualNetwork>> {
    let Some(rights) = claims.iter().map(|claim| claim.rights).max() else {
        return Ok(None);
    };
    let best: Vec<&Claim> = claims.iter().filter(|c| c.rights == rights).collect();
    match best[..] {
        [claim] => Ok(Some(claim.network)),
        _ => Err(Error::AmbiguousNetwork {
            network: id.short().to_owned(),
            candidates: best
                .iter()
                .map(|c| c.network.meta.fq_name.clone())
                .collect(),
            annotation: key.to_owned(),
        }),
    }
}

impl NetworkDriver {
    /// A network from the state, or else from the controller.
    ///
    /// # Errors
    /// [`Error::UnknownNetwork`]; if the state cannot be read, or the API cannot be reached.
    pub(super) fn known(&self, id: &NetworkId, end: Deadline) -> Result<Network> {
        if let Some(known) = self.recorded(id)? {
            return Ok(known);
        }
        // A removal must not begin between the look-up and its record.
        let is_unknown = || Ok(self.store.network(id)?.is_none());
        let found = match self.locks.lock_while(id.as_str(), end, is_unknown)? {
            Some(_lock) if is_unknown()? => self.recover(id, end)?,
            _ => self.recorded(id)?,
        };
        found.ok_or_else(|| unknown(id))
    }

    /// A network that the state has; `None` if the state does not know it.
    ///
    /// # Errors
    /// [`Error::UnknownNetwork`] if Docker has deleted it: it must not be found again by an annotation that
    /// is still there; if the state cannot be read.
    pub(super) fn recorded(&self, id: &NetworkId) -> Result<Option<Network>> {
        let Some(entry) = self.store.network(id)? else {
            return Ok(None);
        };
        entry.live().map(Some).ok_or_else(|| unknown(id))
    }

    /// Finds the virtual network of a Docker network by its annotation, and records it. The caller has
    /// locked the network.
    ///
    /// # Errors
    /// If the API cannot be reached, or the state cannot be written.
    pub(super) fn recover(&self, id: &NetworkId, end: Deadline) -> Result<Option<Network>> {
        let Some(network) = self.annotated(id, end)? else {
            return Ok(None);
        };
        let keys = self.user_keys(id);
        let annotations = &network.meta.annotations;
        let note = keys.iter().find_map(|key| annotations.get(key));
        let name = &network.meta.fq_name;
        log::warn!(
            "Docker network {}: state lost, recovering it from virtual network {name}",
            id.short()
        );
        let wanted = match Wanted::of_note(note.unwrap_or_default()) {
            Ok(wanted) => wanted,
            Err(reason) => {
                log::warn!(
                    "Docker network {}: its options are lost, since its annotation cannot be used: {reason}",
                    id.short()
                );
                Wanted::seen(name.clone(), &self.subnets_of(&network, end)?)
            }
        };
        let network = self.network_of(id, wanted, &network)?;
        let live = NetworkEntry::Live(network.clone());
        self.store.put_network(id, &live)?;
        Ok(Some(network))
    }

    /// The virtual network with the annotation of a Docker network. Of all others only the annotations
    /// are read.
    ///
    /// # Errors
    /// [`Error::AmbiguousNetwork`] if several have it with the same right.
    fn annotated(&self, id: &NetworkId, end: Deadline) -> Result<Option<VirtualNetwork>> {
        let client = self.client(end);
        let query = ListQuery::all().fields(&["annotations"]);
        let mut all = client.listed::<VirtualNetwork>(&query)?;
        let keys = self.user_keys(id);
        let claim = |network| {
            let maker = self.attacher.maker();
            let mut of_names = keys.iter();
            of_names.find_map(|key| Claim::of(network, key, &self.project, maker))
        };
        let claims: Vec<Claim> = all.objects.iter().filter_map(claim).collect();
        match strongest(id, &keys.join(" or "), &claims)? {
            Some(network) => Ok(client.get_opt(network.id()?)?),
            // One that cannot be read may have it.
            None => match all.unreadable.pop() {
                Some(odd) => Err(odd.error.into()),
                None => Ok(None),
            },
        }
    }

    /// An endpoint from the state, or else from the controller.
    ///
    /// # Errors
    /// [`CoreError::NotFound`]; if the state cannot be used, or the API cannot be reached.
    pub(super) fn known_endpoint(&self, id: &EndpointId, end: Deadline) -> Result<EndpointEntry> {
        let recorded = self.store.endpoint(id)?;
        if let Some(entry) = recorded.filter(|entry| !entry.stage.is_incomplete()) {
            return Ok(entry);
        }
        let mut found = None;
        for node in self.attacher.names() {
            let attacher = self.attacher.named(&node);
            let here = attacher.find_endpoint(id.as_str(), end)?;
            found = found.or(here.map(|here| (node, here)));
        }
        let Some((node, found)) = found else {
            return Err(CoreError::NotFound {
                kind: "Docker endpoint",
                name: id.short().to_owned(),
                hint: Some("start the container again".into()),
            }
            .into());
        };
        log::warn!(
            "endpoint {}: state lost, recovering it from the controller",
            id.short()
        );
        let addresses = found.addresses.iter();
        let entry = EndpointEntry {
            network: None,
            addresses: addresses.map(|a| (a.address, a.reserved)).collect(),
            mac: found.mac,
            vm: found.vm,
            // Needed only until the endpoint has joined.
            service: None,
            node: Some(node),
            stage: Stage::Live,
            options: found.options,
        };
        self.store.put_endpoint(id, &entry)?;
        Ok(entry)
    }
}

/// A network that Docker has not created, or has deleted.
pub(super) fn unknown(id: &NetworkId) -> Error {
    Error::UnknownNetwork {
        network: id.short().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use contrail_core::ownership::mark::OWNER;

    use super::*;

    const KEY: &str = "container-plugin.docker-network.node1.n1";

    fn maker() -> Maker {
        Maker {
            program: "cnm-opencontrail".into(),
            node: "node1".into(),
            machine: None,
        }
    }

    /// A network with the annotation, whose note names the network `of`.
    fn network(name: &str, of: &str, mark: [(&str, &str); 2]) -> VirtualNetwork {
        let of: FqName = of.parse().unwrap();
        let note = Wanted::seen(of, &[]).note();
        let mut network: VirtualNetwork = serde_json::from_value(serde_json::json!({
            "fq_name": name.split(':').collect::<Vec<_>>(),
        }))
        .unwrap();
        let mark = mark.into_iter().filter(|(key, _)| !key.is_empty());
        network.meta.annotations = mark.chain([(KEY, note.as_str())]).collect();
        network
    }

    #[test]
    fn of_several_networks_with_the_annotation_the_one_with_most_rights_is_taken() {
        let here = [
            (OWNER, "cnm-opencontrail"),
            ("container-plugin.node", "node1"),
        ];
        let there = [
            (OWNER, "cnm-opencontrail"),
            ("container-plugin.node", "node2"),
        ];
        let nobody = [("", ""); 2];
        let id = NetworkId::try_from("n1".to_owned()).unwrap();
        for (networks, expected) in [
            (&[][..], Ok(None)),
            // Shared with another host, which made it; adopted; adopted in another project.
            (&[("d:p:a", "d:p:a", there)], Ok(Some("d:p:a"))),
            (&[("d:p:a", "d:p:a", nobody)], Ok(Some("d:p:a"))),
            (&[("d:other:a", "d:other:a", nobody)], Ok(Some("d:other:a"))),
            // A copy of the annotation, with and without the marks.
            (&[("d:evil:b", "d:p:a", here)], Ok(None)),
            (
                &[("d:evil:b", "d:p:a", here), ("d:p:a", "d:p:a", there)],
                Ok(Some("d:p:a")),
            ),
            // One whose note was changed, too.
            (
                &[("d:evil:b", "d:evil:b", here), ("d:p:a", "d:p:a", nobody)],
                Ok(Some("d:p:a")),
            ),
            (
                &[("d:p:b", "d:p:b", nobody), ("d:p:a", "d:p:a", there)],
                Ok(Some("d:p:a")),
            ),
            (
                &[("d:p:b", "d:p:b", there), ("d:p:a", "d:p:a", here)],
                Ok(Some("d:p:a")),
            ),
            (
                &[("d:p:b", "d:p:b", here), ("d:p:a", "d:p:a", here)],
                Err("d:p:b and d:p:a"),
            ),
            (
                &[("d:x:b", "d:x:b", nobody), ("d:y:a", "d:y:a", nobody)],
                Err("d:x:b and d:y:a"),
            ),
        ] {
            let made = networks
                .iter()
                .map(|(name, of, mark)| network(name, of, *mark));
            let made: Vec<VirtualNetwork> = made.collect();
            let project = FqName::new(["d", "p"]);
            let claim = |network| Claim::of(network, KEY, &project, &maker());
            let claims: Vec<Claim> = made.iter().filter_map(claim).collect();
            let outcome = strongest(&id, KEY, &claims);
            match (outcome, expected) {
                (Ok(found), Ok(expected)) => {
                    let found = found.map(|network| network.meta.fq_name.to_string());
                    assert_eq!(found.as_deref(), expected, "{networks:?}");
                }
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                }
                (outcome, _) => panic!("{networks:?}: {outcome:?}"),
            }
        }
    }
}
