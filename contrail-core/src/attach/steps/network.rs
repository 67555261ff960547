//! Step: the virtual network of an attachment, found by its name or created if the request says how.

use uuid::Uuid;

use crate::attach::error::Result;
use crate::attach::network::{self, Network};
use crate::attach::records::networks;
use crate::attach::removal::Step;
use crate::attach::spec::NetworkSpec;
use crate::attach::transaction::Transaction;

impl Transaction<'_> {
    /// The network of that name, if it exists and does not contradict the request. One request; a
    /// second one when it is on flat IPAMs, whose subnets are shared by their networks.
    pub(crate) fn find_network(&self, spec: &NetworkSpec) -> Result<Option<Network>> {
        let client = self.client();
        let found = network::find(&client, &spec.fq_name)?;
        found
            .map(|object| network::fitting(&client, spec, &object))
            .transpose()
    }

    /// Creates the network for an interface, which leaves it again if the answer gets lost. The API
    /// chooses the id: then its lock on the name decides between two hosts, and the loser uses the
    /// winner's.
    pub(crate) fn create_network(&self, spec: &NetworkSpec, interface: Uuid) -> Result<Network> {
        let object = network::wanted(self.host, spec)?;
        let client = self.client();
        networks::create(&self.host.state_dir, interface, &spec.fq_name)?;
        let leave = Step::Networks { interface };
        let object = self.attempt(leave, || network::create(&client, &object))?;
        network::fitting(&client, spec, &object)
    }
}
