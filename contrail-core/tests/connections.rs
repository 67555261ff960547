//! Which requests go over connections that were used before, and what happens when those break.
#![allow(clippy::unwrap_used)]

mod support;

use contrail_core::api::VirtualMachine;
use support::{Act, ID, Server, answer, client, created, network};

fn keep(act: Act) -> Act {
    match act {
        Act::Answer(status, text) => Act::Keep(status, text),
        other => other,
    }
}

fn close_silently(act: Act) -> Act {
    match act {
        Act::Answer(status, text) => Act::CloseSilently(status, text),
        other => other,
    }
}

/// The connections on which a server saw its requests.
fn connections(server: &Server) -> Vec<usize> {
    server.seen().iter().map(|seen| seen.connection).collect()
}

#[test]
fn a_server_that_closes_without_saying_so_is_no_worse_than_one_that_does_not() {
    // It does after each answer, so that the next request finds the connection closed or sees it close.
    let server = Server::acting(|request| match request.line.starts_with("GET") {
        true => close_silently(created("virtual-machine", ID)),
        false => close_silently(created("virtual-network", ID)),
    });
    let other = Server::start(vec![answer(500, "not to be asked")]);
    let client = client(&[server.address, other.address]);
    for _ in 0..200 {
        client.get::<VirtualMachine>(ID).unwrap();
        // Without an id, so that nobody could repeat it.
        client.create(&network()).unwrap();
    }
    assert_eq!(server.seen().len(), 400);
    assert!(other.seen().is_empty());
}

#[test]
fn what_cannot_be_repeated_goes_over_a_connection_of_its_own() {
    let machine = keep(created("virtual-machine", ID));
    let network_made = keep(created("virtual-network", ID));
    let server = Server::start(vec![machine.clone(), machine, network_made]);
    let client = client(&[server.address]);
    client.get::<VirtualMachine>(ID).unwrap();
    client.get::<VirtualMachine>(ID).unwrap();
    client.create(&network()).unwrap();
    assert_eq!(connections(&server), [0, 0, 1]);
}

#[test]
fn what_breaks_on_a_used_connection_is_sent_again_to_the_same_server() {
    let machine = keep(created("virtual-machine", ID));
    let server = Server::start(vec![machine, Act::Close, answer(200, "{}")]);
    let other = Server::start(vec![answer(500, "not to be asked")]);
    let client = client(&[server.address, other.address]);
    client.get::<VirtualMachine>(ID).unwrap();
    client.delete::<VirtualMachine>(ID).unwrap();
    assert_eq!(connections(&server), [0, 0, 1]);
    assert!(other.seen().is_empty());
}

#[test]
fn a_proxy_that_ends_a_used_connection_by_408_is_asked_over_a_new_one() {
    let machine = keep(created("virtual-machine", ID));
    let too_long = Act::Answer(408, "the connection has rested for too long".into());
    let server = Server::start(vec![machine.clone(), too_long, machine]);
    let client = client(&[server.address]);
    client.get::<VirtualMachine>(ID).unwrap();
    client.get::<VirtualMachine>(ID).unwrap();
    assert_eq!(connections(&server), [0, 0, 1]);
}
