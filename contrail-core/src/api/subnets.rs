//! The subnets of a virtual network: its own, and those of the flat IPAMs that it refers to.

use super::client::Client;
use super::objects::{IpamSubnet, NetworkIpam, VirtualNetwork};
use super::request::ListQuery;
use super::resource::Resource;
use crate::error::{Error, Result};

/// What the allocation mode of a network begins with that takes addresses of flat IPAMs first.
const FLAT_FIRST: &str = "flat-subnet";

impl Client {
    /// The subnets of a network, in the order in which the API hands out their addresses. A link to a
    /// flat IPAM has none of its own: they stand in the IPAM, and all networks on it share them.
    ///
    /// Those of a flat IPAM have no id here: the API refuses to choose an address from one of them.
    ///
    /// No request, or a single one for all flat IPAMs.
    ///
    /// # Errors
    /// [`Error::NotFound`] when a flat IPAM is gone or may not be read; when the API cannot be asked.
    pub fn subnets_of(&self, network: &VirtualNetwork) -> Result<Vec<IpamSubnet>> {
        let own = network.subnets().cloned();
        let shared = self.shared_subnets(network)?;
        let mode = network.address_allocation_mode.as_deref();
        Ok(
            match mode.is_some_and(|mode| mode.starts_with(FLAT_FIRST)) {
                true => shared.into_iter().chain(own).collect(),
                false => own.chain(shared).collect(),
            },
        )
    }

    fn shared_subnets(&self, network: &VirtualNetwork) -> Result<Vec<IpamSubnet>> {
        let links = network.network_ipam_refs.iter();
        let flat = links.filter(|link| link.subnets().next().is_none());
        let ids: Vec<_> = flat.filter_map(|link| link.uuid).collect();
        let query = ListQuery::ids(ids.iter().copied()).fields(&["ipam_subnets"]);
        let ipams: Vec<NetworkIpam> = self.list_whole(&query)?;
        let mut subnets = Vec::new();
        for id in ids {
            let ipam = ipams.iter().find(|ipam| ipam.uuid() == Some(id));
            let ipam = ipam.ok_or_else(|| Error::NotFound {
                kind: NetworkIpam::TYPE,
                name: id.to_string(),
                hint: Some(format!(
                    "network {} takes its subnets from it",
                    network.fq_name()
                )),
            })?;
            let shared = ipam.ipam_subnets.subnets.iter();
            let shared = shared.filter(|subnet| subnet.prefix().is_some()).cloned();
            subnets.extend(shared.map(|subnet| IpamSubnet {
                subnet_uuid: None,
                ..subnet
            }));
        }
        Ok(subnets)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::http::Response;
    use crate::testing::{FakeTransport, client_of};

    const FLAT: Uuid = Uuid::from_u128(1);
    const DUAL: Uuid = Uuid::from_u128(2);

    fn subnet(prefix: &str, length: u8) -> Value {
        json!({"subnet": {"ip_prefix": prefix, "ip_prefix_len": length}, "subnet_uuid": Uuid::from_u128(9)})
    }

    /// A network with these links: IPAM and subnets of the link.
    fn network(mode: Option<&str>, links: &[(Uuid, Vec<Value>)]) -> VirtualNetwork {
        let links = links.iter().map(|(ipam, subnets)| {
            json!({"to": ["d", "p", "i"], "uuid": ipam, "attr": {"ipam_subnets": subnets}})
        });
        serde_json::from_value(json!({
            "fq_name": ["d", "p", "n"], "address_allocation_mode": mode,
            "network_ipam_refs": links.collect::<Vec<Value>>(),
        }))
        .unwrap()
    }

    /// The subnets, each with whether it has an id, and the requests that were made.
    fn subnets_of(network: &VirtualNetwork) -> (Vec<(String, bool)>, usize) {
        let (subnets, requests) = asked(network);
        let seen = |s: &IpamSubnet| (s.prefix().unwrap().to_string(), s.subnet_uuid.is_some());
        (subnets.unwrap().iter().map(seen).collect(), requests)
    }

    fn asked(network: &VirtualNetwork) -> (Result<Vec<IpamSubnet>>, usize) {
        let ipam = |id: Uuid, subnets: Vec<Value>| json!({"fq_name": ["d", "p", "i"], "uuid": id, "ipam_subnets": {"subnets": subnets}});
        let ipams = json!({"network-ipams": [
            ipam(DUAL, vec![subnet("10.62.0.0", 24), subnet("fd62::", 64)]),
            ipam(FLAT, vec![subnet("10.60.0.0", 24), subnet("10.61.0.0", 29)]),
        ]});
        let transport = FakeTransport::new(move |_| Ok(Response::new(200, ipams.to_string())));
        let subnets = client_of(transport.clone()).subnets_of(network);
        (subnets, transport.requests().len())
    }

    fn link() -> Vec<Value> {
        vec![json!({"subnet_uuid": Uuid::from_u128(8)})]
    }

    #[test]
    fn a_network_on_flat_ipams_has_their_subnets_in_the_order_of_its_links() {
        let of_flat = ["10.60.0.0/24", "10.61.0.0/29"].map(|p| (p.to_owned(), false));
        let of_dual = ["10.62.0.0/24", "fd62::/64"].map(|p| (p.to_owned(), false));
        let zero = vec![subnet("0.0.0.0", 0)];
        for link in [link(), zero, vec![]] {
            let one = network(None, &[(FLAT, link)]);
            assert_eq!(subnets_of(&one), (of_flat.to_vec(), 1));
        }
        let both = network(None, &[(FLAT, link()), (DUAL, link())]);
        assert_eq!(subnets_of(&both), ([of_flat, of_dual].concat(), 1));
    }

    #[test]
    fn a_mixed_network_gives_its_own_subnets_first_unless_its_mode_says_otherwise() {
        let own = vec![subnet("10.80.0.0", 29)];
        let links = [(FLAT, link()), (Uuid::from_u128(3), own)];
        for (mode, place) in [
            (None, 0),
            (Some("user-defined-subnet-preferred"), 0),
            (Some("flat-subnet-preferred"), 2),
            (Some("flat-subnet-only"), 2),
        ] {
            let (subnets, requests) = subnets_of(&network(mode, &links));
            let own = ("10.80.0.0/29".to_owned(), true);
            assert_eq!((subnets.len(), requests), (3, 1));
            assert_eq!(subnets[place], own, "{mode:?}");
        }
    }

    #[test]
    fn a_network_with_subnets_of_its_own_costs_no_request() {
        let own = vec![subnet("10.80.0.0", 29), subnet("fd80::", 64)];
        let (subnets, requests) = subnets_of(&network(None, &[(FLAT, own)]));
        assert_eq!((subnets.len(), requests), (2, 0));
    }

    #[test]
    fn a_flat_ipam_that_is_gone_is_named() {
        let gone = Uuid::from_u128(5);
        let error = asked(&network(None, &[(gone, link())])).0.unwrap_err();
        assert!(error.is_not_found() && error.to_string().contains(&gone.to_string()));
    }

    #[test]
    fn the_link_to_a_flat_ipam_is_sent_back_as_it_was_read() {
        let links = [(FLAT, link())];
        let sent = serde_json::to_value(network(None, &links)).unwrap();
        assert_eq!(
            sent["network_ipam_refs"][0]["attr"]["ipam_subnets"],
            json!(link())
        );
    }
}
