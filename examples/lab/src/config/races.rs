//! What the server gets wrong when requests overlap: a create acts on what it saw when it arrived.
//!
//! The real server looks a name, an id and an address up first and takes them later, without a lock.
//! Requests that come one after the other see what the ones before have done, so that nothing of this
//! file shows then.

use std::collections::HashSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::address::{self, number};
use super::error::ApiError;
use super::identifier::fq_name;
use super::identifier::parse_uuid;
use super::schema::Kind;
use super::state::State;

/// What a create saw when it arrived. Empty if nothing can have come between.
#[derive(Debug, Default)]
pub struct Seen {
    /// The name was free.
    name: bool,
    /// This id was free.
    id: Option<Uuid>,
    /// The address that it asks for was free.
    address: bool,
    /// Names of references that led nowhere.
    missing: HashSet<(Kind, String)>,
}

impl Seen {
    /// What the create of an object sees now.
    pub fn by_create(state: &State, kind: Kind, sent: &Map<String, Value>) -> Self {
        let name = sent.get("fq_name").and_then(|name| fq_name(name).ok());
        let missing = references(kind, sent);
        let missing = missing.filter(|(kind, name)| state.store.find(*kind, &[name]).is_none());
        let mut seen = Self {
            missing: missing.collect(),
            ..Self::default()
        };
        if takes_long(state, kind) {
            let id = sent
                .get("uuid")
                .and_then(Value::as_str)
                .and_then(parse_uuid);
            seen.id = id.filter(|id| state.store.get(*id).is_none());
            seen.name = name.is_some_and(|name| state.holder(kind, &name).is_none());
            seen.address = address_is_free(state, kind, sent);
        }
        seen
    }

    /// Whether there is nothing that another request could change.
    pub fn is_empty(&self) -> bool {
        !self.name && self.id.is_none() && !self.address && self.missing.is_empty()
    }

    /// Whether another create has taken the same name for another id meanwhile.
    pub fn lost_name(&self, existing: Uuid) -> bool {
        self.name && self.id != Some(existing)
    }

    /// Whether another create of the same id is overwritten.
    pub fn overwrites(&self, id: Uuid) -> bool {
        self.id == Some(id)
    }

    /// Whether the address that is asked for was free.
    pub fn address_was_free(&self) -> bool {
        self.address
    }

    /// The object of a type and name, unless it has been made meanwhile.
    pub fn find(&self, state: &State, kind: Kind, name: &[String]) -> Option<Uuid> {
        let found = state.store.find(kind, name)?;
        let was_missing = self.missing.contains(&(kind, name.join(":")));
        (!was_missing).then_some(found)
    }
}

/// Creates of these types take long enough on the real server to overlap with others of the same
/// object.
fn takes_long(state: &State, kind: Kind) -> bool {
    [state.kinds.virtual_network, state.kinds.instance_ip].contains(&kind)
}

/// The types and names of all references.
fn references(kind: Kind, sent: &Map<String, Value>) -> impl Iterator<Item = (Kind, String)> {
    let lists = sent.iter().filter_map(move |(field, value)| {
        let (_, to_kind) = kind.link_of_field(field)?;
        Some((to_kind, value.as_array()?))
    });
    lists.flat_map(|(to_kind, elements)| {
        let names = elements.iter().filter_map(|element| element.get("to"));
        let names = names.filter_map(|to| fq_name(to).ok());
        names.map(move |name| (to_kind, name.join(":")))
    })
}

fn address_is_free(state: &State, kind: Kind, sent: &Map<String, Value>) -> bool {
    let asked = sent.get("instance_ip_address").and_then(Value::as_str);
    let Some(address) = asked.and_then(address::parse) else {
        return false;
    };
    let networks = references(kind, sent).filter(|(kind, _)| *kind == state.kinds.virtual_network);
    let network = networks
        .filter_map(|(kind, name)| state.store.find(kind, &[name]))
        .next();
    network.is_some_and(|network| !state.is_taken(&state.owners_of_subnets(network), address))
}

impl State {
    /// Who has a name: an object, or one that is going away.
    pub fn holder(&self, kind: Kind, name: &[String]) -> Option<Uuid> {
        let locked = self.locked.get(&(kind, name.join(":")));
        self.store.find(kind, name).or(locked.copied())
    }

    /// 409: another create was faster, or a delete is not through.
    pub fn name_is_held(&self, kind: Kind, name: &[String], holder: Uuid) -> ApiError {
        let path = format!("fq-name-to-uuid/{}:{}", kind.field(), name.join(":"));
        ApiError::new(409, self.held(&path, holder))
    }

    /// 400: another create has taken the address first.
    pub fn address_is_held(&self, owners: &[Uuid], address: std::net::IpAddr) -> ApiError {
        let subnets = owners.iter().flat_map(|owner| {
            let entries = self.spaces.get(owner).into_iter().flatten();
            entries.map(move |entry| (owner, entry))
        });
        let mut holding = subnets.filter(|(_, entry)| entry.subnet.contains(address));
        let path = holding.next().map(|(owner, entry)| {
            let owner = self.store.get(*owner).map(|owner| owner.fq_name.join(":"));
            let owner = owner.unwrap_or_default();
            let holder = entry.subnet.owner(address).unwrap_or_default();
            let number = number(address);
            let path = format!("api-server/subnets/{owner}:{}/{number:010}", entry.name);
            (path, holder)
        });
        let (path, holder) = path.unwrap_or_default();
        ApiError::bad_request(self.held(&path, holder))
    }

    /// What the server says when it finds a node of the path in ZooKeeper.
    fn held(&self, path: &str, holder: impl std::fmt::Display) -> String {
        let root = self.cluster_id.as_deref().unwrap_or_default();
        format!("FQ Name: {root}/{path} exists already with ID: {holder} at zookeeper")
    }
}
