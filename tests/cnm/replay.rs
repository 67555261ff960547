//! Everything that two engines were recorded to send, sent again to the program's socket.
//!
//! The recording's plugin was a stub: it made up pools and addresses, failed now and then on purpose,
//! and knew no virtual networks. What it made up is replaced by what this plugin gives; the options
//! that stand in the recording are replaced by one that names a virtual network; and what the stub
//! refused, an engine does not know of, so that it is taken back at once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use contrail_lab::sandbox;
use ipnetwork::IpNetwork;
use opencontrail_tests::daemon::Program;
use opencontrail_tests::plugin::program;
use opencontrail_tests::world::{everything, lab, links};
use serde::Deserialize;
use serde_json::{Value, json};

const REQUESTS: &str = include_str!("../fixtures/docker-requests.jsonl");

/// A recorded request.
#[derive(Deserialize)]
struct Recorded {
    engine: String,
    phase: String,
    path: String,
    #[serde(default)]
    body: Value,
    /// Whether the stub refused it, or answered nonsense, so that the engine took it for refused.
    #[serde(default)]
    failed: bool,
    /// What the stub made up.
    #[serde(default)]
    told: Value,
}

/// The program, and what of the recording stands for what here.
struct Replay {
    program: Program,
    /// Pools, by the stub's ids; it gave one for several of ours.
    pools: HashMap<String, Vec<String>>,
    /// Addresses, by the stub's pool and address, and whether it is the gateway's: the stub gave that to
    /// a container, too.
    addresses: HashMap<(String, IpAddr, bool), IpAddr>,
    /// Networks and endpoints that were refused, as they must be.
    refused: HashSet<String>,
    networks: HashSet<String>,
    /// Endpoints with their networks.
    endpoints: BTreeMap<String, String>,
    /// The virtual network of the pool that was asked for last.
    network: String,
}

impl Replay {
    fn start() -> Self {
        Self {
            program: Program::start(&program("cnm-opencontrail")),
            pools: HashMap::new(),
            addresses: HashMap::new(),
            refused: HashSet::new(),
            networks: HashSet::new(),
            endpoints: BTreeMap::new(),
            network: String::new(),
        }
    }

    fn replay(&mut self, recorded: &Recorded) {
        let body = self.translate(recorded);
        let (status, answer) = self.program.post(&recorded.path, &body);
        let what = format!("{} {}: {body} -> {answer}", recorded.phase, recorded.path);
        if body.is_null() && recorded.path == "/NetworkDriver.Leave" {
            // The engine repeats a request whose connection broke, but not its body.
            let reason = answer["Err"].as_str().unwrap();
            assert!(status == 400 && reason.contains("has no body"), "{what}");
            return;
        }
        assert_eq!(status, 200, "{what}");
        if let Some(name) = body["Options"]["name"].as_str() {
            self.network = name.to_owned();
        }
        self.check(recorded, &body, &answer, &what);
        if recorded.failed {
            self.take_back(recorded, &body);
        }
    }

    /// The request with what this plugin has told instead of what the stub had.
    fn translate(&self, recorded: &Recorded) -> Value {
        let mut body = recorded.body.clone();
        match recorded.path.as_str() {
            "/NetworkDriver.CreateNetwork" => {
                let first = &body["IPv4Data"][0];
                let name = match first["AddressSpace"].as_str() {
                    // As the one whose addresses it has.
                    Some("FakeLocal") => pool_network(first["Pool"].as_str().unwrap()),
                    _ => body["NetworkID"].as_str().unwrap()[..12].to_owned(),
                };
                body["Options"]["com.docker.network.generic"] = json!({ "name": name });
                for data in ["IPv4Data", "IPv6Data"] {
                    for pool in body[data].as_array_mut().into_iter().flatten() {
                        self.translate_pool(pool);
                    }
                }
            }
            "/NetworkDriver.CreateEndpoint" => {
                // The recording's own; ours are refused by name, which has a test.
                if let Some(options) = body["Options"].as_object_mut() {
                    options.retain(|key, _| key.starts_with("com.docker."));
                }
                for key in ["Address", "AddressIPv6"] {
                    let address = body["Interface"][key].as_str().unwrap_or_default();
                    if let Some(ours) = self.any_pool(address, false) {
                        body["Interface"][key] = ours.into();
                    }
                }
            }
            "/IpamDriver.RequestPool" => {
                body["AddressSpace"] = "opencontrail-local".into();
                let told = recorded.told["Pool"].as_str().unwrap_or_default();
                if told.parse::<IpNetwork>().is_ok() {
                    body["Pool"] = told.into();
                }
                // Engines ask for the IPv4 pool of a network first.
                let name = match body["V6"] == true && !self.network.is_empty() {
                    true => self.network.clone(),
                    false => pool_network(body["Pool"].as_str().unwrap()),
                };
                body["Options"] = json!({ "name": name });
            }
            path if path.starts_with("/IpamDriver.") && body["PoolID"].is_string() => {
                let pool = body["PoolID"].as_str().unwrap().to_owned();
                if let Ok(address) = body["Address"].as_str().unwrap_or_default().parse() {
                    let is_gateway = is_gateway(&body);
                    let key = |is_gateway| (pool.clone(), address, is_gateway);
                    let known = self.addresses.get(&key(is_gateway));
                    let known = known.or(self.addresses.get(&key(!is_gateway)));
                    body["Address"] = known.copied().unwrap_or(address).to_string().into();
                }
                let known = self.pools.get(&pool).and_then(|ours| ours.last());
                body["PoolID"] = known.unwrap_or(&pool).as_str().into();
            }
            _ => {}
        }
        body
    }

    fn translate_pool(&self, pool: &mut Value) {
        if pool["AddressSpace"] == "FakeLocal" {
            pool["AddressSpace"] = "opencontrail-local".into();
        }
        let gateway = pool["Gateway"].as_str().unwrap_or_default();
        if let Some(ours) = self.any_pool(gateway, true) {
            pool["Gateway"] = ours.into();
        }
        let auxiliary = pool.get_mut("AuxAddresses").and_then(Value::as_object_mut);
        for (_, address) in auxiliary.into_iter().flatten() {
            if let Some(ours) = self.any_pool(address.as_str().unwrap(), false) {
                *address = ours.into();
            }
        }
    }

    /// What the stub's address with its prefix length is here.
    fn any_pool(&self, text: &str, is_gateway: bool) -> Option<String> {
        let address: IpNetwork = text.parse().ok()?;
        let mut known = self.addresses.iter();
        let (_, ours) = known.find(|((_, stub, is_gateways), _)| {
            (*stub, *is_gateways) == (address.ip(), is_gateway)
        })?;
        Some(format!("{ours}/{}", address.prefix()))
    }

    fn check(&mut self, recorded: &Recorded, body: &Value, answer: &Value, what: &str) {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (network, endpoint) = (text("NetworkID"), text("EndpointID"));
        let method = recorded.path.rsplit('.').next().unwrap();
        let is_ipam = recorded.path.starts_with("/IpamDriver.");
        let error = if is_ipam { "Error" } else { "Err" };
        let reason = answer[error].as_str().map(str::to_owned);
        match method {
            "Activate" => assert_eq!(
                answer,
                &json!({"Implements": ["NetworkDriver", "IpamDriver"]})
            ),
            "GetDefaultAddressSpaces" => {
                let [local, global] = ["LocalDefaultAddressSpace", "GlobalDefaultAddressSpace"]
                    .map(|key| answer[key].as_str().unwrap());
                assert!(local == "opencontrail-local" && local != global, "{what}");
            }
            "GetCapabilities" if is_ipam => {
                assert_eq!(answer["RequiresRequestReplay"], true, "{what}");
            }
            "GetCapabilities" => assert_eq!(answer["Scope"], "local", "{what}"),
            "RequestPool" => self.check_pool(recorded, body, answer, reason, what),
            "RequestAddress" => self.check_address(recorded, body, answer, reason, what),
            "CreateNetwork" => match reason {
                None => {
                    assert_eq!(answer, &json!({}), "{what}");
                    self.networks.insert(network);
                }
                Some(reason) => {
                    let is_null = body["IPv4Data"][0]["AddressSpace"] == "null";
                    assert!(is_null && reason.contains("without addresses"), "{what}");
                    self.refused.insert(network);
                }
            },
            "CreateEndpoint" => match reason {
                None => {
                    assert_eq!(
                        body["Interface"]["MacAddress"] == "",
                        answer["Interface"]["MacAddress"].is_string(),
                        "{what}"
                    );
                    for key in ["Address", "AddressIPv6"] {
                        assert!(answer["Interface"].get(key).is_none(), "{what}");
                    }
                    self.endpoints.insert(endpoint, network);
                }
                Some(reason) => {
                    // The interface would have another name.
                    let named = "com.docker.network.endpoint.ifname";
                    let is_named = !body["Options"][named].is_null() && reason.contains(named);
                    assert!(is_named || self.refused.contains(&network), "{what}");
                    self.refused.insert(endpoint);
                }
            },
            "Join" if self.refused.contains(&endpoint) => assert!(reason.is_some(), "{what}"),
            "Join" => {
                assert_eq!(reason, None, "{what}");
                let name = answer["InterfaceName"]["SrcName"].as_str().unwrap();
                assert!(links().iter().any(|link| link == name), "{what}");
                assert_eq!(answer["InterfaceName"]["DstPrefix"], "eth", "{what}");
                for key in ["Gateway", "GatewayIPv6"] {
                    if let Some(gateway) = answer.get(key) {
                        gateway.as_str().unwrap().parse::<IpAddr>().unwrap();
                    }
                }
            }
            "EndpointOperInfo" => assert!(answer["Value"].is_object(), "{what}"),
            "GwAllocCheck" => assert_eq!(answer["SkipIPv4"], false, "{what}"),
            // Deletes never fail, and the rest has nothing to say.
            _ => {
                assert_eq!(answer, &json!({}), "{what}");
                match method {
                    "DeleteEndpoint" => drop(self.endpoints.remove(&endpoint)),
                    "DeleteNetwork" => drop(self.networks.remove(&network)),
                    _ => {}
                }
            }
        }
    }

    fn check_pool(
        &mut self,
        recorded: &Recorded,
        body: &Value,
        answer: &Value,
        reason: Option<String>,
        what: &str,
    ) {
        let Some(wanted) = body["Pool"].as_str().filter(|pool| !pool.is_empty()) else {
            // No network of that name, and no subnet to make it with.
            assert!(reason.is_some(), "{what}");
            return;
        };
        assert_eq!(reason, None, "{what}");
        assert_eq!(answer["Pool"], wanted, "{what}");
        assert!(answer["Data"].is_object(), "{what}");
        let id = answer["PoolID"]
            .as_str()
            .filter(|id| !id.is_empty())
            .unwrap();
        let told = recorded.told["PoolID"].as_str().unwrap_or_default();
        let ours = self.pools.entry(told.to_owned()).or_default();
        ours.push(id.to_owned());
    }

    fn check_address(
        &mut self,
        recorded: &Recorded,
        body: &Value,
        answer: &Value,
        reason: Option<String>,
        what: &str,
    ) {
        assert_eq!(reason, None, "{what}");
        let ours: IpNetwork = answer["Address"].as_str().unwrap().parse().unwrap();
        assert!(ours.prefix() < 128 && ours.prefix() != 32, "{what}");
        assert!(answer["Data"].is_object(), "{what}");
        if let Ok(asked) = body["Address"].as_str().unwrap().parse::<IpAddr>() {
            assert_eq!(ours.ip(), asked, "{what}");
        }
        let told = recorded.told["Address"].as_str().unwrap_or_default();
        if let Ok(told) = told.parse::<IpNetwork>() {
            let pool = recorded.body["PoolID"].as_str().unwrap().to_owned();
            let key = (pool, told.ip(), is_gateway(&recorded.body));
            self.addresses.insert(key, ours.ip());
        }
    }

    /// An engine that was refused does not come back for what it was refused.
    fn take_back(&mut self, recorded: &Recorded, body: &Value) {
        let undo = match recorded.path.as_str() {
            "/NetworkDriver.CreateNetwork" => "/NetworkDriver.DeleteNetwork",
            "/NetworkDriver.CreateEndpoint" => "/NetworkDriver.DeleteEndpoint",
            _ => return,
        };
        assert_eq!(self.program.post(undo, body), (200, json!({})));
        self.endpoints
            .remove(body["EndpointID"].as_str().unwrap_or_default());
    }

    /// What the recording's end left.
    fn finish(&mut self) {
        for (endpoint, network) in std::mem::take(&mut self.endpoints) {
            let body = json!({"NetworkID": network, "EndpointID": endpoint});
            assert_eq!(
                self.program.post("/NetworkDriver.DeleteEndpoint", &body),
                (200, json!({}))
            );
        }
        for network in std::mem::take(&mut self.networks) {
            let body = json!({ "NetworkID": network });
            assert_eq!(
                self.program.post("/NetworkDriver.DeleteNetwork", &body),
                (200, json!({}))
            );
        }
        // Once for each time that they were asked for; more often does no harm.
        for pool in self.pools.drain().flat_map(|(_, ours)| ours) {
            let released = self
                .program
                .post("/IpamDriver.ReleasePool", &json!({ "PoolID": pool }));
            assert_eq!(released, (200, json!({})));
        }
    }
}

fn is_gateway(request: &Value) -> bool {
    request["Options"]["RequestAddressType"] == "com.docker.network.gateway"
}

#[test]
fn every_recorded_request_of_two_engines_is_answered_as_the_protocol_demands() {
    sandbox::test(|| {
        let lab = lab();
        let before = everything(&lab, &[]);
        let mut replay = Replay::start();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for line in REQUESTS.lines() {
            let recorded: Recorded = serde_json::from_str(line).unwrap();
            replay.replay(&recorded);
            let key = format!("{} {}", recorded.engine, recorded.path);
            *counts.entry(key).or_default() += 1;
        }
        replay.finish();
        for (key, count) in &counts {
            eprintln!("{count:4} {key}");
        }
        assert_eq!(counts.values().sum::<usize>(), 603);
        drop(replay);
        assert_eq!(everything(&lab, &[]), before);
    });
}

/// The virtual network whose addresses a pool is.
fn pool_network(pool: &str) -> String {
    format!("pool-{}", pool.replace([':', '/'], "-"))
}
