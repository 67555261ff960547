//! The order in which addresses are handed out, as it was measured.

use super::*;

fn spec(network: &str, gateway: &str, dns: &str, from_start: bool) -> SubnetSpec {
    SubnetSpec {
        network: network.parse().unwrap(),
        gateway: gateway.parse().ok(),
        dns: dns.parse().ok(),
        pools: Vec::new(),
        from_start,
        unit: 1,
    }
}

/// Gateway, DNS address and the first hosts, as text.
fn hosts(spec: &SubnetSpec, count: usize) -> Vec<String> {
    let mut subnet = Subnet::new(spec).unwrap();
    let mut row = vec![subnet.gateway().to_string(), subnet.dns().to_string()];
    row.extend(
        (0..count)
            .map_while(|_| subnet.allocate("x"))
            .map(|a| a.to_string()),
    );
    row
}

#[test]
fn the_order_is_the_measured_one() {
    let table: [(SubnetSpec, &[&str]); 9] = [
        (
            spec("10.1.1.0/24", "", "", false),
            &[
                "10.1.1.254",
                "10.1.1.253",
                "10.1.1.252",
                "10.1.1.251",
                "10.1.1.250",
            ],
        ),
        (
            spec("10.1.1.0/24", "", "", true),
            &["10.1.1.1", "10.1.1.2", "10.1.1.3", "10.1.1.4", "10.1.1.5"],
        ),
        (
            spec("10.1.1.0/24", "10.1.1.1", "", false),
            &[
                "10.1.1.1",
                "10.1.1.253",
                "10.1.1.254",
                "10.1.1.252",
                "10.1.1.251",
            ],
        ),
        (
            spec("10.1.1.0/24", "10.1.1.1", "10.1.1.1", true),
            &["10.1.1.1", "10.1.1.1", "10.1.1.2", "10.1.1.3", "10.1.1.4"],
        ),
        (
            spec("10.1.1.0/24", "10.1.1.1", "10.1.1.1", false),
            &[
                "10.1.1.1",
                "10.1.1.1",
                "10.1.1.254",
                "10.1.1.253",
                "10.1.1.252",
            ],
        ),
        (
            spec("10.1.1.0/24", "0.0.0.0", "", false),
            &[
                "0.0.0.0",
                "10.1.1.253",
                "10.1.1.254",
                "10.1.1.252",
                "10.1.1.251",
            ],
        ),
        (
            spec("10.22.0.0/16", "", "", false),
            &["10.22.255.254", "10.22.255.253", "10.22.255.252"],
        ),
        (
            spec("fd14::/120", "", "", false),
            &["fd14::fe", "fd14::fd", "fd14::fc"],
        ),
        (
            spec("fd00:1::/64", "", "", false),
            &[
                "fd00:1::ffff:ffff:ffff:fffe",
                "fd00:1::ffff:ffff:ffff:fffd",
                "fd00:1::ffff:ffff:ffff:fffc",
            ],
        ),
    ];
    for (spec, expected) in table {
        assert_eq!(hosts(&spec, expected.len() - 2), expected);
    }
}

#[test]
fn small_subnets_hand_out_what_is_left() {
    let all = |spec: &SubnetSpec| hosts(spec, 99);
    assert_eq!(
        all(&spec("10.0.0.0/29", "", "", false)),
        [
            "10.0.0.6", "10.0.0.5", "10.0.0.4", "10.0.0.3", "10.0.0.2", "10.0.0.1"
        ]
    );
    assert_eq!(
        all(&spec("10.0.0.0/29", "", "", true)),
        [
            "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"
        ]
    );
    assert_eq!(
        all(&spec("10.0.0.0/30", "", "", false)),
        ["10.0.0.2", "10.0.0.1"]
    );
    assert_eq!(
        all(&spec("10.0.0.0/30", "10.0.0.1", "10.0.0.1", false)),
        ["10.0.0.1", "10.0.0.1", "10.0.0.2"]
    );
    for network in ["10.0.0.0/31", "10.0.0.0/32"] {
        let refused = Subnet::new(&spec(network, "", "", false)).unwrap_err();
        assert_eq!(refused, "Pool range<=block_alloc_unit");
    }
}

#[test]
fn pools_limit_what_is_handed_out_but_not_what_is_asked_for() {
    let mut spec = spec("10.1.1.0/24", "", "", false);
    spec.pools = vec![
        ("10.1.1.20".parse().unwrap(), "10.1.1.21".parse().unwrap()),
        ("10.1.1.30".parse().unwrap(), "10.1.1.30".parse().unwrap()),
    ];
    assert_eq!(
        hosts(&spec, 9)[2..],
        ["10.1.1.30", "10.1.1.21", "10.1.1.20"]
    );
    spec.from_start = true;
    assert_eq!(
        hosts(&spec, 9)[2..],
        ["10.1.1.20", "10.1.1.21", "10.1.1.30"]
    );
    let mut subnet = Subnet::new(&spec).unwrap();
    assert!(subnet.take("10.1.1.99".parse().unwrap(), "x"));
    assert!(!subnet.take("10.1.1.99".parse().unwrap(), "y"));
    assert_eq!(subnet.owner("10.1.1.99".parse().unwrap()), Some("x"));
}

#[test]
fn a_freed_address_is_the_next_when_it_is_the_best_fit() {
    let mut subnet = Subnet::new(&spec("10.3.0.0/24", "", "", false)).unwrap();
    let next = |subnet: &mut Subnet| subnet.allocate("x").map(|a| a.to_string());
    for _ in 0..4 {
        next(&mut subnet);
    }
    subnet.free("10.3.0.251".parse().unwrap());
    subnet.free("10.3.0.7".parse().unwrap());
    assert_eq!(next(&mut subnet).as_deref(), Some("10.3.0.251"));
    assert_eq!(next(&mut subnet).as_deref(), Some("10.3.0.248"));
    subnet.free("10.3.0.254".parse().unwrap());
    assert!(
        subnet.is_taken("10.3.0.254".parse().unwrap()),
        "the gateway stays reserved"
    );
    assert_eq!(subnet.count(), 4 + 5);
}

#[test]
fn blocks_are_aligned_to_the_unit() {
    let mut spec = spec("10.0.0.0/24", "", "", true);
    spec.unit = 4;
    assert_eq!(hosts(&spec, 2)[2..], ["10.0.0.4", "10.0.0.8"]);
    spec.unit = 3;
    assert_eq!(Subnet::new(&spec).unwrap_err(), "Not power of 2");
}

#[test]
fn only_a_window_of_a_huge_subnet_is_handed_out() {
    let mut subnet = Subnet::new(&spec("10.0.0.0/8", "", "", false)).unwrap();
    let mut count = 0;
    while subnet.allocate("x").is_some() {
        count += 1;
    }
    assert_eq!(count, 65_535 - 2);
}
