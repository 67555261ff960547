//! Making and deleting pairs.

use std::fs;
use std::process::Command;
use std::thread;

use contrail_core::kernel::Error;
use contrail_core::kernel::{Dataplane, InterfaceConfig, Kernel, VethSpec};
use contrail_lab::sandbox::{self, TestNetns};

use crate::{ALIAS, MAC, attached, spec};

/// The error number that the kernel gave, as callers find it.
fn errno(error: &Error) -> Option<i32> {
    match error {
        Error::Kernel { source, .. } => source.raw_os_error(),
        _ => None,
    }
}

fn taken(error: Error) -> (String, String) {
    match error {
        Error::InterfaceExists { ifname, place } => (ifname, place),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_requests_make_the_whole_pair() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        assert_eq!(kernel.requests(), 2);

        let host = kernel.link(None, "tap0").unwrap().unwrap();
        assert!(host.up);
        assert_eq!(host.mtu, Some(1400));
        assert_eq!(host.alias.as_deref(), Some(ALIAS));
        assert_ne!(host.mac, Some(MAC));

        let container = kernel.link(Some(netns.netns()), "eth0").unwrap().unwrap();
        assert_eq!(container.mac, Some(MAC));
        assert_eq!(container.mtu, Some(1400));
        assert!(!container.up);
        assert_eq!(container.alias, None);
    });
}

#[test]
fn the_hosts_own_interface_of_the_containers_name_does_not_matter() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        kernel.create_veth(&spec("eth0", "eth1"), None).unwrap();
        let netns = attached(&kernel);
        let here = kernel.link(None, "eth0").unwrap().unwrap();
        let there = kernel.link(Some(netns.netns()), "eth0").unwrap().unwrap();
        assert_ne!(here.mac, there.mac);
    });
}

#[test]
fn a_name_that_is_taken_is_told_with_its_place_and_nothing_is_left() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);

        let host = kernel.create_veth(&spec("tap0", "eth1"), Some(netns.netns()));
        let place = "the host's network namespace";
        assert_eq!(taken(host.unwrap_err()), ("tap0".into(), place.into()));
        assert_eq!(kernel.link(Some(netns.netns()), "eth1").unwrap(), None);

        let container = kernel.create_veth(&spec("tap1", "eth0"), Some(netns.netns()));
        let place = "network namespace /run/netns/c1";
        assert_eq!(taken(container.unwrap_err()), ("eth0".into(), place.into()));
        assert_eq!(kernel.link(None, "tap1").unwrap(), None);

        kernel.create_veth(&spec("tap2", "eth2"), None).unwrap();
        let both_here = kernel.create_veth(&spec("tap3", "eth2"), None);
        let place = "the host's network namespace";
        assert_eq!(taken(both_here.unwrap_err()), ("eth2".into(), place.into()));
    });
}

#[test]
fn bad_names_never_reach_the_kernel_and_its_error_number_is_kept() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        for (host, container) in [
            ("sixteen-letters-", "eth0"),
            ("a/b", "eth0"),
            ("tap0", "eth%d"),
        ] {
            let error = kernel.create_veth(&spec(host, container), None);
            assert!(matches!(error, Err(Error::Invalid { .. })), "{error:?}");
        }
        let small = VethSpec {
            mtu: Some(1),
            ..spec("tap0", "eth0")
        };
        let small = kernel.create_veth(&small, None);
        assert_eq!(errno(&small.unwrap_err()), Some(nix::libc::EINVAL));
        let links = fs::read_dir("/proc/sys/net/ipv4/conf").unwrap().count();
        assert_eq!(links, 3, "all, default and lo");
    });
}

/// Sets the container's end up and waits until its kernel has given it an IPv6 address; the host's
/// end could have one by then too.
fn ipv6_of_the_host(kernel: &Kernel, netns: &TestNetns) -> String {
    let up = InterfaceConfig::default();
    kernel.configure(netns.netns(), "eth0", &up).unwrap();
    let inside = || fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap();
    while !netns.netns().run(inside).unwrap().contains("eth0") {
        thread::yield_now();
    }
    fs::read_to_string("/proc/net/if_inet6").unwrap()
}

#[test]
fn the_host_gets_no_ipv6_address_on_its_end_and_heeds_no_advertisement() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let addresses = ipv6_of_the_host(&kernel, &netns);
        assert!(!addresses.contains("tap0"), "{addresses}");
        let accept = fs::read_to_string("/proc/sys/net/ipv6/conf/tap0/accept_ra").unwrap();
        assert_eq!(accept.trim(), "0");
    });
}

#[test]
fn with_proc_sys_read_only_pairs_are_made_too() {
    sandbox::test(|| {
        let script = "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys";
        let remount = Command::new("sh").args(["-c", script]).status();
        assert!(remount.unwrap().success());
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let addresses = ipv6_of_the_host(&kernel, &netns);
        assert!(!addresses.contains("tap0"), "{addresses}");
    });
}

#[test]
fn deleting_one_end_takes_the_other_and_twice_is_once() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let before = kernel.requests();
        assert!(kernel.delete_link("tap0", Some(ALIAS)).unwrap());
        assert_eq!(kernel.requests() - before, 2);
        assert_eq!(kernel.link(Some(netns.netns()), "eth0").unwrap(), None);
        assert!(!kernel.delete_link("tap0", Some(ALIAS)).unwrap());
        assert_eq!(kernel.link(None, "tap0").unwrap(), None);
    });
}

#[test]
fn an_interface_with_another_alias_is_not_deleted_and_one_without_is() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let _netns = attached(&kernel);
        let other = "d2addb42-4371-5012-bee6-000000000000";
        assert!(!kernel.delete_link("tap0", Some(other)).unwrap());
        assert!(kernel.link(None, "tap0").unwrap().is_some());
        // As it is when whoever makes it is killed between its two requests.
        let half = [
            "link", "add", "tap1", "type", "veth", "peer", "name", "eth1",
        ];
        assert!(Command::new("ip").args(half).status().unwrap().success());
        assert!(kernel.delete_link("tap1", Some(other)).unwrap());
    });
}

#[test]
fn the_namespace_going_takes_the_pair_with_it() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        drop(netns);
        while kernel.link(None, "tap0").unwrap().is_some() {
            thread::yield_now();
        }
    });
}

#[test]
fn fifty_at_once_do_not_disturb_each_other() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        thread::scope(|scope| {
            for number in 0..50 {
                let kernel = &kernel;
                scope.spawn(move || {
                    let netns = TestNetns::new(&format!("c{number}")).unwrap();
                    let host = format!("tap{number}");
                    kernel
                        .create_veth(&spec(&host, "eth0"), Some(netns.netns()))
                        .unwrap();
                    let address = format!("10.1.{number}.4/24").parse().unwrap();
                    let config = InterfaceConfig {
                        addresses: vec![address],
                        routes: vec![],
                        forwarding: false,
                    };
                    kernel.configure(netns.netns(), "eth0", &config).unwrap();
                    let link = kernel.link(Some(netns.netns()), "eth0").unwrap().unwrap();
                    assert_eq!(link.addresses, [address]);
                    assert!(kernel.delete_link(&host, None).unwrap());
                });
            }
        });
    });
}
