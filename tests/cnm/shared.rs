//! Two Docker networks of one host that are the same virtual network.

use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use contrail_core::FqName;
use contrail_core::api::{Ref, VirtualMachineInterface, VirtualNetwork};
use contrail_lab::dataplane::Mode;
use contrail_lab::sandbox;
use opencontrail_tests::world::{client, lab_with};

use crate::engine::{Engine, SUBNET, objects};

/// How long one call may take while nothing is wrong. Calls give up after nine seconds.
const LIMIT: Duration = Duration::from_secs(3);

/// How often each case is tried: what it is about is a race.
const ROUNDS: usize = 20;

/// What happens to two networks at once.
type Case = fn(&Engine, &str, &str);

/// What two networks do at the same time, each after its creation.
const CASES: &[(&str, Case)] = &[
    ("both are deleted", |engine, network, _| {
        engine.delete_network(network);
    }),
    ("containers start and end", |engine, network, host| {
        let endpoint = format!("{network}-e");
        let address = format!("10.1.1.{host}/24");
        engine
            .create_endpoint(network, &endpoint, &address)
            .unwrap();
        engine.join(network, &endpoint, &endpoint).unwrap();
        engine.leave(network, &endpoint);
        engine.delete_endpoint(network, &endpoint);
        engine.delete_network(network);
    }),
    ("both want one address", |engine, network, _| {
        let endpoint = format!("{network}-e");
        // One of them gets it.
        let _ = engine.create_endpoint(network, &endpoint, "10.1.1.9/24");
        engine.tidy();
        engine.delete_network(network);
    }),
    ("the plugin tidies up meanwhile", |engine, network, _| {
        engine.tidy();
        engine.delete_network(network);
        engine.tidy();
    }),
];

/// A port that no plugin made, which keeps the virtual network.
fn foreign_port() -> uuid::Uuid {
    let network: FqName = "default-domain:admin:net1".parse().unwrap();
    let network = client()
        .lookup::<VirtualNetwork>(&network)
        .unwrap()
        .unwrap();
    let name = "default-domain:admin:foreign".parse().unwrap();
    let port = VirtualMachineInterface::new(name, Ref::object(&network));
    client().create(&port).unwrap()
}

#[test]
fn two_networks_do_not_wait_for_each_other() {
    sandbox::test(|| {
        let lab = lab_with(|options| options.data_plane = Mode::Off);
        let before = objects(&lab);
        let engine = Engine::on("host1");
        let slow = Mutex::new(Vec::new());
        let timed = |what: &str, call: &dyn Fn()| {
            let begun = Instant::now();
            call();
            let took = begun.elapsed();
            if took > LIMIT {
                slow.lock().unwrap().push(format!("{what}: {took:?}"));
            }
        };
        for has_foreign_port in [false, true] {
            for (what, act) in CASES {
                for _ in 0..ROUNDS {
                    let start = &Barrier::new(2);
                    for network in ["n1", "n2"] {
                        timed("CreateNetwork", &|| {
                            engine.create_network(network, "net1", SUBNET).unwrap();
                        });
                    }
                    let foreign = has_foreign_port.then(foreign_port);
                    thread::scope(|scope| {
                        for (network, host) in [("n1", "2"), ("n2", "3")] {
                            let (engine, timed) = (&engine, &timed);
                            scope.spawn(move || {
                                start.wait();
                                timed(what, &|| act(engine, network, host));
                            });
                        }
                    });
                    timed("CreateNetwork after it", &|| {
                        engine.create_network("n3", "net1", SUBNET).unwrap();
                    });
                    if let Some(port) = foreign {
                        client().delete::<VirtualMachineInterface>(port).unwrap();
                    }
                    engine.delete_network("n3");
                    engine.tidy();
                    assert_eq!(objects(&lab), before, "{what}");
                }
            }
        }
        let slow = slow.into_inner().unwrap();
        assert!(slow.is_empty(), "{slow:#?}");
    });
}
