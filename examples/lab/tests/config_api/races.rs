//! Requests that overlap, step by step, with the outcomes that were recorded of the real server.

use std::sync::Arc;

use contrail_lab::config::ConfigApi;
use contrail_lab::http::{Request, Response, Service, Step};
use serde_json::{Value, json};

use crate::client::{api, create, network, ok, request, send, text};

const ID: &str = "39e3d603-85a8-58d5-8702-f259eafe43a8";

/// A request that has begun.
struct Begun {
    request: Request,
    step: Step,
}

impl Begun {
    fn new(api: &Arc<ConfigApi>, method: &str, target: &str, body: Option<Value>) -> Self {
        let request = request(method, target, body);
        let step = Arc::clone(api).begin(&request);
        Self { request, step }
    }

    fn post(api: &Arc<ConfigApi>, kind: &str, object: Value) -> Self {
        let body = json!({ kind: object });
        Self::new(api, "POST", &format!("/{kind}s"), Some(body))
    }

    /// The same request, one step further.
    fn further(self) -> Self {
        let Self { request, step } = self;
        let step = match step {
            Step::After(_, underway) => underway.next(&request),
            Step::Answered(response) => Step::Answered(response),
        };
        Self { request, step }
    }

    fn finish(self) -> Response {
        self.step.finish(&self.request)
    }
}

fn statuses(begun: Vec<Begun>) -> Vec<u16> {
    begun.into_iter().map(|b| b.finish().status).collect()
}

fn find(api: &ConfigApi, name: &str) -> Response {
    let name = json!(["default-domain", "default-project", name]);
    let body = json!({"type": "virtual-network", "fq_name": name});
    send(api, "POST", "/fqname-to-id", Some(body))
}

fn address_of(api: &ConfigApi, id: &str) -> String {
    let shown = ok(api, "GET", &format!("/instance-ip/{id}"), None);
    let address = shown["instance-ip"]["instance_ip_address"].as_str();
    address.unwrap().to_owned()
}

fn instance_ip(name: &str, more: Value) -> Value {
    let mut object = json!({
        "fq_name": [name],
        "virtual_network_refs": [{"to": ["default-domain", "default-project", "vn"]}],
    });
    let object_fields = object.as_object_mut().unwrap();
    object_fields.extend(more.as_object().unwrap().clone());
    object
}

fn interface(more: Value) -> Value {
    let mut object = json!({
        "fq_name": ["default-domain", "default-project", "vmi"], "parent_type": "project",
        "virtual_network_refs": [{"to": ["default-domain", "default-project", "vn"]}],
    });
    let object_fields = object.as_object_mut().unwrap();
    object_fields.extend(more.as_object().unwrap().clone());
    object
}

#[test]
fn of_overlapping_creates_of_one_network_name_the_later_ones_lose_at_zookeeper() {
    for (cluster, root) in [(None, "/"), (Some("c1"), "c1/")] {
        let mut api = api();
        if let Some(cluster) = cluster {
            api = api.with_cluster_id(cluster);
        }
        let api = Arc::new(api);
        let create = || Begun::post(&api, "virtual-network", network("same", "10.1.0.0"));
        let (first, second) = (create(), create());
        let won: Value = serde_json::from_slice(&first.finish().body).unwrap();
        let id = won["virtual-network"]["uuid"].as_str().unwrap();
        let lost = second.finish();
        let name = "virtual_network:default-domain:default-project:same";
        let expected = format!(
            "FQ Name: {root}fq-name-to-uuid/{name} exists already with ID: {id} at zookeeper"
        );
        assert_eq!((lost.status, text(&lost)), (409, expected));
        let late = create().finish();
        let expected =
            format!("['default-domain', 'default-project', 'same'] already exists with uuid: {id}");
        assert_eq!((late.status, text(&late)), (409, expected));
    }
}

#[test]
fn overlapping_creates_of_networks_with_one_id_all_succeed_and_their_names_stay_for_good() {
    let api = Arc::new(api());
    let begin = |name: &str| {
        let mut object = network(name, "10.1.0.0");
        object["uuid"] = json!(ID);
        Begun::post(&api, "virtual-network", object)
    };
    assert_eq!(statuses(["a", "b", "c"].map(begin).into()), [200; 3]);
    for name in ["a", "b", "c"] {
        assert!(text(&find(&api, name)).contains(ID), "{name}");
    }
    let target = format!("/virtual-network/{ID}");
    let stored = ok(&api, "GET", &target, None);
    assert_eq!(stored["virtual-network"]["name"], "c");
    ok(&api, "DELETE", &target, None);
    assert_eq!(find(&api, "c").status, 404);
    assert_eq!(find(&api, "a").status, 200);
    let again = json!({"virtual-network": network("a", "10.1.0.0")});
    let refused = send(&api, "POST", "/virtual-networks", Some(again));
    assert_eq!(refused.status, 409);
}

#[test]
fn overlapping_creates_of_one_instance_ip_all_succeed_and_all_but_one_address_is_lost() {
    let api = Arc::new(api());
    create(&api, "virtual-network", network("vn", "10.1.0.0"));
    let begin = || Begun::post(&api, "instance-ip", instance_ip("iip", json!({"uuid": ID})));
    assert_eq!(statuses(vec![begin(), begin(), begin()]), [200; 3]);
    assert_eq!(address_of(&api, ID), "10.1.0.250");
    let late = begin().finish();
    assert_eq!(late.status, 409, "{}", text(&late));
    ok(&api, "DELETE", &format!("/instance-ip/{ID}"), None);
    let ask = |name: &str, address: &str| {
        let object = instance_ip(name, json!({"instance_ip_address": address}));
        send(
            &api,
            "POST",
            "/instance-ips",
            Some(json!({"instance-ip": object})),
        )
    };
    assert_eq!(ask("stored", "10.1.0.250").status, 200);
    for lost in ["10.1.0.251", "10.1.0.252"] {
        let refused = ask(lost, lost);
        let expected = (409, "IP address already in use".to_owned());
        assert_eq!((refused.status, text(&refused)), expected);
    }
}

#[test]
fn of_overlapping_creates_of_instance_ips_with_one_address_the_later_one_loses_at_zookeeper() {
    for (cluster, root) in [(None, "/"), (Some("c1"), "c1/")] {
        let mut api = api();
        if let Some(cluster) = cluster {
            api = api.with_cluster_id(cluster);
        }
        let api = Arc::new(api);
        create(&api, "virtual-network", network("vn", "10.1.0.0"));
        let begin = |name: &str| {
            let address = json!({"instance_ip_address": "10.1.0.50"});
            Begun::post(&api, "instance-ip", instance_ip(name, address))
        };
        let (first, second) = (begin("a"), begin("b"));
        let won: Value = serde_json::from_slice(&first.finish().body).unwrap();
        let id = won["instance-ip"]["uuid"].as_str().unwrap();
        let lost = second.finish();
        let subnet = "default-domain:default-project:vn:10.1.0.0/24";
        let expected = format!(
            "FQ Name: {root}api-server/subnets/{subnet}/0167837746 exists already with ID: {id} at \
             zookeeper"
        );
        assert_eq!((lost.status, text(&lost)), (400, expected));
        let late = begin("c").finish();
        let expected = (409, "IP address already in use".to_owned());
        assert_eq!((late.status, text(&late)), expected);
    }
}

#[test]
fn overlapping_creates_of_one_machine_are_not_confused() {
    let api = Arc::new(api());
    let begin = || {
        let object = json!({"fq_name": ["vm"], "uuid": ID});
        Begun::post(&api, "virtual-machine", object)
    };
    let (first, second) = (begin(), begin());
    assert_eq!(first.finish().status, 200);
    let refused = second.finish();
    let expected = format!("['vm'] already exists with uuid: {ID}");
    assert_eq!((refused.status, text(&refused)), (409, expected));
}

#[test]
fn an_interface_that_overlaps_with_the_create_of_its_machine_does_not_find_it() {
    for with_id in [true, false] {
        let api = Arc::new(api());
        create(&api, "virtual-network", network("vn", "10.1.0.0"));
        let mut reference = json!({"to": ["vm"]});
        if with_id {
            reference["uuid"] = json!(ID);
        }
        let object = interface(json!({"virtual_machine_refs": [reference]}));
        let begin = || Begun::post(&api, "virtual-machine-interface", object.clone());
        let early = begin();
        let machine = json!({"fq_name": ["vm"], "uuid": ID});
        create(&api, "virtual-machine", machine);
        let refused = early.finish();
        let body = text(&refused);
        if with_id {
            let expected = "vnc_api.exceptions.NoIdError: Unknown id: virtual_machine vm";
            assert_eq!((refused.status, body.as_str()), (500, expected));
        } else {
            assert_eq!(refused.status, 400);
            assert!(
                body.starts_with("Unknown reference in resource create {"),
                "{body}"
            );
        }
        assert_eq!(begin().finish().status, 200);
    }
}

#[test]
fn a_network_with_a_subnet_that_goes_while_an_interface_is_made_on_it_strands_the_interface() {
    let api = Arc::new(api());
    let id = create(&api, "virtual-network", network("vn", "10.1.0.0"));
    let target = format!("/virtual-network/{id}");
    let deleting = Begun::new(&api, "DELETE", &target, None);
    let interface = create(&api, "virtual-machine-interface", interface(json!({})));
    assert_eq!(deleting.finish().status, 200);
    assert_eq!(send(&api, "GET", &target, None).status, 404);
    let target = format!("/virtual-machine-interface/{interface}");
    let stranded = ok(&api, "GET", &target, None);
    let stranded = &stranded["virtual-machine-interface"];
    assert_eq!(stranded["virtual_network_refs"][0]["uuid"], json!(id));
    assert_eq!(stranded.get("routing_instance_refs"), None);
    ok(&api, "DELETE", &target, None);
}

#[test]
fn a_network_without_a_subnet_does_not_go_while_an_interface_is_made_on_it() {
    let api = Arc::new(api());
    let mut object = network("vn", "10.1.0.0");
    object["network_ipam_refs"] = json!([]);
    let id = create(&api, "virtual-network", object);
    let deleting = Begun::new(&api, "DELETE", &format!("/virtual-network/{id}"), None);
    create(&api, "virtual-machine-interface", interface(json!({})));
    assert_eq!(deleting.finish().status, 409);
}

#[test]
fn the_name_of_a_network_is_held_until_its_delete_is_through() {
    let api = Arc::new(api());
    let id = create(&api, "virtual-network", network("vn", "10.1.0.0"));
    let target = format!("/virtual-network/{id}");
    let again = || {
        let body = json!({"virtual-network": network("vn", "10.1.0.0")});
        let answer = send(&api, "POST", "/virtual-networks", Some(body));
        (answer.status, text(&answer))
    };
    let name = "['default-domain', 'default-project', 'vn']";
    let deleting = Begun::new(&api, "DELETE", &target, None);
    assert_eq!(find(&api, "vn").status, 200);
    assert_eq!(
        again(),
        (409, format!("{name} already exists with uuid: {id}"))
    );

    let deleting = deleting.further();
    assert_eq!(find(&api, "vn").status, 404);
    assert_eq!(send(&api, "GET", &target, None).status, 404);
    let path = "/fq-name-to-uuid/virtual_network:default-domain:default-project:vn";
    let held = format!("FQ Name: {path} exists already with ID: {id} at zookeeper");
    assert_eq!(again(), (409, held));

    assert_eq!(deleting.finish().status, 200);
    assert_eq!(again().0, 200);
}

#[test]
fn a_delete_that_is_given_up_does_not_hold_the_name() {
    let api = Arc::new(api());
    let id = create(&api, "virtual-network", network("vn", "10.1.0.0"));
    let deleting = Begun::new(&api, "DELETE", &format!("/virtual-network/{id}"), None);
    drop(deleting.further());
    create(&api, "virtual-network", network("vn", "10.1.0.0"));
}

#[test]
fn of_overlapping_deletes_of_one_network_one_succeeds() {
    let api = Arc::new(api());
    let id = create(&api, "virtual-network", network("vn", "10.1.0.0"));
    let target = format!("/virtual-network/{id}");
    let begin = || Begun::new(&api, "DELETE", &target, None);
    let (first, second) = (begin(), begin());
    assert_eq!(first.finish().status, 200);
    let late = second.finish();
    let expected = format!("No virtual-network object found for id {id}");
    assert_eq!((late.status, text(&late)), (404, expected));
}

#[test]
fn an_instance_ip_in_a_full_subnet_that_it_names_is_made_without_an_address() {
    let api = Arc::new(api());
    let mut object = network("vn", "10.1.0.0");
    let subnet =
        json!({"subnet": {"ip_prefix": "10.1.0.0", "ip_prefix_len": 29}, "subnet_uuid": ID});
    object["network_ipam_refs"][0]["attr"]["ipam_subnets"] = json!([subnet]);
    create(&api, "virtual-network", object);
    let named = |name: &str| instance_ip(name, json!({"subnet_uuid": ID}));
    for name in ["a", "b", "c", "d"] {
        create(&api, "instance-ip", named(name));
    }
    let id = create(&api, "instance-ip", named("e"));
    let shown = ok(&api, "GET", &format!("/instance-ip/{id}"), None);
    assert_eq!(shown["instance-ip"].get("instance_ip_address"), None);
    assert_eq!(shown["instance-ip"]["subnet_uuid"], ID);
    let body = json!({"instance-ip": instance_ip("f", json!({}))});
    assert_eq!(send(&api, "POST", "/instance-ips", Some(body)).status, 400);
}
