//! Objects of types that have no Rust type.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::client::Client;
use super::errors::Subject;
use super::listed::Listed;
use super::meta::{Meta, Rest};
use super::object_type::ObjectType;
use super::read::absent_as_none;
use super::request::{self, ListQuery};
use super::resource::no_id;
use crate::error::Result;
use crate::values::FqName;

/// An object of a type that is only known by its name. [`resource!`](crate::resource) gives a type
/// fields of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DynamicObject {
    /// The type.
    #[serde(skip)]
    pub object_type: ObjectType,
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// All other fields, as the API spells them.
    #[serde(flatten)]
    pub fields: Rest,
}

/// An object before its type is noted.
#[derive(Deserialize)]
struct Untyped {
    #[serde(flatten)]
    meta: Meta,
    #[serde(flatten)]
    fields: Rest,
}

impl Untyped {
    fn of(self, object_type: ObjectType) -> DynamicObject {
        DynamicObject {
            object_type,
            meta: self.meta,
            fields: self.fields,
        }
    }
}

impl DynamicObject {
    /// A new object without fields of its own.
    ///
    /// ```
    /// use contrail_core::api::{DynamicObject, ObjectType};
    ///
    /// let router = ObjectType::new("logical-router").child_of("project");
    /// let object = DynamicObject::new(router, "default-domain:admin:r1".parse()?)
    ///     .with("logical_router_type", "snat-routing");
    /// assert_eq!(object.meta.parent_type.as_deref(), Some("project"));
    /// assert_eq!(object.fields["logical_router_type"], "snat-routing");
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn new(object_type: ObjectType, fq_name: FqName) -> Self {
        let meta = match object_type.parent() {
            Some(parent) => Meta::child_of(parent, fq_name),
            None => Meta::new(fq_name),
        };
        Self {
            object_type,
            meta,
            fields: Rest::new(),
        }
    }

    /// The same object with this value in a field.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    /// The id of an object that was read from the API.
    ///
    /// # Errors
    /// [`Error::Missing`](crate::Error::Missing) that names the object if it has none.
    pub fn id(&self) -> Result<Uuid> {
        let name = &self.meta.fq_name;
        let id = self.meta.uuid;
        id.ok_or_else(|| no_id(self.object_type.name(), name))
    }
}

/// A client for the objects of one type that has no Rust type. It sends the same requests as the
/// methods of [`Client`] with a type parameter.
#[derive(Clone, Debug)]
pub struct DynamicClient {
    client: Client,
    object_type: ObjectType,
}

impl Client {
    /// A client for the objects of this type.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client) -> contrail_core::Result<()> {
    /// use contrail_core::api::{DynamicObject, ListQuery, ObjectType};
    ///
    /// const ROUTER: ObjectType = ObjectType::new("logical-router").child_of("project");
    /// let routers = client.dynamic(ROUTER);
    /// let id = routers.create(&DynamicObject::new(ROUTER, "default-domain:admin:r1".parse()?))?;
    /// for router in routers.list(&ListQuery::default().detail())? {
    ///     println!("{}: {:?}", router.meta.fq_name, router.fields);
    /// }
    /// routers.delete(id)?;
    /// # Ok(()) }
    /// ```
    pub fn dynamic(&self, object_type: ObjectType) -> DynamicClient {
        DynamicClient {
            client: self.clone(),
            object_type,
        }
    }
}

impl DynamicClient {
    /// Creates an object of this type and returns its id, as [`Client::create`].
    ///
    /// # Errors
    /// As [`Client::create`], but a refused instance IP is only
    /// [`Error::Refused`](crate::Error::Refused).
    pub fn create(&self, object: &DynamicObject) -> Result<Uuid> {
        let (kind, meta) = (self.object_type, &object.meta);
        let subject = Subject {
            uuid: meta.uuid,
            ..Subject::of_name(kind, &meta.fq_name)
        };
        // Of an unknown type, two creations at once may do harm.
        let request = request::creation(kind, object, meta, false)?;
        let created = self.client.create_of(&request, &subject, |_| None)?;
        Ok(created.uuid)
    }

    /// Reads an object that must exist, as [`Client::get`].
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) if it does not exist.
    pub fn get(&self, uuid: Uuid) -> Result<DynamicObject> {
        let request = request::get(self.object_type.name(), uuid);
        let object: Untyped = self.client.read(self.object_type, &request, uuid)?;
        Ok(object.of(self.object_type))
    }

    /// Reads an object that may be absent, as [`Client::get_opt`].
    ///
    /// # Errors
    /// If the API cannot be asked.
    pub fn get_opt(&self, uuid: Uuid) -> Result<Option<DynamicObject>> {
        absent_as_none(self.get(uuid))
    }

    /// Finds an object by name and reads it, as [`Client::lookup`].
    ///
    /// # Errors
    /// If the API cannot be asked.
    pub fn lookup(&self, name: &FqName) -> Result<Option<DynamicObject>> {
        let found: Option<Untyped> = self.client.find(self.object_type, name)?;
        Ok(found.map(|object| object.of(self.object_type)))
    }

    /// Lists objects, as [`Client::list`].
    ///
    /// # Errors
    /// If the API cannot be asked.
    pub fn list(&self, query: &ListQuery) -> Result<Vec<DynamicObject>> {
        self.listed(query).map(Listed::readable)
    }

    /// Lists objects, and those that cannot be read, as [`Client::listed`].
    ///
    /// # Errors
    /// If the API cannot be asked.
    pub fn listed(&self, query: &ListQuery) -> Result<Listed<DynamicObject>> {
        let listed: Listed<Untyped> = self.client.list_of(self.object_type, query)?;
        Ok(listed.map(|object| object.of(self.object_type)))
    }

    /// Changes the named fields of an object, as [`Client::update`].
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) if the object does not exist.
    pub fn update(&self, uuid: Uuid, changes: &Value) -> Result<()> {
        self.client.update_of(self.object_type, uuid, changes)
    }

    /// Deletes an object; `false` if it did not exist.
    ///
    /// # Errors
    /// [`Error::InUse`](crate::Error::InUse) if other objects refer to it or are its children.
    pub fn delete(&self, uuid: Uuid) -> Result<bool> {
        self.client.delete_of(self.object_type, uuid)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Error;
    use crate::http::Response;
    use crate::testing::{FakeTransport, client_of};

    const ROUTER: ObjectType = ObjectType::new("logical-router").child_of("project");
    const ID: Uuid = Uuid::from_u128(7);

    fn router() -> Value {
        json!({"fq_name": ["d", "p", "r"], "parent_type": "project", "uuid": ID, "vxlan": "5"})
    }

    fn answering(body: Value) -> (DynamicClient, std::sync::Arc<FakeTransport>) {
        let transport = FakeTransport::new(move |_| Ok(Response::new(200, body.to_string())));
        (client_of(transport.clone()).dynamic(ROUTER), transport)
    }

    #[test]
    fn an_object_that_was_read_is_written_again_with_all_its_fields() {
        let (routers, transport) = answering(json!({"logical-router": router()}));
        let read = routers.get(ID).unwrap();
        assert_eq!(
            (read.id().unwrap(), &read.fields["vxlan"]),
            (ID, &json!("5"))
        );
        assert_eq!(routers.create(&read).unwrap(), ID);
        let sent = transport.requests().pop().unwrap().body.unwrap();
        let sent: Value = serde_json::from_slice(&sent).unwrap();
        assert_eq!(sent, json!({"logical-router": router()}));
    }

    #[test]
    fn untyped_requests_go_to_the_paths_of_the_type() {
        let body = json!({"logical-routers": [{"logical-router": router()}]});
        let (routers, transport) = answering(body);
        assert_eq!(routers.list(&ListQuery::all().detail()).unwrap().len(), 1);
        let name = FqName::new(["d", "p", "r"]);
        assert_eq!(routers.lookup(&name).unwrap().unwrap().object_type, ROUTER);
        routers.update(ID, &json!({"vxlan": null})).unwrap();
        assert!(routers.delete(ID).unwrap());
        assert_eq!(
            transport.lines(),
            [
                "GET http://api:8082/logical-routers?detail=true".to_owned(),
                "GET http://api:8082/logical-routers?fq_names=d:p:r&detail=true".to_owned(),
                format!("PUT http://api:8082/logical-router/{ID}"),
                format!("DELETE http://api:8082/logical-router/{ID}"),
            ]
        );
    }

    #[test]
    fn errors_name_the_type() {
        let absent = |_: &_| Ok(Response::new(404, format!("Unknown id: {ID}")));
        let routers = client_of(FakeTransport::new(absent)).dynamic(ROUTER);
        let error = routers.get(ID).unwrap_err();
        assert!(
            matches!(
                error,
                Error::NotFound {
                    kind: "logical-router",
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(routers.get_opt(ID).unwrap(), None);
        let new = DynamicObject::new(ROUTER, FqName::new(["d", "p", "r"]));
        assert!(
            new.id()
                .unwrap_err()
                .to_string()
                .contains("logical-router d:p:r")
        );
    }
}
