//! The configuration API: typed objects over REST, on any of several servers.
//!
//! Contract: OpenContrail 3.x up to OpenSDN. Requests are built as values ([`request`]), refusals
//! are read by one pure function ([`errors`]); only [`Client`] sends.

mod address;
mod answer;
pub mod errors;
mod list;
mod listed;
pub mod objects;
mod race;
pub mod request;
pub mod resource;
mod send;
mod subnets;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::http::{Server, Transport};
use crate::keystone::TokenSource;
use crate::values::Deadline;
use crate::values::FqName;

pub use listed::{Listed, Unreadable};
pub use objects::{
    InstanceIp, IpamSubnet, NetworkIpam, NetworkPolicy, PortTuple, Project, RouteTarget,
    SecurityGroup, ServiceInstance, ServiceTemplate, VirtualMachine, VirtualMachineInterface,
    VirtualNetwork, VnSubnets,
};
pub use request::ListQuery;
pub use resource::{KeyValuePairs, Meta, Ref, Resource, Rest};

/// Whether [`Client::ensure`] made the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ensured {
    /// The object's id.
    pub uuid: Uuid,
    /// False when it was there already.
    pub created: bool,
    /// Whether that is known. A request whose answer was lost is sent again, and what that one finds may
    /// also have been there before the first.
    pub is_certain: bool,
}

/// A client of the configuration API. Cloning is cheap, and clones may be used by many threads at
/// once: independent requests are sent in parallel with [`std::thread::scope`].
///
/// A server that cannot be reached or answers 502, 503 or 504 is left for the next one, which then
/// stays the first choice; where a connection broke, a new one to the same server is tried before.
/// A request that may have had an effect already is repeated only where
/// that does no harm: not the creation of an object whose id the API shall choose, nor that of an instance
/// IP, for which there is [`Client::ensure_address`].
///
/// ```no_run
/// # use std::{sync::Arc, time::Duration};
/// use contrail_core::api::{Client, VirtualNetwork};
/// use contrail_core::http::{Http, Scheme, Server, TlsSettings};
/// use contrail_core::keystone::NoAuth;
///
/// let client = Client::new(
///     Arc::new(Http::new(&TlsSettings::default(), Duration::from_secs(2))?),
///     vec![Server { scheme: Scheme::Http, host: "10.0.0.5".into(), port: 8082 }],
///     Arc::new(NoAuth),
///     "node1:example".into(),
///     Duration::from_secs(10),
/// );
/// if let Some(network) = client.lookup::<VirtualNetwork>(&"default-domain:admin:net1".parse()?)? {
///     println!("{:?}", network.subnets().next());
/// }
/// # Ok::<(), contrail_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    deadline: Option<Deadline>,
}

struct Shared {
    transport: Arc<dyn Transport>,
    servers: Vec<Server>,
    /// The server that answered last: the index into `servers`.
    preferred: AtomicUsize,
    tokens: Arc<dyn TokenSource>,
    user_agent: String,
    request_timeout: Duration,
}

impl Client {
    /// A client of the given servers, which are tried in this order. Each request to one server may
    /// take `request_timeout`. `user_agent` names the caller in the API's audit log: `host:program`.
    pub fn new(
        transport: Arc<dyn Transport>,
        servers: Vec<Server>,
        tokens: Arc<dyn TokenSource>,
        user_agent: String,
        request_timeout: Duration,
    ) -> Client {
        let shared = Shared {
            transport,
            servers,
            preferred: AtomicUsize::new(0),
            tokens,
            user_agent,
            request_timeout,
        };
        Client {
            shared: Arc::new(shared),
            deadline: None,
        }
    }

    /// The same client with an end: all its calls together keep to the deadline.
    pub fn until(&self, deadline: Deadline) -> Client {
        Client {
            shared: self.shared.clone(),
            deadline: Some(deadline),
        }
    }

    /// Creates an object and returns its id.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when the name or the id is taken, [`Error::NotFound`] when its parent
    /// or an object that it refers to is missing; for an instance IP also [`Error::AddressInUse`]
    /// and [`Error::NoAddress`].
    pub fn create<R: Resource>(&self, object: &R) -> Result<Uuid> {
        self.make(object).map(|made| made.uuid)
    }

    fn make<R: Resource>(&self, object: &R) -> Result<Ensured> {
        let made = |uuid, is_certain| Ensured {
            uuid,
            created: true,
            is_certain,
        };
        let answer = self.send(&request::create(object))?;
        if answer.is_success() {
            return answer.created::<R>().map(|uuid| made(uuid, true));
        }
        let name = object.fq_name().to_string();
        let refusal = answer.refusal::<R>(name, object.uuid());
        let error = object
            .explain(&refusal)
            .unwrap_or_else(|| errors::classify(&refusal, answer.response()));
        match error {
            // Most probably the first attempt had been carried out, and only its answer was lost.
            Error::AlreadyExists { uuid: Some(id), .. }
                if answer.is_repeated() && object.uuid() == Some(id) =>
            {
                Ok(made(id, false))
            }
            error => Err(answer.settled(error)),
        }
    }

    /// Creates an object that has its own id, or finds it made already under that id: a call that
    /// can be made any number of times.
    ///
    /// # Errors
    /// As [`Client::create`]; [`Error::AlreadyExists`] only when the name belongs to an object with
    /// another id. [`Error::Missing`] when the object has no id.
    pub fn ensure<R: Resource>(&self, object: &R) -> Result<Ensured> {
        let Some(own) = object.uuid() else {
            let what = format!("id of {} {}", R::TYPE, object.fq_name());
            return Err(Error::missing(
                what,
                "only objects with an id can be ensured",
            ));
        };
        let error = match self.make(object) {
            Err(error @ Error::AlreadyExists { .. }) => error,
            other => return other,
        };
        let existing = match &error {
            Error::AlreadyExists { uuid: Some(id), .. } => Some(*id),
            // A text of another version: the name has one holder, who can be asked for.
            _ => self.id_of::<R>(object.fq_name())?,
        };
        match existing == Some(own) {
            true => Ok(Ensured {
                uuid: own,
                created: false,
                is_certain: true,
            }),
            false => Err(error),
        }
    }

    /// Reads an object that must exist, without what refers to it and its children.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not.
    pub fn get<R: Resource>(&self, uuid: Uuid) -> Result<R> {
        self.read(&request::get::<R>(uuid), uuid)
    }

    /// Reads an object that may be absent, without what refers to it and its children.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn get_opt<R: Resource>(&self, uuid: Uuid) -> Result<Option<R>> {
        absent_as_none(self.get(uuid))
    }

    /// Reads some fields of an object that must exist. Names of back references and children may be
    /// among them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the object does not exist.
    pub fn get_with<R: Resource>(&self, uuid: Uuid, fields: &[&str]) -> Result<R> {
        self.read(&request::get_with::<R>(uuid, fields), uuid)
    }

    /// Reads some fields of an object that may be absent, as [`Client::get_with`].
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn get_opt_with<R: Resource>(&self, uuid: Uuid, fields: &[&str]) -> Result<Option<R>> {
        absent_as_none(self.get_with(uuid, fields))
    }

    /// Finds an object by name and reads it, in one request (two for names with commas or colons
    /// inside a part).
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn lookup<R: Resource>(&self, name: &FqName) -> Result<Option<R>> {
        let Some(request) = request::lookup::<R>(name) else {
            return match self.id_of::<R>(name)? {
                Some(uuid) => self.get_opt(uuid),
                None => Ok(None),
            };
        };
        let answer = self.send(&request)?;
        if !answer.is_success() {
            return Err(answer.error::<R>(name.to_string(), None));
        }
        answer.named(name)
    }

    /// The id of the object of a name.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn id_of<R: Resource>(&self, name: &FqName) -> Result<Option<Uuid>> {
        let answer = self.send(&request::id_of::<R>(name))?;
        if answer.is_success() {
            return answer.uuid().map(Some);
        }
        absent_as_none(Err(answer.error::<R>(name.to_string(), None)))
    }

    /// Lists objects. What the query does not ask for is left at its default. Objects that cannot be
    /// read are reported and left out: one odd object of somebody else is no reason to fail.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn list<R: Resource>(&self, query: &ListQuery) -> Result<Vec<R>> {
        self.listed(query).map(Listed::readable)
    }

    /// Lists objects for a decision that an object left out would make wrong.
    ///
    /// # Errors
    /// [`Error::Decode`] when one cannot be read; when the API cannot be asked.
    pub fn list_whole<R: Resource>(&self, query: &ListQuery) -> Result<Vec<R>> {
        self.listed(query)?.whole()
    }

    /// Lists objects, and those that cannot be read.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn listed<R: Resource>(&self, query: &ListQuery) -> Result<Listed<R>> {
        if query.is_empty() {
            return Ok(Listed::default());
        }
        let answer = self.send(&request::list::<R>(query))?;
        match answer.is_success() {
            true => answer.list(query.detail),
            false => Err(answer.error::<R>("list".to_owned(), None)),
        }
    }

    /// Changes the named fields of an object and leaves all others: `null` removes a property, a
    /// list of references replaces all references of that type.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the object does not exist.
    pub fn update<R: Resource>(&self, uuid: Uuid, changes: &Value) -> Result<()> {
        let answer = self.send(&request::update::<R>(uuid, changes))?;
        match answer.acknowledges()? {
            true => Ok(()),
            false => Err(answer.settled(answer.error::<R>(uuid.to_string(), Some(uuid)))),
        }
    }

    /// Adds one reference between two objects (type and id; of the second also the name), without
    /// touching the others. One that is there already gets the new `attr`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the one of the two that does not exist.
    pub fn add_ref(
        &self,
        from: (&'static str, Uuid),
        to: request::Target<'_>,
        attr: Option<Value>,
    ) -> Result<()> {
        self.ref_update(&request::ref_update("ADD", from, to, attr), from, to)
    }

    /// Removes one reference between two objects. One that is not there is no error.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the first object does not exist.
    pub fn remove_ref(&self, from: (&'static str, Uuid), to: request::Target<'_>) -> Result<()> {
        self.ref_update(&request::ref_update("DELETE", from, to, None), from, to)
    }

    /// Sets one annotation of an object, or removes it without a value. In one step on the server, so
    /// that several hosts can do it at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the object does not exist.
    pub fn annotate<R: Resource>(&self, uuid: Uuid, key: &str, value: Option<&str>) -> Result<()> {
        let answer = self.send(&request::annotate(uuid, key, value))?;
        match answer.acknowledges()? {
            true => Ok(()),
            false => Err(answer.settled(answer.error::<R>(uuid.to_string(), Some(uuid)))),
        }
    }

    /// Deletes an object; false when it was not there.
    ///
    /// # Errors
    /// [`Error::InUse`] when others refer to it or are its children.
    pub fn delete<R: Resource>(&self, uuid: Uuid) -> Result<bool> {
        let answer = self.send(&request::delete::<R>(uuid))?;
        if answer.acknowledges()? {
            return Ok(true);
        }
        let error = answer.error::<R>(uuid.to_string(), Some(uuid));
        match error {
            Error::NotFound { .. } => Ok(false),
            error => Err(answer.settled(error)),
        }
    }

    fn read<R: Resource>(&self, request: &request::ApiRequest, uuid: Uuid) -> Result<R> {
        let answer = self.send(request)?;
        match answer.is_success() {
            true => answer.object(),
            false => Err(answer.error::<R>(uuid.to_string(), Some(uuid))),
        }
    }

    fn ref_update(
        &self,
        request: &request::ApiRequest,
        from: (&'static str, Uuid),
        to: request::Target<'_>,
    ) -> Result<()> {
        let answer = self.send(request)?;
        if answer.acknowledges()? {
            return Ok(());
        }
        let text = answer.response().text();
        let missing_target =
            text.contains(&to.1.to_string()) && !text.contains(&from.1.to_string());
        let (kind, uuid) = if missing_target { (to.0, to.1) } else { from };
        let error = answer.error_of(kind, "", uuid.to_string(), Some(uuid));
        match error {
            // An object that is gone has no reference, whichever attempt met it.
            Error::NotFound { .. } => Err(error),
            error => Err(answer.settled(error)),
        }
    }
}

fn absent_as_none<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
