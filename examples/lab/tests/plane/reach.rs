//! What a container reaches.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use contrail_lab::sandbox;

use crate::world::{World, wait_for};

const NET1: [&str; 2] = ["10.1.1.0/24", "fd00:1::/64"];
const NET2: [&str; 2] = ["10.1.2.0/24", "fd00:2::/64"];

#[test]
fn members_of_a_network_reach_each_other_as_behind_a_switch() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let a = world.attach("a", net1, 3);
        let b = world.attach("b", net1, 4);
        for prefix in [0, 1] {
            for (from, to) in [(&a, &b), (&b, &a)] {
                // The first packet arrives: nothing is learned on the way.
                assert_eq!(from.first_ping(to.address(prefix)), Some(64));
            }
        }
        assert_eq!(world.state(&a), "active");
        world.stop();
    });
}

#[test]
fn every_peer_has_the_routers_mac_address() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let a = world.attach("a", net1, 3);
        let b = world.attach("b", net1, 4);
        for address in [b.address(0), b.address(1), a.gateway] {
            a.ping(address);
            let neighbour = a.run("ip", &["neigh", "show", "to", &address.to_string()]);
            assert!(neighbour.contains("00:00:5e:00:01:00"), "{neighbour}");
        }
        world.stop();
    });
}

#[test]
fn gateway_and_dns_address_answer() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let a = world.attach("a", net1, 3);
        for address in ["10.1.1.1", "10.1.1.2", "fd00:1::1", "fd00:1::2"] {
            assert_eq!(a.ping(address.parse().unwrap()), Some(64), "{address}");
        }
        assert!(a.cannot_reach("10.1.1.9".parse().unwrap()));
        world.stop();
    });
}

#[test]
fn a_networks_packets_may_be_as_large_as_the_link_takes() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let a = world.attach("a", net1, 3);
        let b = world.attach("b", net1, 4);
        // With the headers, 1500 bytes.
        let (sender, receiver) = (a.udp(a.address(0), 5000), b.udp(b.address(0), 5000));
        sender.send_to(&[7; 1472], (b.address(0), 5000)).unwrap();
        assert_eq!(receiver.recv(&mut [0; 2000]).unwrap(), 1472);
        world.stop();
    });
}

#[test]
fn a_connection_carries_bulk_data_in_both_families() {
    sandbox::test(|| {
        const LENGTH: usize = 16 << 20;
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let a = world.attach("a", net1, 3);
        let b = world.attach("b", net1, 4);
        for prefix in [0, 1] {
            let server = SocketAddr::new(b.address(prefix), 80);
            let listener = b.netns.netns().run(|| TcpListener::bind(server));
            let listener = listener.unwrap().unwrap();
            let receiver = std::thread::spawn(move || {
                let mut received = Vec::new();
                listener
                    .accept()
                    .unwrap()
                    .0
                    .read_to_end(&mut received)
                    .unwrap();
                received.len()
            });
            let connected = a.netns.netns().run(|| TcpStream::connect(server));
            connected
                .unwrap()
                .unwrap()
                .write_all(&vec![7; LENGTH])
                .unwrap();
            assert_eq!(receiver.join().unwrap(), LENGTH);
        }
        world.stop();
    });
}

#[test]
fn duplicate_address_detection_finds_no_duplicate() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let a = world.attach("a", net1, 3);
        let _b = world.attach("b", net1, 4);
        a.run("ip", &["addr", "del", "fd00:1::3/64", "dev", "eth0"]);
        a.run("ip", &["addr", "add", "fd00:1::3/64", "dev", "eth0"]);
        let show = || a.run("ip", &["-6", "-o", "addr", "show", "dev", "eth0"]);
        wait_for("the address is checked", || !show().contains("tentative"));
        assert!(!show().contains("dadfailed"), "{}", show());
        world.stop();
    });
}

#[test]
fn networks_do_not_reach_each_other() {
    sandbox::test(|| {
        let world = World::new();
        let (net1, net2) = (world.network("net1", &NET1), world.network("net2", &NET2));
        let a = world.attach("a", net1, 3);
        let b = world.attach("b", net2, 3);
        for target in [b.address(0), b.address(1), b.gateway] {
            assert!(a.cannot_reach(target), "{target}");
        }
        assert_eq!(b.ping(b.gateway), Some(64));
        world.stop();
    });
}
