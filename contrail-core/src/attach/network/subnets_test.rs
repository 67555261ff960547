//! Tests of the rules of subnets.

use super::*;
use crate::attach::spec::SubnetSpec;

fn subnet(prefix: &str, gateway: &str) -> Subnet {
    Subnet {
        uuid: Some(Uuid::from_u128(1)),
        prefix: prefix.parse().unwrap(),
        gateway: gateway.parse().ok(),
        dns: None,
        pools: Vec::new(),
    }
}

/// Prefix, gateway, first and last address of the pool.
type Wanted<'a> = (&'a str, Option<&'a str>, Option<(&'a str, &'a str)>);

fn spec(subnets: &[Wanted]) -> NetworkSpec {
    NetworkSpec {
        fq_name: FqName::new(["default-domain", "admin", "net1"]),
        subnets: subnets
            .iter()
            .map(|(prefix, gateway, pool)| SubnetSpec {
                prefix: prefix.parse().unwrap(),
                gateway: gateway.map(|g| g.parse().unwrap()),
                dns: None,
                pools: pool
                    .map(|(first, last)| Pool {
                        first: first.parse().unwrap(),
                        last: last.parse().unwrap(),
                    })
                    .into_iter()
                    .collect(),
            })
            .collect(),
    }
}

fn dual_stack() -> Vec<Subnet> {
    vec![
        subnet("10.1.1.0/24", "10.1.1.254"),
        subnet("fd00:1::/64", "fd00:1::1"),
    ]
}

#[test]
fn a_network_that_says_the_same_or_more_is_accepted() {
    for wanted in [
        spec(&[]),
        spec(&[("10.1.1.0/24", None, None)]),
        spec(&[
            ("10.1.1.0/24", Some("10.1.1.254"), None),
            ("fd00:1::/64", None, None),
        ]),
    ] {
        check(&wanted, &dual_stack()).unwrap();
    }
}

#[test]
fn a_contradiction_is_refused_with_both_values() {
    for (wanted, message) in [
        (
            spec(&[("10.9.0.0/16", None, None)]),
            "virtual network default-domain:admin:net1 has subnet 10.1.1.0/24, fd00:1::/64, \
             but the configuration asks for subnet 10.9.0.0/16",
        ),
        (
            spec(&[("10.1.1.0/24", Some("10.1.1.1"), None)]),
            "has gateway 10.1.1.254 in subnet 10.1.1.0/24, \
             but the configuration asks for gateway 10.1.1.1",
        ),
        (
            spec(&[("10.1.1.0/24", None, Some(("10.1.1.9", "10.1.1.19")))]),
            "has no allocation pool in subnet 10.1.1.0/24, \
             but the configuration asks for allocation pool 10.1.1.9-10.1.1.19",
        ),
    ] {
        let error = check(&wanted, &dual_stack()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn an_interface_gets_the_families_of_the_configuration_or_of_the_network() {
    assert_eq!(families(&spec(&[]), &dual_stack()), Family::ALL);
    let only_v4 = spec(&[("10.1.1.0/24", None, None)]);
    assert_eq!(families(&only_v4, &dual_stack()), [Family::V4]);
    assert_eq!(families(&spec(&[]), &[]), []);
}

#[test]
fn an_address_takes_prefix_and_gateway_from_the_subnet_that_holds_it() {
    let network = FqName::new(["net1"]);
    let got = assigned(&network, &dual_stack(), "fd00:1::9".parse().unwrap()).unwrap();
    assert_eq!(got.address.to_string(), "fd00:1::9/64");
    assert_eq!(got.gateway, Some("fd00:1::1".parse().unwrap()));
    assigned(&network, &dual_stack(), "10.9.9.9".parse().unwrap()).unwrap_err();
}

#[test]
fn the_causes_of_a_missing_address_are_distinguished() {
    let v4_only = [subnet("10.1.1.0/24", "10.1.1.1")];
    let outside = Some("10.9.9.9".parse().unwrap());
    for (subnets, family, asked, reason) in [
        (&[][..], Family::V4, None, "it has no subnet"),
        (
            &v4_only,
            Family::V6,
            None,
            "it has no IPv6 subnet, only subnet 10.1.1.0/24",
        ),
        (
            &v4_only,
            Family::V4,
            outside,
            "10.9.9.9 lies in none of its subnets",
        ),
        (
            &v4_only,
            Family::V4,
            None,
            "every address of subnet 10.1.1.0/24 is taken",
        ),
    ] {
        let text = why_no_address(subnets, family, asked);
        assert!(text.starts_with(reason), "{text}");
    }
}

#[test]
fn addresses_that_no_interface_can_have_are_known() {
    let mut subnets = dual_stack();
    subnets[0].dns = "10.1.1.253".parse().ok();
    for (address, expected) in [
        ("10.1.1.254", Some("the gateway")),
        ("fd00:1::1", Some("the gateway")),
        ("10.1.1.253", Some("the name server")),
        ("10.1.1.0", Some("the network address")),
        ("10.1.1.255", Some("the broadcast address")),
        ("10.1.1.7", None),
        ("fd00:1::", None),
        ("10.9.9.255", None),
    ] {
        assert_eq!(
            purpose(&subnets, address.parse().unwrap()),
            expected,
            "{address}"
        );
    }
}

/// Two subnets of each family, each with an id of its own.
fn two_of_each() -> Vec<Subnet> {
    let prefixes = ["10.71.4.0/28", "10.71.5.0/28", "fd00:4::/64", "fd00:5::/64"];
    let mut subnets = prefixes.map(|prefix| subnet(prefix, "")).to_vec();
    for (number, subnet) in subnets.iter_mut().enumerate() {
        subnet.uuid = Some(Uuid::from_u128(number as u128));
    }
    subnets
}

#[test]
fn the_configuration_decides_from_which_subnets_the_api_chooses() {
    let any = [None];
    let of = |numbers: &[u128]| -> Vec<Option<Uuid>> {
        let ids = numbers.iter().map(|&number| Some(Uuid::from_u128(number)));
        ids.collect()
    };
    for (configured, v4, v6) in [
        (vec![], any.to_vec(), any.to_vec()),
        (vec!["10.71.5.0/28"], of(&[1]), of(&[])),
        (vec!["10.71.5.0/28", "fd00:5::/64"], of(&[1]), of(&[3])),
        (vec!["fd00:5::/64", "10.71.4.0/28"], of(&[0]), of(&[3])),
        (vec!["10.71.5.0/28", "10.71.4.0/28"], any.to_vec(), of(&[])),
    ] {
        let wanted: Vec<Wanted> = configured.iter().map(|p| (*p, None, None)).collect();
        for (family, expected) in [(Family::V4, &v4), (Family::V6, &v6)] {
            let found = sources(&spec(&wanted), &two_of_each(), family).unwrap();
            assert_eq!(found, *expected, "IP{family} of {configured:?}");
        }
    }
    // The configured order is that in which they are tried.
    let mut three = two_of_each();
    three.push(Subnet {
        uuid: Some(Uuid::from_u128(9)),
        ..subnet("10.71.6.0/28", "")
    });
    let wanted = spec(&[("10.71.6.0/28", None, None), ("10.71.4.0/28", None, None)]);
    assert_eq!(sources(&wanted, &three, Family::V4).unwrap(), of(&[9, 0]));
    // A flat IPAM has subnets without ids.
    three[0].uuid = None;
    let error = sources(&wanted, &three, Family::V4).unwrap_err();
    assert!(error.to_string().contains("request an address"), "{error}");
}

#[test]
fn an_address_outside_of_the_configured_subnets_is_refused() {
    let wanted = spec(&[("10.71.5.0/28", None, None), ("fd00:5::/64", None, None)]);
    for (address, is_inside) in [
        ("10.71.5.5", true),
        ("fd00:5::9", true),
        ("10.71.4.5", false),
        ("fd00:4::9", false),
    ] {
        let address: IpAddr = address.parse().unwrap();
        let checked = check_asked(&wanted, &[address]);
        assert_eq!(checked.is_ok(), is_inside, "{address}");
        assert!(check_asked(&spec(&[]), &[address]).is_ok(), "{address}");
        if let Err(error) = checked {
            let text = error.to_string();
            assert!(text.contains("10.71.5.0/28, fd00:5::/64"), "{text}");
        }
    }
}
