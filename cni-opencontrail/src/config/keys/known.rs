//! The keys that have a meaning, by the place in which they are.

/// The keys of `ipam.routes[]`, as of CNI 1.1.
pub const ROUTE: &[&str] = &["dst", "gw", "mtu", "advmss", "priority", "table", "scope"];

/// The keys of an entry of `ipam.subnets[]` and `ipam.ranges[][]`.
pub const SUBNET: &[&str] = &["subnet", "gateway", "rangeStart", "rangeEnd"];

/// The keys of `dns`.
pub const DNS: &[&str] = &["nameservers", "domain", "search", "options"];

/// The keys of `runtimeConfig.dns`, as runtimes write it.
pub const RUNTIME_DNS: &[&str] = &["servers", "searches", "options"];

/// The keys of `capabilities`, `runtimeConfig` and `args.cni`. Those after the third describe the container
/// and ask for nothing.
pub const REQUESTS: &[&str] = &[
    "ips",
    "mac",
    "dns",
    "aliases",
    "labels",
    "cgroupPath",
    "io.kubernetes.cri.pod-annotations",
];

/// Whether it is one of [`REQUESTS`].
pub fn is_request(key: &str) -> bool {
    is_one_of(REQUESTS, key)
}

/// Whether the key is one of these, in any case, as Go reads keys.
pub fn is_one_of(known: &[&str], key: &str) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// A key as it is compared with names in any spelling: in lower case and without `-` and `_`.
pub fn plain(key: &str) -> String {
    let plain = key.chars().filter(|c| !matches!(c, '-' | '_'));
    plain.flat_map(char::to_lowercase).collect()
}
