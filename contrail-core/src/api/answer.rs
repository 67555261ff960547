//! An answer of the API to a request, and the ways to read it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::errors::{self, Refusal, Subject};
use super::listed::{Listed, Unreadable};
use super::object_type::ObjectType;
use super::request::ApiRequest;
use crate::error::{Error, Result};
use crate::http::{Method, Response};
use crate::values::FqName;
use crate::values::Secret;

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

#[derive(Deserialize)]
struct WithName {
    fq_name: FqName,
}

impl Answer {
    /// The answer of `service` to `request`, which carried `token`. `repeated` says whether an earlier
    /// attempt may have been carried out.
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
            method: request.method.clone(),
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

    /// Whether the answer says that a change was made.
    ///
    /// # Errors
    /// [`Error::Foreign`] for an answer that the API would not have sent.
    pub fn acknowledges(&self, subject: &Subject) -> Result<bool> {
        if !self.is_success() || errors::is_acknowledgement(&self.response) {
            return Ok(self.is_success());
        }
        Err(self.refusal(subject).foreign(&self.response))
    }

    /// An error of this answer as the outcome of all attempts.
    pub fn settled(&self, error: Error) -> Error {
        match self.repeated {
            true => error.unsure(),
            false => error,
        }
    }

    /// The object in its envelope: `{"virtual-network": {…}}`.
    pub fn object<T: DeserializeOwned>(&self, kind: ObjectType) -> Result<T> {
        let mut envelope: BTreeMap<String, T> = self.json()?;
        let name = kind.name();
        envelope.remove(name).ok_or_else(|| self.no_key(name))
    }

    /// The id in the envelope of a created object.
    pub fn created(&self, kind: ObjectType) -> Result<Uuid> {
        self.object::<WithUuid>(kind).map(|created| created.uuid)
    }

    /// The id of `{"uuid": …}`.
    pub fn uuid(&self) -> Result<Uuid> {
        Ok(self.json::<WithUuid>()?.uuid)
    }

    /// A list: each object in its envelope, as `detail=true` gives it, or names, ids and single fields.
    pub fn list<T: DeserializeOwned>(
        &self,
        kind: ObjectType,
        in_envelopes: bool,
    ) -> Result<Listed<T>> {
        let mut listed = Listed::default();
        for item in self.items(kind, in_envelopes)? {
            match serde_json::from_str(item.get()) {
                Ok(object) => listed.objects.push(object),
                Err(source) => {
                    listed
                        .unreadable
                        .push(Unreadable::new(kind, item, self.decode(source)))
                }
            }
        }
        Ok(listed)
    }

    /// The object of that name in a list with envelopes. The others are not parsed: servers before 5.0
    /// answer with all objects.
    pub fn named<T: DeserializeOwned>(&self, kind: ObjectType, name: &FqName) -> Result<Option<T>> {
        let items = self.items(kind, true)?;
        let found = items.into_iter().find(|item| {
            let named = serde_json::from_str::<WithName>(item.get());
            named.is_ok_and(|named| named.fq_name == *name)
        });
        let read = |item: &RawValue| serde_json::from_str(item.get());
        found
            .map(read)
            .transpose()
            .map_err(|source| self.decode(source))
    }

    /// The items of a list, out of their envelopes, not parsed.
    fn items<'a>(&'a self, kind: ObjectType, in_envelopes: bool) -> Result<Vec<&'a RawValue>> {
        // A paged answer has a "marker" beside the list.
        let mut envelope: BTreeMap<String, &RawValue> = self.json()?;
        let key = format!("{}s", kind.name());
        let list = envelope.remove(&key).ok_or_else(|| self.no_key(&key))?;
        let items = serde_json::from_str::<Vec<&RawValue>>(list.get());
        let items = items.map_err(|source| self.decode(source))?;
        if !in_envelopes {
            return Ok(items);
        }
        let unwrap = |item: &'a RawValue| {
            let mut envelope: BTreeMap<String, &RawValue> = serde_json::from_str(item.get())?;
            Ok(envelope.remove(kind.name()).unwrap_or(item))
        };
        let items: serde_json::Result<_> = items.into_iter().map(unwrap).collect();
        items.map_err(|source| self.decode(source))
    }

    fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.response.body).map_err(|source| self.decode(source))
    }

    fn what(&self) -> String {
        format!(
            "the answer of {} to {} {}",
            self.service, self.method, self.path
        )
    }

    /// The parser's message may hold parts of the answer, which may repeat the request's token.
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

    /// The refusal that this answer is, to a request about `subject`.
    pub fn refusal(&self, subject: &Subject) -> Refusal {
        Refusal {
            service: self.service.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            subject: subject.clone(),
            status: self.response.status,
            text: self.response.text(),
        }
    }

    /// The error that this refusal stands for.
    pub fn error(&self, subject: &Subject) -> Error {
        errors::classify(&self.refusal(subject), &self.response)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::request::{self, ListQuery};
    use crate::api::{Resource, VirtualMachineInterface, VirtualNetwork};

    const NETWORK: ObjectType = ObjectType::new("virtual-network");
    const PORT: ObjectType = ObjectType::new("virtual-machine-interface");

    fn answer(body: Value) -> Answer {
        let request = request::list(VirtualNetwork::TYPE, &ListQuery::all());
        let response = Response::new(200, body.to_string());
        Answer::new(response, "API".into(), &request, None, false)
    }

    fn recorded(name: &str) -> Answer {
        let text = include_str!("../../tests/fixtures/objects.json");
        let all: Value = serde_json::from_str(text).unwrap();
        answer(all[name].clone())
    }

    #[test]
    fn recorded_lists_are_read_in_both_forms() {
        let read = |name, in_envelopes| {
            let listed = recorded(name)
                .list::<VirtualNetwork>(NETWORK, in_envelopes)
                .unwrap();
            listed.objects
        };
        let (detailed, flat) = (read("detailed_list", true), read("flat_list", false));
        assert_eq!(detailed[0].subnets().count(), 1);
        assert_eq!(flat[0].uuid(), detailed[0].uuid());
        assert_eq!(flat[0].subnets().count(), 1);
        let ports = recorded("interfaces_of_a_machine").list::<VirtualMachineInterface>(PORT, true);
        assert_eq!(ports.unwrap().objects[0].instance_ip_back_refs.len(), 1);
    }

    #[test]
    fn an_object_that_cannot_be_read_is_told_of_and_does_not_keep_the_others() {
        let odd = Uuid::from_u128(7);
        let body = json!({"virtual-networks": [
            {"virtual-network": {"fq_name": "odd", "uuid": odd}},
            {"virtual-network": {"fq_name": ["d", "p", "n"], "uuid": Uuid::from_u128(8)}},
            {"virtual-network": {"fq_name": ["d", "p", "bad"], "network_ipam_refs": 5}},
        ]});
        let answer = answer(body);
        let listed = answer.list::<VirtualNetwork>(NETWORK, true).unwrap();
        let names: Vec<&str> = listed.objects.iter().map(|n| n.fq_name().name()).collect();
        assert_eq!(names, ["n"]);
        let ids: Vec<Option<Uuid>> = listed.unreadable.iter().map(|odd| odd.uuid).collect();
        assert_eq!(ids, [Some(odd), None]);
        assert!(listed.whole().is_err());

        // By name only the one that is meant is read.
        let named =
            |name: &str| answer.named::<VirtualNetwork>(NETWORK, &FqName::new(["d", "p", name]));
        assert!(named("n").unwrap().is_some());
        assert_eq!(named("absent").unwrap(), None);
        named("bad").unwrap_err();
    }

    #[test]
    fn an_answer_of_another_type_is_an_error_that_names_the_request() {
        let error = recorded("network")
            .object::<VirtualMachineInterface>(PORT)
            .unwrap_err();
        let text = crate::error::report(&error);
        assert!(
            text.starts_with("cannot parse the answer of API to GET /virtual-networks"),
            "{text}"
        );
        assert!(
            recorded("network")
                .list::<VirtualNetwork>(NETWORK, false)
                .is_err()
        );
    }
}
