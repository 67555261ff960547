//! Addresses and routes inside the container.

use std::fs;
use std::net::UdpSocket;

use contrail_core::kernel::Error;
use contrail_core::kernel::{Dataplane, InterfaceConfig, Kernel, Link, Route};
use contrail_lab::sandbox::{self, TestNetns};

use crate::{attached, networks, spec, text};

fn route(destination: &str, gateway: Option<&str>) -> Route {
    let gateway = gateway.map(|gateway| gateway.parse().unwrap());
    Route::new(destination.parse().unwrap(), gateway)
}

fn config(addresses: &[&str], routes: Vec<Route>) -> InterfaceConfig {
    InterfaceConfig {
        addresses: networks(addresses),
        routes,
        forwarding: false,
    }
}

/// Configures `eth0` and reads it back.
fn configured(kernel: &Kernel, netns: &TestNetns, config: &InterfaceConfig) -> Link {
    kernel.configure(netns.netns(), "eth0", config).unwrap();
    kernel.link(Some(netns.netns()), "eth0").unwrap().unwrap()
}

fn sysctl(netns: &TestNetns, name: &str) -> String {
    let path = format!("/proc/sys/net/{name}");
    let value = netns.netns().run(|| fs::read_to_string(path)).unwrap();
    value.unwrap().trim().to_owned()
}

/// An address that is still tentative, or not there, cannot be bound.
fn bind(netns: &TestNetns, address: &str) {
    let bound = netns.netns().run(|| UdpSocket::bind(address).map(drop));
    bound.unwrap().unwrap();
}

#[test]
fn an_address_and_a_default_route_take_three_requests() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let before = kernel.requests();
        let wanted = config(
            &["10.1.1.4/24"],
            vec![Route::default_via("10.1.1.1".parse().unwrap())],
        );
        kernel.configure(netns.netns(), "eth0", &wanted).unwrap();
        assert_eq!(kernel.requests() - before, 3);

        let link = kernel.link(Some(netns.netns()), "eth0").unwrap().unwrap();
        assert!(link.up);
        assert_eq!(link.addresses, wanted.addresses);
        assert_eq!(link.routes, wanted.routes);
        assert_eq!(link.mtu, Some(1400));
        assert_eq!(sysctl(&netns, "ipv4/conf/eth0/arp_notify"), "1");
        // The kernel's own view, by another way.
        let table = netns
            .output("cat", &["/proc/thread-self/net/route"])
            .unwrap();
        assert!(text(&table).contains("eth0\t00000000\t0101010A\t0003"));
        bind(&netns, "10.1.1.4:0");
    });
}

#[test]
fn both_families_are_usable_when_the_call_returns() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let wanted = config(
            &["10.1.1.4/24", "fd00:1::4/64"],
            vec![
                Route::default_via("10.1.1.1".parse().unwrap()),
                Route::default_via("fd00:1::1".parse().unwrap()),
            ],
        );
        kernel.configure(netns.netns(), "eth0", &wanted).unwrap();
        bind(&netns, "[fd00:1::4]:0");
        let link = kernel.link(Some(netns.netns()), "eth0").unwrap().unwrap();
        assert_eq!(link.addresses, wanted.addresses);
        assert_eq!(link.routes, wanted.routes);
        assert_eq!(sysctl(&netns, "ipv6/conf/eth0/keep_addr_on_down"), "1");
    });
}

#[test]
fn ipv6_alone_is_switched_on_where_the_runtime_had_switched_it_off() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let off = || {
            for ifname in ["all", "default", "lo", "eth0"] {
                fs::write(
                    format!("/proc/sys/net/ipv6/conf/{ifname}/disable_ipv6"),
                    "1",
                )
                .unwrap();
            }
        };
        netns.netns().run(off).unwrap();
        let wanted = config(&["fd00:1::4/64"], vec![]);
        let link = configured(&kernel, &netns, &wanted);
        assert_eq!(link.addresses, wanted.addresses);
        bind(&netns, "[fd00:1::4]:0");
    });
}

#[test]
fn without_an_ipv6_address_the_switches_of_ipv6_stay_as_they_are() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let off = || fs::write("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "1");
        netns.netns().run(off).unwrap().unwrap();
        configured(&kernel, &netns, &config(&["10.1.1.4/24"], vec![]));
        assert_eq!(sysctl(&netns, "ipv6/conf/eth0/disable_ipv6"), "1");
    });
}

#[test]
fn duplicate_detection_that_the_administrator_insists_on_is_waited_for() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let insist = || fs::write("/proc/sys/net/ipv6/conf/all/accept_dad", "1");
        netns.netns().run(insist).unwrap().unwrap();
        let wanted = config(&["fd00:1::4/64", "fd00:1::5/64"], vec![]);
        kernel.configure(netns.netns(), "eth0", &wanted).unwrap();
        let bound = netns
            .netns()
            .run(|| UdpSocket::bind("[fd00:1::5]:0").map(drop))
            .unwrap();
        bound.unwrap();
    });
}

#[test]
fn an_ipv6_address_that_another_host_has_is_an_error() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let first = TestNetns::new("c1").unwrap();
        let second = TestNetns::new("c2").unwrap();
        // One pair straight between the two containers.
        let make = || kernel.create_veth(&spec("eth1", "eth0"), Some(second.netns()));
        first.netns().run(make).unwrap().unwrap();
        let wanted = config(&["fd00:1::4/64"], vec![]);
        kernel.configure(first.netns(), "eth1", &wanted).unwrap();
        let insist = || fs::write("/proc/sys/net/ipv6/conf/all/accept_dad", "1");
        second.netns().run(insist).unwrap().unwrap();
        let error = kernel
            .configure(second.netns(), "eth0", &wanted)
            .unwrap_err();
        assert!(
            matches!(&error, Error::Kernel { source, .. }
                if source.raw_os_error() == Some(nix::libc::EADDRINUSE)),
            "{error:?}"
        );
        assert!(error.to_string().contains("fd00:1::4"), "{error}");
    });
}

#[test]
fn a_gateway_outside_the_prefix_is_reached_on_the_link() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let wanted = config(
            &["10.1.1.4/32", "fd00:1::4/128"],
            vec![
                Route::default_via("169.254.1.1".parse().unwrap()),
                Route::default_via("fd00:2::1".parse().unwrap()),
            ],
        );
        let link = configured(&kernel, &netns, &wanted);
        assert_eq!(link.routes, wanted.routes);
    });
}

#[test]
fn every_field_of_a_route_is_honoured() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let mut routes = vec![
            route("192.168.0.0/16", None),
            Route {
                mtu: Some(1300),
                advmss: Some(1260),
                priority: Some(77),
                ..route("172.16.0.0/12", Some("10.1.1.1"))
            },
            Route {
                table: Some(1000),
                ..route("0.0.0.0/0", Some("10.1.1.1"))
            },
            route("fd00:9::/48", Some("fd00:1::1")),
        ];
        let wanted = config(&["10.1.1.4/24", "fd00:1::4/64"], routes.clone());
        let mut found = configured(&kernel, &netns, &wanted).routes;
        let key = |route: &Route| route.destination;
        found.sort_by_key(key);
        routes.sort_by_key(key);
        assert_eq!(found, routes);
    });
}

#[test]
fn it_can_be_repeated() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let wanted = config(
            &["10.1.1.4/24", "fd00:1::4/64"],
            vec![
                Route::default_via("10.1.1.1".parse().unwrap()),
                Route::default_via("fd00:1::1".parse().unwrap()),
                route("192.168.0.0/16", None),
            ],
        );
        let once = configured(&kernel, &netns, &wanted);
        assert_eq!(configured(&kernel, &netns, &wanted), once);
    });
}

#[test]
fn a_second_interface_leaves_the_first_ones_default_route_in_front() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        kernel
            .create_veth(&spec("tap1", "eth1"), Some(netns.netns()))
            .unwrap();
        for (ifname, address, gateway) in [
            ("eth0", "10.1.1.4/24", "10.1.1.1"),
            ("eth1", "10.1.2.4/24", "10.1.2.1"),
        ] {
            let wanted = config(
                &[address],
                vec![Route::default_via(gateway.parse().unwrap())],
            );
            kernel.configure(netns.netns(), ifname, &wanted).unwrap();
        }
        let source = netns
            .netns()
            .run(|| {
                let socket = UdpSocket::bind("0.0.0.0:0")?;
                socket.connect("192.0.2.1:9")?;
                socket.local_addr()
            })
            .unwrap();
        assert_eq!(source.unwrap().ip().to_string(), "10.1.1.4");
    });
}

#[test]
fn an_absent_interface_and_an_unreachable_route_keep_the_kernels_error_number() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let errno = |ifname: &str, config: &InterfaceConfig| match kernel.configure(
            netns.netns(),
            ifname,
            config,
        ) {
            Err(Error::Kernel { source, operation }) => (source.raw_os_error().unwrap(), operation),
            other => panic!("{other:?}"),
        };
        let (number, operation) = errno("eth9", &config(&["10.1.1.4/24"], vec![]));
        assert_eq!(number, nix::libc::ENODEV);
        assert!(operation.contains("eth9"), "{operation}");

        let everybody = config(
            &["10.1.1.4/24"],
            vec![route("0.0.0.0/0", Some("10.1.1.255"))],
        );
        let (number, operation) = errno("eth0", &everybody);
        assert_eq!(number, nix::libc::EINVAL);
        assert!(operation.contains("route 0.0.0.0/0"), "{operation}");
    });
}

#[test]
fn a_gateway_of_the_other_family_is_refused_before_anything_is_changed() {
    sandbox::test(|| {
        let kernel = Kernel::new();
        let netns = attached(&kernel);
        let mixed = config(
            &["10.1.1.4/24"],
            vec![route("0.0.0.0/0", Some("fd00:1::1"))],
        );
        let error = kernel.configure(netns.netns(), "eth0", &mixed).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
        let link = kernel.link(Some(netns.netns()), "eth0").unwrap().unwrap();
        assert!(!link.up);
        assert_eq!(link.addresses, []);
    });
}
