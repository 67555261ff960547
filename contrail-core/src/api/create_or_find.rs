//! Names that several clients use at once, and changes that the API takes a moment for.

use std::thread;
use std::time::Duration;

use super::client::Client;
use super::resource::Resource;
use crate::error::{Error, Result};
use crate::values::Deadline;

/// The pause between two requests for what is about to change. The API has no event for a name that
/// becomes free: the measured servers took 27 to 103 ms after the answer to the deletion.
const PAUSE: Duration = Duration::from_millis(20);

impl Client {
    /// Creates an object under its name, or finds the one that another client created under that name.
    /// The only place that decides such a race for objects without a computed id.
    ///
    /// The name decides who wins, so the object should have no id. `find` reads the winner's. The name of
    /// an object that was deleted stays taken for a moment in which nothing is found under it: creation and
    /// search alternate until one of them succeeds. `find` also reads what was created, with the fields
    /// that the API filled in.
    ///
    /// # Errors
    /// As [`Client::create`] without [`Error::AlreadyExists`]; the errors of `find`; [`Error::Timeout`]
    /// that names `operation` if the name remains taken by what cannot be found. An error after the
    /// creation does not claim that nothing was done.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client) -> contrail_core::Result<()> {
    /// use contrail_core::api::{Project, Resource};
    ///
    /// let project = Project::new("default-domain:demo".parse()?);
    /// let operation = || format!("creating project {}", project.fq_name());
    /// let project: Project = client.create_or_find(&project, operation, || {
    ///     client.lookup(project.fq_name())
    /// })?;
    /// println!("{}", project.id()?);
    /// # Ok(()) }
    /// ```
    pub fn create_or_find<R: Resource>(
        &self,
        object: &R,
        operation: impl Fn() -> String,
        mut find: impl FnMut() -> Result<Option<R>>,
    ) -> Result<R> {
        let (kind, name) = (R::TYPE, object.fq_name());
        let mut is_created = false;
        let found = self.wait_for(operation, || {
            match self.create(object) {
                Ok(uuid) => {
                    is_created = true;
                    log::info!("created {kind} {name} ({uuid})");
                }
                Err(Error::AlreadyExists { .. }) => {
                    log::debug!("{kind} {name} already exists, or is being deleted");
                }
                Err(error) => return Err(error),
            }
            find()
        });
        found.map_err(|error| match is_created {
            true => error.unsure(),
            false => error,
        })
    }

    /// Repeats `look` with a short pause until it has a value, or the deadline of this client has
    /// passed.
    ///
    /// # Errors
    /// The first error of `look`; [`Error::Timeout`] that names `operation`.
    ///
    /// ```no_run
    /// # fn example(client: &contrail_core::api::Client) -> contrail_core::Result<()> {
    /// use contrail_core::api::VirtualNetwork;
    ///
    /// let name = "default-domain:admin:net1".parse()?;
    /// let operation = || format!("waiting for virtual network {name}");
    /// let network = client.wait_for(operation, || client.lookup::<VirtualNetwork>(&name))?;
    /// # Ok(()) }
    /// ```
    pub fn wait_for<T, E: From<Error>>(
        &self,
        operation: impl Fn() -> String,
        mut look: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<T, E> {
        let limit = self.shared.request_timeout;
        let end = self.deadline.unwrap_or_else(|| Deadline::after(limit));
        let seconds = end.remaining().as_secs_f32();
        loop {
            if let Some(value) = look()? {
                return Ok(value);
            }
            if end.remaining() <= PAUSE {
                let operation = operation();
                return Err(Error::Timeout { operation, seconds }.into());
            }
            thread::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::api::Project;
    use crate::http::{Method, Response};
    use crate::testing::{self, FakeTransport, client_of};
    use crate::values::FqName;

    const WINNER: Uuid = Uuid::from_u128(1);

    fn project() -> Project {
        Project::new(FqName::new(["d", "p"]))
    }

    fn taken() -> Response {
        Response::new(
            409,
            format!("['d', 'p'] already exists with uuid: {WINNER}"),
        )
    }

    fn listed(projects: &[Value]) -> Response {
        Response::new(200, json!({ "projects": projects }).to_string())
    }

    fn winner() -> Response {
        listed(&[json!({"project": {"fq_name": ["d", "p"], "uuid": WINNER}})])
    }

    /// What the two requests of each round are answered with, and what comes out of it.
    fn outcome(
        answers: Vec<Result<Response, crate::http::TransportError>>,
    ) -> (Result<Uuid>, Vec<Method>) {
        let transport = FakeTransport::answers(answers);
        let client = client_of(transport.clone());
        let object = project();
        let found = client.create_or_find(
            &object,
            || "creating it".to_owned(),
            || client.lookup::<Project>(object.fq_name()),
        );
        let requests = transport.requests();
        let methods = requests.iter().map(|r| r.method.clone()).collect();
        (found.and_then(|project| project.id()), methods)
    }

    #[test]
    fn who_loses_the_race_for_a_name_gets_the_winners_object() {
        let (found, methods) = outcome(vec![Ok(taken()), Ok(winner())]);
        assert_eq!(found.unwrap(), WINNER);
        assert_eq!(methods, [Method::POST, Method::GET]);
    }

    #[test]
    fn a_name_that_becomes_free_is_taken() {
        let created = json!({"project": {"fq_name": ["d", "p"], "uuid": WINNER}}).to_string();
        let (found, methods) = outcome(vec![
            Ok(taken()),
            Ok(listed(&[])),
            Ok(Response::new(200, created)),
            Ok(winner()),
        ]);
        assert_eq!(found.unwrap(), WINNER);
        assert_eq!(methods.len(), 4);
    }

    #[test]
    fn an_error_after_the_creation_does_not_claim_that_nothing_was_done() {
        let created = json!({"project": {"fq_name": ["d", "p"], "uuid": WINNER}}).to_string();
        let (found, _) = outcome(vec![
            Ok(Response::new(200, created)),
            Err(testing::refused()),
        ]);
        assert!(!found.unwrap_err().had_no_effect());
        let (found, _) = outcome(vec![Ok(taken()), Err(testing::refused())]);
        assert!(found.unwrap_err().had_no_effect());
    }
}
