//! An answer of the API to a request, and the ways to read it.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::bounded::{self, Budget, Exceeded};
use super::errors::{self, Refusal, Subject};
use super::listed::{Listed, Unreadable};
use super::object_type::ObjectType;
use super::request::ApiRequest;
use crate::error::{Error, Result};
use crate::http::{Method, Response};
use crate::values::{Deadline, FqName, Secret};

/// How many objects of a list may be unreadable before the list itself is.
const MAX_UNREADABLE: usize = 1000;

/// What one server answered.
pub struct Answer {
    response: Response,
    service: String,
    method: Method,
    path: String,
    token: Option<Secret>,
    repeated: bool,
    deadline: Deadline,
    seconds: f32,
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
    /// attempt may have been carried out. It is read by the deadline.
    pub fn new(
        response: Response,
        service: String,
        request: &ApiRequest,
        token: Option<Secret>,
        (repeated, deadline): (bool, Deadline),
    ) -> Self {
        Self {
            response,
            service,
            method: request.method.clone(),
            path: request.path.clone(),
            token,
            repeated,
            deadline,
            seconds: deadline.remaining().as_secs_f32(),
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
    pub fn acknowledges(&self) -> Result<bool> {
        if !self.is_success() || errors::is_acknowledgement(&self.response) {
            return Ok(self.is_success());
        }
        Err(self.foreign())
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
        let object = self.field(kind.name())?;
        self.parse(&mut self.budget(), object)
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
        let mut budget = self.budget();
        self.each(kind, in_envelopes, |item| {
            match self.parse(&mut budget, item) {
                Ok(object) => listed.objects.push(object),
                Err(error) if budget.is_exceeded() => return Err(error),
                Err(error) if listed.unreadable.len() == MAX_UNREADABLE => return Err(error),
                Err(error) => listed.unreadable.push(Unreadable::new(kind, item, error)),
            }
            Ok(())
        })?;
        Ok(listed)
    }

    /// The object of that name in a list with envelopes. The others are not parsed: servers before 5.0
    /// answer with all objects.
    pub fn named<T: DeserializeOwned>(&self, kind: ObjectType, name: &FqName) -> Result<Option<T>> {
        let mut budget = self.budget();
        let mut found = None;
        self.each(kind, true, |item| {
            budget
                .check_time()
                .map_err(|exceeded| self.exceeded(exceeded))?;
            let named = serde_json::from_str::<WithName>(item.get());
            if found.is_none() && named.is_ok_and(|named| named.fq_name == *name) {
                found = Some(item);
            }
            Ok(())
        })?;
        found.map(|item| self.parse(&mut budget, item)).transpose()
    }

    /// Gives each item of a list to `look`, out of its envelope and not parsed.
    fn each<'a>(
        &'a self,
        kind: ObjectType,
        in_envelopes: bool,
        mut look: impl FnMut(&'a RawValue) -> Result<()>,
    ) -> Result<()> {
        // A paged answer has a "marker" beside the list.
        let list = self.field(&format!("{}s", kind.name()))?;
        let outcome = bounded::each(list.get(), |item: &RawValue| {
            let inner = match in_envelopes {
                true => bounded::field(item.get().as_bytes(), kind.name()),
                false => Ok(None),
            };
            // What is no object is told of as one that cannot be read.
            look(inner.ok().flatten().unwrap_or(item))
        });
        outcome.map_err(|source| self.decode(&source))?
    }

    /// The value of a key of the answer.
    fn field(&self, key: &str) -> Result<&RawValue> {
        let found = bounded::field(self.response.json_body(), key);
        let found = found.map_err(|source| self.decode(&source))?;
        found.ok_or_else(|| self.no_key(key))
    }

    fn budget(&self) -> Budget {
        Budget::until(self.deadline)
    }

    fn parse<T: DeserializeOwned>(&self, budget: &mut Budget, item: &RawValue) -> Result<T> {
        let taken = budget.take(item.get(), size_of::<T>());
        taken.map_err(|exceeded| self.exceeded(exceeded))?;
        serde_json::from_str(item.get()).map_err(|source| self.decode(&source))
    }

    fn exceeded(&self, exceeded: Exceeded) -> Error {
        match exceeded {
            Exceeded::Time => Error::Timeout {
                operation: format!("reading {}", self.what()),
                seconds: self.seconds,
            },
            Exceeded::Memory => {
                let source = "it holds more than can be read at once: ask for fewer objects";
                self.decode(&serde_json::Error::custom(source))
            }
        }
    }

    fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(self.response.json_body()).map_err(|source| self.decode(&source))
    }

    fn what(&self) -> String {
        format!(
            "the answer of {} to {} {}",
            self.service, self.method, self.path
        )
    }

    /// The error of an answer that is none of the API, or that cannot be understood. The parser's message
    /// may hold parts of it, which may repeat the request's token.
    fn decode(&self, source: &serde_json::Error) -> Error {
        if !self.response.may_be_json() {
            return self.foreign();
        }
        let hidden = self
            .token
            .as_ref()
            .map(|token| serde_json::Error::custom(token.hide_in(&source.to_string())));
        self.response
            .undecodable(self.what(), hidden.as_ref().unwrap_or(source))
    }

    fn foreign(&self) -> Error {
        errors::foreign(&self.response, &self.service, &self.method, &self.path)
    }

    fn no_key(&self, key: &str) -> Error {
        self.decode(&serde_json::Error::custom(format!("it has no {key}")))
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
        let soon = Deadline::after(std::time::Duration::from_secs(60));
        Answer::new(response, "API".into(), &request, None, (false, soon))
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
