//! Collecting garbage removes what it should, and never anything else: what is kept, in grace, alive, of
//! another host, another network or another runtime.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use contrail_core::Deadline;
use contrail_core::values::identity;
use contrail_lab::dataplane::Mode;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::random::Random;
use opencontrail_tests::world::{everything, lab_with};
use uuid::Uuid;

use crate::engine::settings;
use crate::hosts::{CONTAINERS, Host, NETWORKS, attachment, interfaces, network};

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

#[test]
fn a_name_that_is_given_to_another_machine_gives_it_no_right_to_what_was_made_under_it() {
    sandbox::test(|| {
        let lab = lab_with(|options| options.data_plane = Mode::Off);
        let end = || Deadline::after(Duration::from_secs(10));
        let attacher = |node: &str, machine: u128| {
            let state = format!("/var/lib/contrail/machine-{machine}");
            let mut settings = settings(node, &state, ["4", "2"]);
            settings.machine = Some(Uuid::from_u128(machine));
            settings.attacher("cni-opencontrail").unwrap()
        };
        let project = "default-domain:admin".parse().unwrap();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[]);
        attacher("host1", 1)
            .attach(&[attachment("c", 0, netns.path())])
            .unwrap();
        // The machine is called otherwise now, and another one has its name.
        let (renamed, other) = (attacher("host2", 1), attacher("host1", 2));
        let attached = everything(&lab, &[]);
        assert_eq!(
            other
                .collect(&network(0), "test", &BTreeSet::new(), end())
                .unwrap(),
            0
        );
        let link = identity::host_ifname(identity::interface("host1", "c", "eth0"));
        let deleted = Command::new("ip").args(["link", "del", &link]).status();
        assert!(deleted.unwrap().success());
        assert_eq!(other.orphans(&project, end()).unwrap(), []);
        assert_eq!(renamed.orphans(&project, end()).unwrap().len(), 1);
        assert_eq!(attached.difference(&everything(&lab, &[])).count(), 1);
        let forgotten = BTreeSet::new();
        let collect = |name| renamed.collect(&network(0), name, &forgotten, end());
        // Another configuration of the same virtual network.
        assert_eq!(collect("other").unwrap(), 0);
        assert_eq!(collect("test").unwrap(), 1);
        assert_eq!(everything(&lab, &[]), before);
    });
}

fn ids(hosts: &[Host; 2], containers: &BTreeSet<Container>) -> BTreeSet<Uuid> {
    let ids = containers
        .iter()
        .map(|container| interface(hosts, *container));
    ids.collect()
}
