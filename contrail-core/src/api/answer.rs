//! An answer of the API to a request, and the ways to read it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use uuid::Uuid;

use super::errors::{self, Refusal};
use super::request::ApiRequest;
use super::resource::Resource;
use crate::error::{Error, Result};
use crate::http::{Method, Response};
use crate::secret::Secret;

/// What one server answered.
pub struct Answer {
    response: Response,
    service: String,
    method: Method,
    path: String,
    token: Option<Secret>,
    repeated: bool,
}

#[derive(Deserialize)]
struct WithUuid {
    uuid: Uuid,
}

impl Answer {
    /// What `service` answered to `request`, which went with `token`. `repeated` says whether an
    /// earlier attempt may have been carried out.
    pub fn new(
        response: Response,
        service: String,
        request: &ApiRequest,
        token: Option<Secret>,
        repeated: bool,
    ) -> Self {
        Self {
            response,
            service,
            method: request.method,
            path: request.path.clone(),
            token,
            repeated,
        }
    }

    pub fn response(&self) -> &Response {
        &self.response
    }

    pub fn is_success(&self) -> bool {
        self.response.is_success()
    }

    /// Whether an earlier attempt of the same request may have been carried out.
    pub fn is_repeated(&self) -> bool {
        self.repeated
    }

    /// Whether the answer says that a change was made. One that the API would not have sent is an
    /// error.
    pub fn acknowledges(&self) -> Result<bool> {
        if !self.is_success() || errors::is_acknowledgement(&self.response) {
            return Ok(self.is_success());
        }
        let refusal = self.refusal_of("object", "", String::new(), None);
        Err(refusal.foreign(&self.response))
    }

    /// An error of this answer as the outcome of all attempts.
    pub fn settled(&self, error: Error) -> Error {
        match self.repeated {
            true => error.unsure(),
            false => error,
        }
    }

    /// The object in its envelope: `{"virtual-network": {…}}`.
    pub fn object<R: Resource>(&self) -> Result<R> {
        let mut envelope: BTreeMap<String, R> = self.json()?;
        envelope.remove(R::TYPE).ok_or_else(|| self.no_key(R::TYPE))
    }

    /// The id in the envelope of a created object.
    pub fn created<R: Resource>(&self) -> Result<Uuid> {
        let mut envelope: BTreeMap<String, WithUuid> = self.json()?;
        match envelope.remove(R::TYPE) {
            Some(created) => Ok(created.uuid),
            None => Err(self.no_key(R::TYPE)),
        }
    }

    /// The id of `{"uuid": …}`.
    pub fn uuid(&self) -> Result<Uuid> {
        Ok(self.json::<WithUuid>()?.uuid)
    }

    /// A list with each object in its envelope, as `detail=true` gives it.
    pub fn wrapped_list<R: Resource>(&self) -> Result<Vec<R>> {
        let items: Vec<BTreeMap<String, R>> = self.items::<R, _>()?;
        Ok(items.into_iter().flat_map(BTreeMap::into_values).collect())
    }

    /// A list of names, ids and single fields.
    pub fn flat_list<R: Resource>(&self) -> Result<Vec<R>> {
        self.items::<R, _>()
    }

    fn items<R: Resource, T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        // A paged answer has a "marker" beside the list.
        let mut envelope: BTreeMap<String, serde_json::Value> = self.json()?;
        let key = format!("{}s", R::TYPE);
        let list = envelope.remove(&key).ok_or_else(|| self.no_key(&key))?;
        serde_json::from_value(list).map_err(|source| self.decode(source))
    }

    fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.response.body).map_err(|source| self.decode(source))
    }

    fn what(&self) -> String {
        format!(
            "the answer of {} to {} {}",
            self.service, self.method, self.path
        )
    }

    /// What the parser says may hold parts of the answer, which may repeat the request's token.
    fn decode(&self, source: serde_json::Error) -> Error {
        let source = match &self.token {
            Some(token) => serde_json::Error::custom(token.hide_in(&source.to_string())),
            None => source,
        };
        Error::Decode {
            what: self.what(),
            source,
        }
    }

    fn no_key(&self, key: &str) -> Error {
        self.decode(serde_json::Error::custom(format!("it has no {key}")))
    }

    /// The refusal that this answer is, about an object of type `R`.
    pub fn refusal<R: Resource>(&self, name: String, uuid: Option<Uuid>) -> Refusal {
        self.refusal_of(R::TYPE, R::PARENT, name, uuid)
    }

    /// The error that this refusal stands for.
    pub fn error<R: Resource>(&self, name: String, uuid: Option<Uuid>) -> Error {
        self.error_of(R::TYPE, R::PARENT, name, uuid)
    }

    pub fn error_of(
        &self,
        kind: &'static str,
        parent: &'static str,
        name: String,
        uuid: Option<Uuid>,
    ) -> Error {
        let refusal = self.refusal_of(kind, parent, name, uuid);
        errors::classify(&refusal, &self.response)
    }

    fn refusal_of(
        &self,
        kind: &'static str,
        parent: &'static str,
        name: String,
        uuid: Option<Uuid>,
    ) -> Refusal {
        Refusal {
            service: self.service.clone(),
            method: self.method,
            path: self.path.clone(),
            kind,
            name,
            uuid,
            parent,
            status: self.response.status,
            text: self.response.text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::request::{self, ListQuery};
    use crate::api::{VirtualMachineInterface, VirtualNetwork};

    fn recorded(name: &str) -> Answer {
        let text = include_str!("../../tests/fixtures/objects.json");
        let all: serde_json::Value = serde_json::from_str(text).unwrap();
        let request = request::list::<VirtualNetwork>(&ListQuery::all());
        let response = Response::new(200, all[name].to_string());
        Answer::new(response, "API".into(), &request, None, false)
    }

    #[test]
    fn recorded_lists_are_read_in_both_forms() {
        let detailed: Vec<VirtualNetwork> = recorded("detailed_list").wrapped_list().unwrap();
        assert_eq!(detailed[0].subnets().count(), 1);
        let flat: Vec<VirtualNetwork> = recorded("flat_list").flat_list().unwrap();
        assert_eq!(flat[0].uuid(), detailed[0].uuid());
        assert_eq!(flat[0].subnets().count(), 1);
        let ports: Vec<VirtualMachineInterface> =
            recorded("interfaces_of_a_machine").wrapped_list().unwrap();
        assert_eq!(ports[0].instance_ip_back_refs.len(), 1);
    }

    #[test]
    fn an_answer_of_another_type_is_an_error_that_names_the_request() {
        let error = recorded("network")
            .object::<VirtualMachineInterface>()
            .unwrap_err();
        let text = crate::error::report(&error);
        assert!(
            text.starts_with("cannot understand the answer of API to GET /virtual-networks"),
            "{text}"
        );
        assert!(recorded("network").flat_list::<VirtualNetwork>().is_err());
    }
}
