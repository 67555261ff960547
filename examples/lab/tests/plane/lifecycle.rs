//! Coming and going: of ports, of host ends, of the data plane itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use contrail_core::kernel::{Dataplane, Kernel};
use contrail_lab::sandbox;

use crate::world::{World, run, wait_for};

const NET1: [&str; 2] = ["10.1.1.0/24", "fd00:1::/64"];

#[test]
fn a_removed_port_is_cut_off_at_once() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let (a, b) = (world.attach("a", net1, 3), world.attach("b", net1, 4));
        assert_eq!(a.ping(b.address(0)), Some(64));
        world.unsubscribe(&b);
        world.notifier().settle();
        assert!(a.cannot_reach(b.address(0)));
        assert!(b.cannot_reach(b.gateway));
        world.subscribe(&b);
        world.notifier().settle();
        assert_eq!(a.ping(b.address(0)), Some(64));
        world.stop();
    });
}

#[test]
fn a_filter_that_somebody_emptied_is_filled_again_with_the_next_change() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let (a, b) = (world.attach("a", net1, 3), world.attach("b", net1, 4));
        let flush = "flush set inet contrail-lab owned4; flush map inet contrail-lab network_of";
        run("ip", &["netns", "exec", "contrail-lab-lab", "nft", flush]);
        assert!(a.cannot_reach(b.address(0)));
        world.unsubscribe(&b);
        world.notifier().settle();
        world.subscribe(&b);
        world.notifier().settle();
        assert_eq!(a.ping(b.address(0)), Some(64));
        assert!(world.notifier().snapshot().problems.is_empty());
        world.stop();
    });
}

#[test]
fn a_host_end_that_is_made_again_is_connected_again() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let (a, b) = (world.attach("a", net1, 3), world.attach("b", net1, 4));
        Kernel::new().delete_link(&b.tap(), None).unwrap();
        wait_for("the loss is noticed", || {
            world.state(&b) == "inactive no-dev"
        });
        assert!(a.cannot_reach(b.address(0)));
        b.plug();
        wait_for("the return is noticed", || world.state(&b) == "active");
        assert_eq!(a.ping(b.address(0)), Some(64));
        assert_eq!(b.ping(a.address(1)), Some(64));
        world.stop();
    });
}

#[test]
fn a_port_waits_for_its_host_end_and_for_the_containers_end() {
    sandbox::test(|| {
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let a = world.attach("a", net1, 3);
        let b = world.container("b", net1, 4);
        world.configure(&b, net1);
        world.subscribe(&b);
        world.notifier().settle();
        assert_eq!(world.state(&b), "inactive no-dev");
        b.plug();
        wait_for("the port is active", || world.state(&b) == "active");
        assert_eq!(a.ping(b.address(0)), Some(64));
        b.run("ip", &["link", "set", "eth0", "down"]);
        wait_for("the port is down", || {
            world.state(&b) == "inactive os-state-down"
        });
        world.stop();
    });
}

#[test]
fn the_host_is_left_as_it_was() {
    sandbox::test(|| {
        // As Docker leaves a host: nothing is forwarded.
        run("nft", &["add", "table", "ip", "filter"]);
        let chain = "{ type filter hook forward priority 0; policy drop; }";
        run("nft", &["add", "chain", "ip", "filter", "FORWARD", chain]);
        let before = host();
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let (a, b) = (world.attach("a", net1, 3), world.attach("b", net1, 4));
        assert_eq!(a.ping(b.address(0)), Some(64));
        assert_eq!(a.ping(b.address(1)), Some(64));
        let with_ports = host();
        assert_eq!(with_ports["nft"], before["nft"]);
        assert_eq!(with_ports["rules"], before["rules"]);
        assert_eq!(with_ports["sysctl"], before["sysctl"]);
        world.stop();
        let qdiscs = run("tc", &["qdisc", "show"]);
        assert!(!qdiscs.contains("ingress"), "{qdiscs}");
        for container in [&a, &b] {
            assert!(Kernel::new().delete_link(&container.tap(), None).unwrap());
        }
        drop((a, b));
        let after = host();
        for (what, text) in &before {
            assert_eq!(&after[what], text, "{what} changed");
        }
    });
}

/// What of the host's network could be changed. The values of single devices are left out.
fn host() -> BTreeMap<&'static str, String> {
    let mut sysctls = Vec::new();
    read_tree(Path::new("/proc/sys/net"), &mut sysctls);
    let mut netns: Vec<_> = fs::read_dir("/run/netns")
        .map(|dir| dir.map(|entry| entry.unwrap().file_name()).collect())
        .unwrap_or_default();
    netns.sort();
    BTreeMap::from([
        ("nft", run("nft", &["list", "ruleset"])),
        ("rules", run("ip", &["rule"]) + &run("ip", &["-6", "rule"])),
        ("routes", run("ip", &["route", "show", "table", "all"])),
        ("links", run("ip", &["-o", "link"])),
        ("qdiscs", run("tc", &["qdisc", "show"])),
        ("sysctl", sysctls.join("\n")),
        ("netns", format!("{netns:?}")),
    ])
}

fn read_tree(directory: &Path, found: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(directory).unwrap().flatten().collect();
    entries.sort_by_key(|entry| entry.path());
    for entry in entries {
        let path = entry.path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("tap") || name.starts_with('x') || name.contains("nf_conntrack_count") {
            continue;
        }
        if path.is_dir() {
            read_tree(&path, found);
        } else if let Ok(value) = fs::read_to_string(&path) {
            found.push(format!("{} = {}", path.display(), value.trim()));
        }
    }
}

#[test]
fn two_labs_run_side_by_side_and_go_one_by_one() {
    sandbox::test(|| {
        let (first, second) = (World::named("first", None), World::named("second", None));
        let net1 = first.network("net1", &NET1);
        let net2 = second.network("net1", &NET1);
        let (a, b) = (first.attach("a", net1, 3), first.attach("b", net1, 4));
        let (c, d) = (second.attach("c", net2, 3), second.attach("d", net2, 5));
        assert_eq!(a.ping(b.address(0)), Some(64));
        assert_eq!(c.ping(d.address(0)), Some(64));
        assert!(a.cannot_reach(d.address(0)));
        first.stop();
        assert!(a.cannot_reach(b.address(0)));
        assert_eq!(c.ping(d.address(0)), Some(64));
        second.stop();
    });
}
