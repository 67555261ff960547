//! What goes to standard output, as text. The keys are in the order in which the specification describes them,
//! whatever else this program is built together with.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::Serialize;

use super::error::{CniError, one_line};
use super::result::{AddResult, Dns, Route};
use super::version::CniVersion;

#[derive(Serialize)]
struct Versioned<T> {
    #[serde(rename = "cniVersion")]
    version: &'static str,
    #[serde(flatten)]
    answer: T,
}

impl<T: Serialize> Versioned<T> {
    fn text(version: CniVersion, answer: T) -> String {
        let version = version.as_str();
        // Only a map whose keys are no texts, or a value that fails on purpose, cannot be written.
        serde_json::to_string(&Self { version, answer }).unwrap_or_default()
    }
}

impl AddResult {
    /// The result as a configuration of `version` expects it.
    pub fn to_json(&self, version: CniVersion) -> String {
        match version {
            CniVersion::V110 => Versioned::text(version, self),
            CniVersion::V100 => Versioned::text(version, self.to_100()),
            CniVersion::V040 | CniVersion::V031 | CniVersion::V030 => {
                Versioned::text(version, self.to_040())
            }
            CniVersion::V020 | CniVersion::V010 => {
                Versioned::text(version, OldResult::of(&self.to_100()))
            }
        }
    }

    /// Interfaces have a name, MAC and sandbox only, routes a destination and gateway.
    fn to_100(&self) -> Self {
        let mut old = self.clone();
        for interface in &mut old.interfaces {
            (interface.mtu, interface.socket_path, interface.pci_id) = (None, None, None);
        }
        for route in &mut old.routes {
            *route = Route {
                rest: std::mem::take(&mut route.rest),
                ..Route::new(route.dst, route.gw)
            };
        }
        old
    }

    /// Also, addresses say their family.
    fn to_040(&self) -> Self {
        let mut old = self.to_100();
        for ip in &mut old.ips {
            let family = if ip.address.is_ipv4() { "4" } else { "6" };
            ip.version = Some(family.to_string());
        }
        old
    }
}

/// One address of each family with the routes of that family, no interfaces: the format has no place for more.
#[derive(Serialize)]
struct OldResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip4: Option<OldIp<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip6: Option<OldIp<'a>>,
    #[serde(skip_serializing_if = "Dns::is_empty")]
    dns: &'a Dns,
}

#[derive(Serialize)]
struct OldIp<'a> {
    ip: IpNetwork,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<&'a Route>,
}

impl<'a> OldResult<'a> {
    fn of(result: &'a AddResult) -> Self {
        let family = |is_v4| {
            let mut ips = result.ips.iter();
            let ip = ips.find(|ip| ip.address.is_ipv4() == is_v4)?;
            let routes = result.routes.iter();
            Some(OldIp {
                ip: ip.address,
                gateway: ip.gateway,
                routes: routes
                    .filter(|route| route.dst.is_ipv4() == is_v4)
                    .collect(),
            })
        };
        Self {
            ip4: family(true),
            ip6: family(false),
            dns: &result.dns,
        }
    }
}

#[derive(Serialize)]
struct Failed {
    code: u32,
    msg: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    details: String,
}

impl CniError {
    /// The error in the version of the configuration or, when that is not known, in the newest.
    pub fn to_json(&self, version: Option<CniVersion>) -> String {
        let failed = Failed {
            code: self.code,
            msg: one_line(&self.msg),
            details: one_line(&self.details),
        };
        Versioned::text(version.unwrap_or(CniVersion::NEWEST), failed)
    }
}

#[derive(Serialize)]
struct Versions {
    #[serde(rename = "supportedVersions")]
    supported: [&'static str; CniVersion::ALL.len()],
}

/// The answer to VERSION. It needs no configuration and nothing reachable; what comes on standard
/// input is not even read.
pub fn versions() -> String {
    let supported = CniVersion::ALL.map(CniVersion::as_str);
    Versioned::text(CniVersion::NEWEST, Versions { supported })
}
