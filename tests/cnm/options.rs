//! The options of networks and endpoints, as the controller has them then.

use contrail_core::FqName;
use contrail_core::api::{ListQuery, SecurityGroup, VirtualMachineInterface, VirtualNetwork};
use contrail_core::kernel::{Dataplane, Kernel};
use contrail_lab::sandbox;
use opencontrail_tests::world::{client, lab};
use serde_json::json;

use crate::engine::{Engine, SUBNET, objects};

#[test]
fn a_network_that_exists_must_have_the_route_targets_that_are_asked_for() {
    sandbox::test(|| {
        let lab = lab();
        let [one, two] = ["host1", "host2"].map(Engine::on);
        one.create_with(json!({"name": "net1", "rt": "64512:1,64512:2"}))
            .unwrap();
        let before = objects(&lab);
        let error = two
            .create_with(json!({"name": "net1", "rt": "64512:3"}))
            .unwrap_err();
        assert!(
            error.contains("target:64512:3") && error.contains("target:64512:1, target:64512:2"),
            "{error}"
        );
        assert_eq!(objects(&lab), before);
        two.create_with(json!({"name": "net1", "rt": "64512:2"}))
            .unwrap();
    });
}

#[test]
fn another_network_never_changes_the_route_targets_on_a_host_with_any_name() {
    for node in [
        "node1.pool.example.com",
        "pool",
        "a.pool.",
        "docker-network.pool.1",
    ] {
        sandbox::test(move || {
            let lab = lab();
            let engine = Engine::on(node);
            let create = |id: &str, target: &str| {
                let create = json!({
                    "NetworkID": id,
                    "Options": {"com.docker.network.generic": {"name": "net1", "rt": target}},
                    "IPv4Data": [{"Pool": SUBNET, "Gateway": "10.1.1.1/24"}],
                });
                engine.send("CreateNetwork", create)
            };
            create("n1", "64512:1").unwrap();
            let before = objects(&lab);
            for (id, target) in [("n2", "64512:2"), ("pool.n3", "64512:1,64512:3")] {
                let error = create(id, target).unwrap_err();
                let asked = target.replace("64512", "target:64512").replace(',', ", ");
                assert!(error.contains(&asked), "{node}: {error}");
                assert!(error.contains("has target:64512:1:"), "{node}: {error}");
                assert_eq!(objects(&lab), before);
            }
        });
    }
}

#[test]
fn subnets_that_no_container_can_have_are_refused_with_what_they_are_for() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        let before = objects(&lab);
        for (subnet, reason) in [
            ("224.0.1.0/24", "multicast"),
            ("127.1.0.0/16", "loopback"),
            ("0.0.0.0/0", "--ipam-driver null"),
            ("10.1.1.0/33", "a subnet is expected"),
        ] {
            let error = engine.create_network("n1", "net1", subnet).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn an_mtu_without_room_for_ipv6_is_refused_before_a_container_meets_it() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        let before = objects(&lab);
        let create = |mtu| {
            engine.send(
                "CreateNetwork",
                json!({
                    "NetworkID": "n1",
                    "Options": {"com.docker.network.generic": {"name": "net1", "mtu": mtu}},
                    "IPv6Data": [{"Pool": "fd00:1::/64", "Gateway": "fd00:1::1/64"}],
                }),
            )
        };
        let error = create("1279").unwrap_err();
        assert!(error.contains("IPv6 needs at least 1280 bytes"), "{error}");
        assert_eq!(objects(&lab), before);
        create("1280").unwrap();
    });
}

#[test]
fn an_address_for_dns_is_that_of_the_subnet() {
    sandbox::test(|| {
        let _lab = lab();
        let engine = Engine::on("host1");
        let error = engine
            .create_with(json!({"name": "net1", "dns": "10.9.9.9"}))
            .unwrap_err();
        assert!(
            error.contains("option dns") && error.contains("10.9.9.9"),
            "{error}"
        );
        engine
            .create_with(json!({"name": "net1", "dns": "10.1.1.53"}))
            .unwrap();
        let name: FqName = "default-domain:admin:net1".parse().unwrap();
        let network: VirtualNetwork = client().lookup(&name).unwrap().unwrap();
        let dns = network.subnets().next().unwrap().dns();
        assert_eq!(dns, Some("10.1.1.53".parse().unwrap()));
    });
}

#[test]
fn security_groups_filter_an_endpoint() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        let endpoint = json!({
            "NetworkID": "n1",
            "EndpointID": "e1",
            "Interface": {"Address": "10.1.1.2/24"},
            "Options": {"security-group": "web"},
        });
        let error = engine.send("CreateEndpoint", endpoint.clone()).unwrap_err();
        assert!(error.contains("default-domain:admin:web"), "{error}");
        assert_eq!(objects(&lab), before);

        let name: FqName = "default-domain:admin:web".parse().unwrap();
        let group = SecurityGroup::new(name.clone(), Default::default());
        client().create(&group).unwrap();
        engine.send("CreateEndpoint", endpoint).unwrap();
        let ports: Vec<VirtualMachineInterface> =
            client().list(&ListQuery::all().detail()).unwrap();
        assert!(ports[0].security_group_refs[0].is_to(&name));
        engine.delete_endpoint("n1", "e1");
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn published_ports_are_an_error_only_on_request() {
    sandbox::test(|| {
        let _lab = lab();
        let engine = Engine::on("host1");
        for (id, ports) in [
            ("n1", json!({"name": "a"})),
            ("n2", json!({"name": "b", "ports": "error"})),
        ] {
            let create = json!({
                "NetworkID": id,
                "Options": {"com.docker.network.generic": ports},
                "IPv4Data": [{"Pool": SUBNET, "Gateway": "10.1.1.1/24"}],
            });
            engine.send("CreateNetwork", create).unwrap();
            let ports = json!([{"Proto": 6, "Port": 80, "HostPort": 8080}]);
            let publish = json!({
                "NetworkID": id,
                "EndpointID": id,
                "Interface": {"Address": "10.1.1.2/24"},
                "Options": {"com.docker.network.portmap": ports},
            });
            let answer = engine.send("CreateEndpoint", publish);
            assert_eq!(answer.is_err(), id == "n2", "{answer:?}");
            if let Err(reason) = answer {
                assert!(
                    reason.contains("8080:80") && reason.contains("10.1.1.2"),
                    "{reason}"
                );
            }
        }
    });
}

#[test]
fn dockers_own_labels_have_their_effect_or_are_refused() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        let before = objects(&lab);
        for (label, value) in [("enable_ipv6", "true"), ("bridge.enable_icc", "false")] {
            let options = json!({"name": "net1", format!("com.docker.network.{label}"): value});
            let error = engine.create_with(options).unwrap_err();
            assert!(error.contains(label), "{error}");
            assert_eq!(objects(&lab), before);
        }
        let options = json!({
            "name": "net1",
            "com.docker.network.driver.mtu": "1400",
            "com.docker.network.container_iface_prefix": "net",
        });
        engine.create_with(options).unwrap();
        let endpoint = |label: &str| {
            json!({
                "NetworkID": "n1",
                "EndpointID": "e1",
                "Interface": {"Address": "10.1.1.2/24"},
                "Options": {
                    "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.log_martians=1",
                    label: "1400",
                },
            })
        };
        for label in [
            "com.docker.network.endpoint.ifname",
            "com.docker.network.driver.mtu",
        ] {
            let error = engine.send("CreateEndpoint", endpoint(label)).unwrap_err();
            assert!(error.contains(label), "{error}");
        }
        engine
            .send("CreateEndpoint", endpoint("com.docker.network.new"))
            .unwrap();
        let joined = engine.join("n1", "e1", "s1").unwrap();
        assert_eq!(joined["InterfaceName"]["DstPrefix"], "net");
        let link = joined["InterfaceName"]["SrcName"].as_str().unwrap();
        assert_eq!(
            Kernel::new().link(None, link).unwrap().unwrap().mtu,
            Some(1400)
        );
    });
}
