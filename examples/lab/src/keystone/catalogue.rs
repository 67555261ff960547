//! The catalogue of services that comes with a token for a project.

use serde_json::{Value, json};

use super::{Keystone, id_of};
use crate::http::Request;

const REGION: &str = "RegionOne";
const INTERFACES: [&str; 3] = ["public", "internal", "admin"];

/// A service that Keystone knows.
struct Entry {
    kind: &'static str,
    name: &'static str,
    url: String,
}

impl Keystone {
    /// The catalogue as v2.0 shows it.
    pub(super) fn v2_catalogue(&self, request: &Request) -> Vec<Value> {
        let service = |entry: Entry| {
            let Entry { kind, name, url } = entry;
            let id = id_of("endpoint", name).simple().to_string();
            let endpoint = json!({
                "id": id, "region": REGION,
                "publicURL": url, "internalURL": url, "adminURL": url,
            });
            json!({"type": kind, "name": name, "endpoints": [endpoint], "endpoints_links": []})
        };
        self.entries(request, "v2.0")
            .into_iter()
            .map(service)
            .collect()
    }

    /// The catalogue as v3 shows it.
    pub(super) fn v3_catalogue(&self, request: &Request) -> Vec<Value> {
        let service = |entry: Entry| {
            let Entry { kind, name, url } = entry;
            let endpoint = |interface: &str| {
                let id = id_of("endpoint", &format!("{name}:{interface}"));
                json!({
                    "id": id.simple().to_string(), "interface": interface,
                    "region": REGION, "region_id": REGION, "url": url,
                })
            };
            json!({
                "id": id_of("service", name).simple().to_string(), "type": kind, "name": name,
                "endpoints": INTERFACES.map(endpoint),
            })
        };
        self.entries(request, "v3")
            .into_iter()
            .map(service)
            .collect()
    }

    /// The services under the host by which the client reached this one.
    fn entries(&self, request: &Request, version: &str) -> Vec<Entry> {
        let host = request.header("host").unwrap_or("localhost");
        let mut entries = vec![Entry {
            kind: "identity",
            name: "keystone",
            url: format!("http://{host}/{version}"),
        }];
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        entries.extend(self.config_api.get().map(|port| Entry {
            // The type under which the controller's own web interface looks for it.
            kind: "ApiServer",
            name: "contrail",
            url: format!("http://{name}:{port}"),
        }));
        entries
    }
}
