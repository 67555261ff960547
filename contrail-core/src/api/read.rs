//! Reading objects: by id, by name, in lists.

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::client::Client;
use super::errors::Subject;
use super::listed::Listed;
use super::object_type::ObjectType;
use super::request::{self, ApiRequest, ListQuery};
use super::resource::Resource;
use crate::error::{Error, Result};
use crate::values::FqName;

impl Client {
    /// Reads an object that must exist, without its back references and children.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it does not exist; otherwise if the API cannot be asked.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client) -> contrail_core::Result<()> {
    /// use contrail_core::api::{Resource, VirtualNetwork};
    /// use uuid::Uuid;
    ///
    /// let id = Uuid::from_u128(0x5dd3_72be_4068_49dc_af5d_eb79_f93a_7bdf);
    /// let network: VirtualNetwork = client.get(id)?;
    /// assert_eq!(network.id()?, id);
    /// # Ok(()) }
    /// ```
    pub fn get<R: Resource>(&self, uuid: Uuid) -> Result<R> {
        self.read(R::object_type(), &request::get(R::TYPE, uuid), uuid)
    }

    /// Reads an object that may be absent, without its back references and children.
    ///
    /// # Errors
    /// If the API cannot be asked.
    pub fn get_opt<R: Resource>(&self, uuid: Uuid) -> Result<Option<R>> {
        absent_as_none(self.get(uuid))
    }

    /// Reads some fields of an object that must exist. Names of back references and children may be
    /// among them.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the object does not exist; otherwise if the API cannot be asked.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client, id: uuid::Uuid) -> contrail_core::Result<()> {
    /// use contrail_core::api::VirtualMachineInterface;
    ///
    /// let port: VirtualMachineInterface = client.get_with(id, &["instance_ip_back_refs"])?;
    /// println!("{} addresses", port.instance_ip_back_refs.len());
    /// # Ok(()) }
    /// ```
    pub fn get_with<R: Resource>(&self, uuid: Uuid, fields: &[&str]) -> Result<R> {
        let request = request::get_with(R::TYPE, uuid, fields);
        self.read(R::object_type(), &request, uuid)
    }

    /// Reads some fields of an object that may be absent, as [`Client::get_with`].
    ///
    /// # Errors
    /// If the API cannot be asked.
    pub fn get_opt_with<R: Resource>(&self, uuid: Uuid, fields: &[&str]) -> Result<Option<R>> {
        absent_as_none(self.get_with(uuid, fields))
    }

    /// Finds an object by name and reads it, in one request (two for names with commas or colons
    /// inside a part).
    ///
    /// # Errors
    /// If the API cannot be asked.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client) -> contrail_core::Result<()> {
    /// use contrail_core::api::VirtualNetwork;
    ///
    /// let name = "default-domain:admin:net1".parse()?;
    /// if let Some(network) = client.lookup::<VirtualNetwork>(&name)? {
    ///     println!("{} subnets", network.subnets().count());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn lookup<R: Resource>(&self, name: &FqName) -> Result<Option<R>> {
        self.find(R::object_type(), name)
    }

    /// The id of the object of a name.
    ///
    /// # Errors
    /// If the API cannot be asked.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client) -> contrail_core::Result<()> {
    /// use contrail_core::api::Project;
    ///
    /// let id = client.id_of::<Project>(&"default-domain:admin".parse()?)?;
    /// assert!(id.is_some());
    /// # Ok(()) }
    /// ```
    pub fn id_of<R: Resource>(&self, name: &FqName) -> Result<Option<Uuid>> {
        self.find_id(R::object_type(), name)
    }

    /// Lists objects. What the query does not ask for has its default value. An object that cannot be
    /// read is logged as a warning and left out, so that one damaged object does not fail the list.
    ///
    /// # Errors
    /// If the API cannot be asked.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client) -> contrail_core::Result<()> {
    /// use contrail_core::api::{ListQuery, Resource, VirtualNetwork};
    ///
    /// let query = ListQuery::children_of("project", "default-domain:admin".parse()?);
    /// for network in client.list::<VirtualNetwork>(&query.detail())? {
    ///     println!("{}", network.fq_name());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn list<R: Resource>(&self, query: &ListQuery) -> Result<Vec<R>> {
        self.listed(query).map(Listed::readable)
    }

    /// Lists objects for a decision that a missing object would make wrong.
    ///
    /// # Errors
    /// [`Error::Decode`] if one cannot be read; otherwise if the API cannot be asked.
    pub fn list_whole<R: Resource>(&self, query: &ListQuery) -> Result<Vec<R>> {
        self.listed(query)?.whole()
    }

    /// Lists objects, and those that cannot be read.
    ///
    /// # Errors
    /// If the API cannot be asked.
    pub fn listed<R: Resource>(&self, query: &ListQuery) -> Result<Listed<R>> {
        self.list_of(R::object_type(), query)
    }

    pub(super) fn read<T: DeserializeOwned>(
        &self,
        kind: ObjectType,
        request: &ApiRequest,
        uuid: Uuid,
    ) -> Result<T> {
        let answer = self.send(request)?;
        match answer.is_success() {
            true => answer.object(kind),
            false => Err(answer.error(&Subject::of_id(kind, uuid))),
        }
    }

    pub(super) fn find<T: DeserializeOwned>(
        &self,
        kind: ObjectType,
        name: &FqName,
    ) -> Result<Option<T>> {
        let Some(request) = request::lookup(kind.name(), name) else {
            return match self.find_id(kind, name)? {
                Some(uuid) => {
                    absent_as_none(self.read(kind, &request::get(kind.name(), uuid), uuid))
                }
                None => Ok(None),
            };
        };
        let answer = self.send(&request)?;
        match answer.is_success() {
            true => answer.named(kind, name),
            false => Err(answer.error(&Subject::of_name(kind, name))),
        }
    }

    pub(super) fn find_id(&self, kind: ObjectType, name: &FqName) -> Result<Option<Uuid>> {
        let answer = self.send(&request::id_of(kind.name(), name))?;
        if answer.is_success() {
            return answer.uuid().map(Some);
        }
        absent_as_none(Err(answer.error(&Subject::of_name(kind, name))))
    }

    pub(super) fn list_of<T: DeserializeOwned>(
        &self,
        kind: ObjectType,
        query: &ListQuery,
    ) -> Result<Listed<T>> {
        if query.is_empty() {
            return Ok(Listed::default());
        }
        let answer = self.send(&request::list(kind.name(), query))?;
        match answer.is_success() {
            true => answer.list(kind, query.is_detailed()),
            false => Err(answer.error(&Subject {
                object_type: kind,
                name: "list".to_owned(),
                uuid: None,
            })),
        }
    }
}

pub(super) fn absent_as_none<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
