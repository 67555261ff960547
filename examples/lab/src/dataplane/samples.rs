//! Models for the tests of the pure parts.

use std::collections::{BTreeSet, HashSet};

use contrail_core::MacAddr;
use uuid::Uuid;

use super::model::{Model, Network, Port, Reason, State};
use super::wire::Names;

/// Two networks of the same addresses with two ports each, the last of which is down.
pub fn two_networks() -> Model {
    let network = |table: u32, name: &str| Network {
        uuid: Uuid::from_u128(table.into()),
        name: format!("default-domain:admin:{name}").parse().unwrap(),
        table,
        prefixes: vec![
            "10.1.1.0/24".parse().unwrap(),
            "fd00:1::/64".parse().unwrap(),
        ],
        services: ["10.1.1.1", "10.1.1.2", "fd00:1::1"]
            .map(|a| a.parse().unwrap())
            .to_vec(),
        gateways: ["10.1.1.1", "fd00:1::1"]
            .map(|a| a.parse().unwrap())
            .to_vec(),
    };
    let port = |id: u8, table: u32, host: u8| Port {
        id: Uuid::from_u128(id.into()),
        display_name: String::new(),
        host_ifname: format!("tap{id}"),
        names: Names {
            twin: format!("t{id}"),
            stub: format!("x{id}"),
        },
        mac: MacAddr([2, 0, 0, 0, 0, id]),
        addresses: [format!("10.1.1.{host}"), format!("fd00:1::{host}")]
            .map(|a| a.parse().unwrap())
            .to_vec(),
        table: Some(table),
        network: None,
        state: State::Active,
    };
    let mut down = port(4, 1002, 4);
    down.state = State::Inactive(BTreeSet::from([Reason::OsStateDown]));
    Model {
        networks: vec![network(1001, "red"), network(1002, "blue")],
        ports: vec![port(1, 1001, 3), port(2, 1001, 4), port(3, 1002, 3), down],
        ..Model::default()
    }
}

/// All twins of a model.
pub fn all_wired(model: &Model) -> HashSet<String> {
    let ports = model.ports.iter();
    ports.map(|port| port.names.twin.clone()).collect()
}
