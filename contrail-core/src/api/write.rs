//! Changing objects: creation, fields, references, deletion.

use serde_json::Value;
use uuid::Uuid;

use super::client::Client;
use super::ensure::Ensured;
use super::errors::{self, Refusal, Subject};
use super::object_type::ObjectType;
use super::request::{self, ApiRequest, Target};
use super::resource::Resource;
use crate::error::{Error, Result};

impl Client {
    /// Creates an object and returns its id.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] if the name or the id is taken, [`Error::NotFound`] if its parent does
    /// not exist, [`Error::MissingReference`] if an object that it refers to does not exist; for an
    /// instance IP also [`Error::AddressInUse`] and [`Error::NoAddress`].
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use contrail_core::api::{IpamSubnet, NetworkIpam, VirtualNetwork};
    ///
    /// let name = "default-domain:admin:net1".parse()?;
    /// let subnets = vec![IpamSubnet::new("10.1.0.0/24".parse()?)];
    /// let network = VirtualNetwork::new(name, NetworkIpam::default_name(), subnets);
    /// println!("created {}", client.create(&network)?);
    /// # Ok(()) }
    /// ```
    pub fn create<R: Resource>(&self, object: &R) -> Result<Uuid> {
        self.create_typed(object).map(|created| created.uuid)
    }

    /// Changes the named fields of an object and leaves all others: `null` removes a property, a
    /// list of references replaces all references of that type.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the object does not exist.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client, id: uuid::Uuid) -> contrail_core::Result<()> {
    /// use contrail_core::api::VirtualNetwork;
    /// use serde_json::json;
    ///
    /// client.update::<VirtualNetwork>(id, &json!({"display_name": "front end"}))?;
    /// # Ok(()) }
    /// ```
    pub fn update<R: Resource>(&self, uuid: Uuid, changes: &Value) -> Result<()> {
        self.update_of(R::object_type(), uuid, changes)
    }

    /// Adds one reference between two objects (type and id; of the second also the name), without
    /// touching the others. One that exists gets the new `attr`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the one of the two that does not exist.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client) -> contrail_core::Result<()> {
    /// use contrail_core::api::{Resource, VirtualMachine, VirtualMachineInterface};
    /// use uuid::Uuid;
    ///
    /// let (port, vm) = (Uuid::from_u128(1), Uuid::from_u128(2));
    /// let name = vm.to_string().parse()?;
    /// let machine = (VirtualMachine::TYPE, vm, &name);
    /// client.add_ref((VirtualMachineInterface::TYPE, port), machine, None)?;
    /// client.remove_ref((VirtualMachineInterface::TYPE, port), machine)?;
    /// # Ok(()) }
    /// ```
    pub fn add_ref(
        &self,
        from: (&'static str, Uuid),
        to: Target<'_>,
        attr: Option<Value>,
    ) -> Result<()> {
        self.ref_update(&request::ref_update("ADD", from, to, attr), from, to)
    }

    /// Removes one reference between two objects. One that does not exist is no error.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the first object does not exist.
    pub fn remove_ref(&self, from: (&'static str, Uuid), to: Target<'_>) -> Result<()> {
        self.ref_update(&request::ref_update("DELETE", from, to, None), from, to)
    }

    /// Sets one annotation of an object, or removes it if `value` is `None`. It is one step on the
    /// server, so that several hosts can do it at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the object does not exist.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client, id: uuid::Uuid) -> contrail_core::Result<()> {
    /// use contrail_core::api::VirtualNetwork;
    ///
    /// client.annotate::<VirtualNetwork>(id, "team", Some("payments"))?;
    /// client.annotate::<VirtualNetwork>(id, "team", None)?;
    /// # Ok(()) }
    /// ```
    pub fn annotate<R: Resource>(&self, uuid: Uuid, key: &str, value: Option<&str>) -> Result<()> {
        let subject = Subject::of_id(R::object_type(), uuid);
        self.change(&request::annotate(uuid, key, value), &subject)
    }

    /// Deletes an object; `false` if it did not exist.
    ///
    /// # Errors
    /// [`Error::InUse`] if other objects refer to it or are its children.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client, id: uuid::Uuid) -> contrail_core::Result<()> {
    /// use contrail_core::api::VirtualNetwork;
    ///
    /// if !client.delete::<VirtualNetwork>(id)? {
    ///     println!("{id} did not exist");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn delete<R: Resource>(&self, uuid: Uuid) -> Result<bool> {
        self.delete_of(R::object_type(), uuid)
    }

    pub(super) fn create_typed<R: Resource>(&self, object: &R) -> Result<Ensured> {
        let subject = Subject {
            uuid: object.uuid(),
            ..Subject::of_name(R::object_type(), object.fq_name())
        };
        let explain = |refusal: &Refusal| object.explain(refusal);
        self.create_of(&request::create(object)?, &subject, explain)
    }

    /// Creates the object of this request. `explain` may have a more precise error for a refusal.
    pub(super) fn create_of(
        &self,
        request: &ApiRequest,
        subject: &Subject,
        explain: impl Fn(&Refusal) -> Option<Error>,
    ) -> Result<Ensured> {
        let created = |uuid, is_certain| Ensured {
            uuid,
            created: true,
            is_certain,
        };
        let answer = self.send(request)?;
        if answer.is_success() {
            let uuid = answer.created(subject.object_type)?;
            return Ok(created(uuid, true));
        }
        let refusal = answer.refusal(subject);
        let error =
            explain(&refusal).unwrap_or_else(|| errors::classify(&refusal, answer.response()));
        match error {
            // Most probably the first attempt had been carried out, and only its answer was lost.
            Error::AlreadyExists { uuid: Some(id), .. }
                if answer.is_repeated() && subject.uuid == Some(id) =>
            {
                Ok(created(id, false))
            }
            error => Err(answer.settled(error)),
        }
    }

    pub(super) fn update_of(&self, kind: ObjectType, uuid: Uuid, changes: &Value) -> Result<()> {
        let request = request::update(kind.name(), uuid, changes);
        self.change(&request, &Subject::of_id(kind, uuid))
    }

    pub(super) fn delete_of(&self, kind: ObjectType, uuid: Uuid) -> Result<bool> {
        let subject = Subject::of_id(kind, uuid);
        let answer = self.send(&request::delete(kind.name(), uuid))?;
        if answer.acknowledges()? {
            return Ok(true);
        }
        match answer.error(&subject) {
            Error::NotFound { .. } => Ok(false),
            error => Err(answer.settled(error)),
        }
    }

    fn change(&self, request: &ApiRequest, subject: &Subject) -> Result<()> {
        let answer = self.send(request)?;
        match answer.acknowledges()? {
            true => Ok(()),
            false => Err(answer.settled(answer.error(subject))),
        }
    }

    fn ref_update(
        &self,
        request: &ApiRequest,
        from: (&'static str, Uuid),
        to: Target<'_>,
    ) -> Result<()> {
        let from = Subject::of_id(ObjectType::new(from.0), from.1);
        let answer = self.send(request)?;
        if answer.acknowledges()? {
            return Ok(());
        }
        let to = (ObjectType::new(to.0), to.1, to.2);
        let subject = errors::subject_of_link(&answer.response().text(), from, to);
        match answer.error(&subject) {
            // An object that does not exist has no reference, whichever attempt met it.
            error @ Error::NotFound { .. } => Err(error),
            error => Err(answer.settled(error)),
        }
    }
}
