//! What the controller has built of the chains through one service instance, which is all that a member
//! by attach-time role knows.

use uuid::Uuid;

use super::assess::assess;
use super::objects::Objects;
use super::state::ChainState;
use super::wanted::Wanted;
use crate::api::objects::{NetworkPolicy, ServiceTemplate};
use crate::api::{Client, ListQuery, Resource};
use crate::error::Result;
use crate::service_chain::membership::join::ServiceRoles;
use crate::service_chain::types::Mode;
use crate::values::FqName;

impl ServiceRoles {
    /// What the controller has built of the chains that go through a service instance: a state for
    /// each rule of an attached policy that names it. None if no policy sends packets through it.
    /// Policies of other projects than the service instance's are ignored.
    ///
    /// One request if no policy names it. Else seven, and one more for each network and each service
    /// of the chains: ten for a chain of one service.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn built(&self, instance: &FqName) -> Result<Vec<ChainState>> {
        let Some(project) = instance.parent() else {
            return Ok(Vec::new());
        };
        let query = ListQuery::children_of("project", project)
            .detail()
            .fields(&["virtual_network_back_refs"]);
        let policies: Vec<NetworkPolicy> = self.client.list(&query)?;
        let is_attached = |policy: &&NetworkPolicy| !policy.virtual_network_back_refs.is_empty();
        let attached = policies.iter().filter(is_attached);
        let mut chains: Vec<Wanted> = attached
            .flat_map(|policy| Wanted::of_policy(policy, instance))
            .collect();
        if chains.is_empty() {
            return Ok(Vec::new());
        }
        let objects = Objects::read(&self.client, &chains)?;
        let templates = templates(&self.client, &objects)?;
        for service in chains.iter_mut().flat_map(|chain| &mut chain.services) {
            service.mode = mode(&service.name, &objects, &templates);
        }
        Ok(chains.iter().map(|chain| assess(chain, &objects)).collect())
    }
}

fn templates(client: &Client, objects: &Objects) -> Result<Vec<ServiceTemplate>> {
    let instances = objects.instances.iter();
    let refs = instances.flat_map(|instance| &instance.service_template_refs);
    let ids: Vec<Uuid> = refs.filter_map(|template| template.uuid).collect();
    client.list(&ListQuery::ids(ids).detail())
}

/// The mode of a service. Of one that does not exist no mode is known, and none is asked for.
pub(super) fn mode(service: &FqName, objects: &Objects, templates: &[ServiceTemplate]) -> Mode {
    let template = objects
        .instance(service)
        .and_then(|instance| instance.service_template_refs.first())
        .and_then(|wanted| templates.iter().find(|t| wanted.is_to(t.fq_name())));
    template
        .and_then(|template| Mode::from_api(template.mode()))
        .unwrap_or_default()
}
