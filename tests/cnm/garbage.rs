//! Collecting garbage removes what it should, and never anything else: what is kept, in grace, alive, of
//! another host, another network or another runtime.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use contrail_core::Deadline;
use contrail_core::identity;
use contrail_lab::dataplane::Mode;
use contrail_lab::sandbox;
use opencontrail_tests::random::Random;
use opencontrail_tests::world::{everything, lab_with};
use uuid::Uuid;

use crate::hosts::{CONTAINERS, Host, NETWORKS, interfaces};

const CASES: u64 = 60;

/// An attached container: its host, whether Docker runs it, its number.
type Container = (usize, bool, usize);

const NAMES: [&str; 2] = ["host1", "host2"];

fn interface(hosts: &[Host; 2], (host, docker, number): Container) -> Uuid {
    match docker {
        true => identity::interface(NAMES[host], &format!("{}-e{number}", NAMES[host]), ""),
        false => identity::interface(NAMES[host], &hosts[host].container(number), "eth0"),
    }
}

#[test]
fn nothing_is_collected_that_is_not_garbage_of_that_host_network_and_runtime() {
    sandbox::test(|| {
        let lab = lab_with(|options| options.data_plane = Mode::Off);
        let hosts = NAMES.map(Host::new);
        let before = everything(&lab, &[]);
        hosts.iter().for_each(Host::create_networks);
        for case in 0..CASES {
            let random = &mut Random(case);
            let mut there: BTreeSet<Container> = BTreeSet::new();
            for (place, host) in hosts.iter().enumerate() {
                for number in 0..CONTAINERS {
                    if random.is_heads() {
                        host.add(number).unwrap();
                        there.insert((place, false, number));
                    }
                    if random.is_heads() {
                        host.run(number).unwrap();
                        there.insert((place, true, number));
                    }
                }
            }

            // What the runtime does not name is collected.
            let (host, network) = (random.below(2), random.below(NETWORKS));
            let keep: BTreeSet<usize> = (0..CONTAINERS).filter(|_| random.is_heads()).collect();
            hosts[host].collect(network, &keep).unwrap();
            let is_garbage = |(of, docker, number): &Container| {
                *of == host && !docker && number % NETWORKS == network && !keep.contains(number)
            };
            there.retain(|container| !is_garbage(container));
            assert_eq!(
                interfaces(),
                ids(&hosts, &there),
                "case {case}: {host} {network} {keep:?}"
            );

            // What has lost its link is an orphan, but not at once garbage.
            let lost: BTreeSet<Container> = there
                .iter()
                .copied()
                .filter(|_| random.is_heads())
                .collect();
            for container in &lost {
                let link = identity::host_ifname(interface(&hosts, *container));
                let deleted = Command::new("ip")
                    .args(["link", "del", "dev", &link])
                    .status();
                assert!(deleted.unwrap().success());
            }
            let clean = |grace| {
                let end = Deadline::after(Duration::from_secs(10));
                let project = "default-domain:admin".parse().unwrap();
                for orphan in hosts[host].cni.orphans(&project, end).unwrap() {
                    hosts[host].cni.remove_orphan(&orphan, grace, end).unwrap();
                }
            };
            clean(Duration::from_secs(600));
            assert_eq!(interfaces(), ids(&hosts, &there), "case {case}: in grace");
            clean(Duration::ZERO);
            there.retain(|container| {
                !(lost.contains(container) && (container.0, container.1) == (host, false))
            });
            assert_eq!(interfaces(), ids(&hosts, &there), "case {case}: {lost:?}");

            for (host, docker, number) in there {
                match docker {
                    true => hosts[host].remove(number),
                    false => hosts[host].del(number).unwrap(),
                }
            }
            assert!(interfaces().is_empty(), "case {case}");
        }
        hosts.iter().for_each(Host::delete_networks);
        assert_eq!(everything(&lab, &[]), before);
    });
}

fn ids(hosts: &[Host; 2], containers: &BTreeSet<Container>) -> BTreeSet<Uuid> {
    let ids = containers
        .iter()
        .map(|container| interface(hosts, *container));
    ids.collect()
}
