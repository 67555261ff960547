//! The lab's router in the kernel: namespace, wires, objects and filter, brought to a model.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use contrail_core::error::report;
use contrail_core::{Error, Result};
use rtnetlink::{Handle, new_connection};
use uuid::Uuid;

use super::apply::{Applied, Kernel, base_rules};
use super::filter::Filter;
use super::model::Model;
use super::namespace::{self, Claim, Namespace};
use super::netlink::{Link, set_up};
use super::nft::Elements;
use super::render::render;
use super::wire::{self, Ends, Wire};

/// A router that forwards.
pub struct Router {
    lab: String,
    _claim: Claim,
    namespace: Namespace,
    host: Handle,
    inside: Handle,
    /// The filter, or why there is none.
    pub filter: Result<Filter>,
    wires: BTreeMap<Uuid, Wire>,
    applied: Applied,
    ipv6: bool,
}

/// What bringing the router to a model led to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Wires that no longer carry anything, to be removed with [`Router::remove`].
    pub unused: Vec<Wire>,
    /// Ports that could not be wired, and why.
    pub unwired: BTreeMap<Uuid, String>,
    /// What else failed.
    pub problems: Vec<String>,
}

impl Router {
    /// Makes the namespace of the lab and moves the calling thread into it; what an earlier lab of
    /// this name left is removed first. Called inside a Tokio runtime of one thread, with a handle
    /// in the namespace where the host ends are.
    ///
    /// # Errors
    /// [`Error::System`] or [`Error::File`] when this process may not do that.
    pub async fn start(lab: &str, host: Handle, nft: Option<&Path>) -> Result<Self> {
        let claim = Claim::new(lab)?;
        if wire::remove_leftovers(&host, lab).await? {
            log::info!("removed what an earlier lab {lab:?} had left");
        }
        let namespace = Namespace::create(lab)?;
        let ipv6 = namespace::has_ipv6();
        let router = async {
            namespace::write_sysctls()?;
            let (connection, inside, _) = new_connection()
                .map_err(|e| Error::system("open netlink in the lab's namespace", e))?;
            tokio::spawn(connection);
            set_up(&inside, 1, "lo").await?;
            let filter = Filter::start(nft);
            base_rules(&inside, ipv6).await?;
            Ok((inside, filter))
        }
        .await;
        let (inside, filter) = match router {
            Ok(parts) => parts,
            Err(e) => {
                namespace::remove(lab)?;
                return Err(e);
            }
        };
        Ok(Self {
            lab: lab.to_owned(),
            _claim: claim,
            namespace,
            host,
            inside,
            filter,
            wires: BTreeMap::new(),
            applied: Applied::default(),
            ipv6,
        })
    }

    /// The namespace's file.
    pub fn path(&self) -> &Path {
        self.namespace.path()
    }

    /// Brings the kernel to the model. Goes on after failures.
    pub async fn reconcile(&mut self, model: &Model, links: &BTreeMap<String, Link>) -> Outcome {
        let mut outcome = Outcome::default();
        self.rewire(model, links, &mut outcome).await;
        let wired: HashSet<String> = self
            .wires
            .values()
            .map(|wire| wire.names.twin.clone())
            .collect();
        let want = render(model, &wired);
        let mut twins: HashMap<&str, u32> = HashMap::new();
        for wire in self.wires.values().chain(&outcome.unused) {
            twins.insert(&wire.names.twin, wire.twin);
        }
        let kernel = Kernel {
            handle: &self.inside,
            twins,
            ipv6: self.ipv6,
        };
        let mut problems = self.applied.close(&kernel, &want).await;
        // Between closing and opening: no packet meets rules of another model.
        if let Ok(filter) = &mut self.filter {
            problems.extend(filter.set(Elements::of(model, &wired)).err());
        }
        problems.extend(self.applied.open(&kernel, &want).await);
        outcome.problems.extend(problems.iter().map(|e| report(e)));
        outcome
    }

    /// Makes the wires that the model's ports need, follows host ends that were made again, and
    /// sets aside the wires that are not needed.
    async fn rewire(
        &mut self,
        model: &Model,
        links: &BTreeMap<String, Link>,
        outcome: &mut Outcome,
    ) {
        let ends: BTreeMap<Uuid, &Link> = model
            .ports
            .iter()
            .filter_map(|port| Some((port.id, links.get(&port.host_ifname)?)))
            .collect();
        let unused: Vec<Uuid> = self
            .wires
            .keys()
            .filter(|id| !ends.contains_key(*id))
            .copied()
            .collect();
        outcome
            .unused
            .extend(unused.iter().filter_map(|id| self.wires.remove(id)));
        let kernel = Ends {
            host: &self.host,
            lab: &self.inside,
            namespace: self.namespace.fd(),
        };
        for (id, host) in ends {
            let result = match self.wires.get_mut(&id) {
                Some(wire) if wire.host == host.index => Ok(()),
                Some(wire) => kernel.reconnect(wire, host).await,
                None => match kernel.connect(&self.lab, id, host).await {
                    Ok(wire) => {
                        self.wires.insert(id, wire);
                        Ok(())
                    }
                    Err(e) => Err(e),
                },
            };
            if let Err(e) = result {
                outcome.unwired.insert(id, report(&e));
            }
        }
    }

    /// Removes wires that [`Router::reconcile`] set aside. Slow (the kernel waits for its readers),
    /// and nothing depends on it.
    ///
    /// # Errors
    /// [`Error::System`], the first one; everything is tried.
    pub async fn remove(&mut self, unused: &[Wire]) -> Result<()> {
        let removed = wire::disconnect(&self.host, &self.inside, unused).await;
        for wire in unused {
            self.applied.forget(&wire.names.twin);
        }
        removed
    }

    /// Takes a wire whose links the kernel removed out of the books.
    pub fn link_is_gone(&mut self, index: u32) {
        let gone = self
            .wires
            .iter()
            .find(|(_, wire)| wire.stub == index)
            .map(|(id, _)| *id);
        if let Some(wire) = gone.and_then(|id| self.wires.remove(&id)) {
            self.applied.forget(&wire.names.twin);
        }
    }

    /// Removes the router: redirections on host ends, all wires, the namespace.
    ///
    /// # Errors
    /// The first failure; everything is tried.
    pub async fn stop(self) -> Result<()> {
        let wires: Vec<Wire> = self.wires.into_values().collect();
        let removed = wire::disconnect(&self.host, &self.inside, &wires).await;
        let unnamed = namespace::remove(&self.lab).map(|_| ());
        removed.and(unnamed)
    }
}
