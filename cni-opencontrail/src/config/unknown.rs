//! Keys that neither this plugin nor the protocol knows. They are not refused: runtimes and other tools add
//! keys of their own. But nobody should have to find a typing error by its effect.

use std::fmt;

use contrail_core::error::quoted;
use contrail_core::settings;
use serde_json::Value;

use super::document::Config;
use super::keys::{known, table};
use crate::protocol::json::{Object, lookup, shortened};

/// The most keys that are named: a generated document may have any number.
const NAMED: usize = 20;

/// The most keys of a place that are listed where none is near.
const FEW: usize = 7;

/// The unknown keys of a configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UnknownKeys {
    named: Vec<Unknown>,
    /// How many there are besides.
    others: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Unknown {
    /// Where it is: `ipam.routes[0].`; empty at the top.
    place: String,
    key: String,
    hint: Hint,
}

/// What an unknown key was probably meant to be.
#[derive(Debug, PartialEq, Eq)]
enum Hint {
    Near(&'static str),
    /// One of a few.
    OneOf(Vec<&'static str>),
    None,
}

impl Hint {
    fn new(key: &str, candidates: Vec<&'static str>) -> Self {
        match settings::nearest(key, candidates.iter().copied()) {
            Some(near) => Self::Near(near),
            None if candidates.len() <= FEW => Self::OneOf(candidates),
            None => Self::None,
        }
    }
}

impl UnknownKeys {
    /// Those of every network, and of the document around them.
    pub fn of(config: &Config) -> Self {
        let mut keys = Self::default();
        let entries = lookup(&config.object, "networks").and_then(Value::as_array);
        let entries = entries.into_iter().flatten().filter_map(Value::as_object);
        for object in entries.chain([&config.object]) {
            keys.add_object(object);
        }
        keys
    }

    /// Whether every key is known.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    fn add_object(&mut self, object: &Object) {
        let network_keys = || table::network_keys().collect();
        self.add("", object, table::is_network_key, network_keys);
        let inner = |object, key| lookup(object, key).and_then(Value::as_object);
        if let Some(dns) = inner(object, "dns") {
            self.add_all("dns.", dns, known::DNS);
        }
        if let Some(ipam) = inner(object, "ipam") {
            let routes = lookup(ipam, "routes").and_then(Value::as_array);
            for (index, route) in routes.into_iter().flatten().enumerate() {
                if let Some(route) = route.as_object() {
                    self.add_all(&format!("ipam.routes[{index}]."), route, known::ROUTE);
                }
            }
        }
        if let Some(cni) = inner(object, "args").and_then(|args| inner(args, "cni")) {
            self.add_all("args.cni.", cni, known::REQUESTS);
        }
        for key in ["capabilities", "runtimeConfig"] {
            let Some(requests) = inner(object, key) else {
                continue;
            };
            self.add_all(&format!("{key}."), requests, known::REQUESTS);
            if let Some(dns) = inner(requests, "dns") {
                self.add_all(&format!("{key}.dns."), dns, known::RUNTIME_DNS);
            }
        }
    }

    fn add_all(&mut self, place: &str, object: &Object, keys: &'static [&'static str]) {
        let is_known = |key: &str| known::is_one_of(keys, key);
        self.add(place, object, is_known, || keys.to_vec());
    }

    fn add(
        &mut self,
        place: &str,
        object: &Object,
        is_known: impl Fn(&str) -> bool,
        candidates: impl Fn() -> Vec<&'static str>,
    ) {
        for key in object.keys().filter(|key| !is_known(key)) {
            let is_named = |one: &Unknown| one.place == place && one.key == *key;
            if self.named.iter().any(is_named) {
                continue;
            }
            if self.named.len() == NAMED {
                self.others += 1;
                continue;
            }
            self.named.push(Unknown {
                place: place.to_string(),
                key: key.clone(),
                hint: Hint::new(key, candidates()),
            });
        }
    }
}

impl fmt::Display for UnknownKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown configuration keys without effect: ")?;
        for (index, one) in self.named.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let key = quoted(&shortened(&one.key));
            write!(f, "{comma}{}{key}", one.place)?;
            match &one.hint {
                Hint::Near(near) => write!(f, " (did you mean {near}?)")?,
                Hint::OneOf(known) => write!(f, " (known are {})", known.join(", "))?,
                Hint::None => {}
            }
        }
        match self.others {
            0 => Ok(()),
            others => write!(f, " and {others} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unknown(config: Value) -> String {
        let mut object = json!({"name": "n"});
        for (key, value) in config.as_object().unwrap() {
            object[key] = value.clone();
        }
        let config = Config::read(object.as_object().unwrap().clone()).unwrap();
        let keys = UnknownKeys::of(&config);
        match keys.is_empty() {
            true => String::new(),
            false => keys.to_string(),
        }
    }

    #[test]
    fn unknown_keys_are_named_at_every_level_with_the_nearest() {
        for (config, expected) in [
            (
                json!({"api_sever": "x"}),
                "\"api_sever\" (did you mean api_server?)",
            ),
            (json!({"hairpinMode": true}), "\"hairpinMode\""),
            (
                json!({"ipam": {"routes": [{"dst": "0.0.0.0/0"}, {"dst": "0.0.0.0/0", "metric": 5}]}}),
                "ipam.routes[1].\"metric\" (known are dst, gw, mtu, advmss, priority, table, scope)",
            ),
            (
                json!({"ipam": {"routes": [{"dest": "0.0.0.0/0"}]}}),
                "\"dest\" (did you mean dst?)",
            ),
            (
                json!({"dns": {"nameserver": ["10.0.0.1"]}}),
                "dns.\"nameserver\" (did you mean nameservers?)",
            ),
            (
                json!({"args": {"cni": {"ipss": ["10.0.0.1"]}}}),
                "args.cni.\"ipss\" (did you mean ips?)",
            ),
            (
                json!({"capabilities": {"macs": true}}),
                "capabilities.\"macs\" (did you mean mac?)",
            ),
            (
                json!({"runtimeConfig": {"Dsn": {}}}),
                "runtimeConfig.\"Dsn\" (did you mean dns?)",
            ),
            (
                json!({"runtimeConfig": {"dns": {"serverss": []}}}),
                "runtimeConfig.dns.\"serverss\" (did you mean servers?)",
            ),
            (
                json!({"networks": [{"name": "a", "mut": 1}], "servce": {}}),
                "\"mut\" (did you mean mtu?), \"servce\" (did you mean service?)",
            ),
        ] {
            let text = unknown(config.clone());
            assert!(text.ends_with(expected), "{config}: {text}");
        }
    }

    #[test]
    fn keys_of_the_protocol_and_of_runtimes_are_known() {
        let text = unknown(json!({
            "cniVersion": "1.1.0", "type": "opencontrail", "api_server": "h", "apiPort": 1, "MTU": 1400,
            "cni.dev/valid-attachments": [], "prevResult": {"any": 1},
            "capabilities": {"ips": true, "mac": true, "dns": true, "aliases": true},
            "runtimeConfig": {"IPs": [], "aliases": {"n": ["a"]}, "cgroupPath": "/x",
                "io.kubernetes.cri.pod-annotations": {"k": "v"},
                "dns": {"Servers": [], "Searches": [], "Options": []}},
            "args": {"cni": {"labels": [], "ips": []}, "other": {"x": 1}}
        }));
        assert_eq!(text, "");
    }

    /// Counted in keys that are looked at, which does not depend on the machine: a document of several networks
    /// is as expensive as one network of the same size.
    #[test]
    fn any_number_of_unknown_keys_is_one_bounded_line_and_every_network_is_spared_them() {
        let keys = |what: &str| -> Object {
            let keys = (0..1_000).map(|n| (format!("{what}-{n}\n{}", "x".repeat(300)), json!(1)));
            keys.chain([("mtu".to_string(), json!(1400))]).collect()
        };
        let mut document = keys("of-document");
        let entries: Vec<Value> = (0..8)
            .map(|n| {
                let mut own = keys("of-network");
                own.insert("name".into(), json!(format!("n{n}")));
                own.into()
            })
            .collect();
        document.insert("networks".into(), entries.into());
        let config = Config::read(document).unwrap();
        for network in &config.networks {
            assert_eq!(network.own.len(), 2, "name and mtu");
            assert_eq!(network.document.len(), 1, "mtu");
        }
        let text = UnknownKeys::of(&config).to_string();
        assert!(text.ends_with(" and 8840 more"), "{text}");
        assert_eq!(text.lines().count(), 1);
        assert!(text.len() < NAMED * 300, "{}", text.len());
    }
}
