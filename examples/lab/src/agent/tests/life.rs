//! T11–T20: deleting, finding, enabling, auditing and reloading ports, and everything else.

use super::*;

#[test]
fn t11_deleting_always_succeeds_and_removes_the_file() {
    let bench = bench();
    bench.post(&body());
    assert_eq!(bench.delete(U), ok());
    assert!(!bench.file(U).exists());
    assert_eq!(bench.delete(U), ok());
    fs::write(bench.file(OTHER), "stale").unwrap();
    assert_eq!(bench.delete(OTHER), ok());
    assert!(!bench.file(OTHER).exists());
}

#[test]
fn t12_everything_else_is_an_unknown_request() {
    let bench = bench();
    let upper = format!("/port/{}", U.to_uppercase());
    for (method, path) in [
        ("DELETE", upper.as_str()),
        ("GET", "/port"),
        ("GET", "/ports"),
        ("PUT", "/port"),
        ("HEAD", "/"),
    ] {
        assert_eq!(bench.send(method, path, ""), error(404, "Unknown Request"));
    }
}

#[test]
fn t13_a_port_is_found_once_its_configuration_is_there() {
    let bench = bench();
    bench.post(&body());
    assert_eq!(bench.get(U), error(404, "{ Not Found }"));
    bench.configure();
    let (status, text) = bench.get(U);
    assert_eq!(status, 200);
    let head = text.split_at(text.find("    \"author\"").unwrap()).0;
    assert_eq!(
        head,
        r#"{
    "id": "97556910-7aaf-11eb-9576-00163e6d1150",
    "instance-id": "c5f1802e-a98d-48fd-81f8-07ee5a8a2bac",
    "vn-id": "a1ad1cf5-4a7e-4896-a719-bcf9d58b701b",
    "vm-project-id": "0f2c9a10-2c0e-4a61-9d2e-6a1e5a2f7d11",
    "mac-address": "02:97:55:69:10:7a",
    "system-name": "tap97556910-7a",
    "rx-vlan-id": 65535,
    "tx-vlan-id": 65535,
    "vhostuser-mode": 0,
    "ip-address": "10.10.0.5",
    "plen": 24,
    "dns-server": "10.10.0.2",
    "gateway": "10.10.0.1",
"#
    );
    bench.delete(U);
    assert_eq!(bench.get(U), error(404, "{ Not Found }"));
}

#[test]
fn t13_a_namespace_port_has_configuration_only_through_the_virtual_router() {
    let bench = bench();
    bench.configure();
    bench.post(&with("type", json!(1)));
    assert_eq!(bench.get(U).0, 404);
    bench.view.lock().unwrap().machines[0].on_router = true;
    assert_eq!(bench.get(U).0, 200);
}

#[test]
fn t14_only_remote_ports_can_be_enabled() {
    let bench = bench();
    let enable = |id: &str| bench.send("PUT", &format!("/enable-port/{id}"), "");
    bench.post(&body());
    let wrong = format!("{{Incorrect Port type for {U}}}");
    assert_eq!(enable(U), error(500, &wrong));
    let unknown = format!("{{Port Not found {OTHER}}}");
    assert_eq!(enable(OTHER), error(500, &unknown));
    let mut remote = with("id", json!(OTHER));
    remote["type"] = json!(2);
    bench.post(&remote);
    let state = || {
        let file = fs::read(bench.file(OTHER)).unwrap();
        serde_json::from_slice::<Value>(&file).unwrap()["link-state"].clone()
    };
    assert_eq!(state(), 0);
    assert_eq!(enable(OTHER), ok());
    assert_eq!(state(), 1);
}

#[test]
fn t15_what_is_no_object_is_repeated_in_the_refusal() {
    let bench = bench();
    for (sent, text) in [
        ("hello", "{ Invalid Json string ==> hello }"),
        ("\"str\"", "{ Unexpected Json string ==> \"str\" }"),
        ("", "{ Invalid Json string ==>  }"),
    ] {
        assert_eq!(bench.send("POST", "/port", sent), error(500, text));
    }
}

#[test]
fn t16_a_nil_port_cannot_be_deleted_and_is_gone_after_a_restart() {
    let bench = bench();
    let nil = Uuid::nil().to_string();
    assert_eq!(bench.post(&with("id", json!("100"))), ok());
    assert!(bench.file(&nil).exists());
    assert_eq!(bench.delete(&nil), ok());
    assert!(bench.file(&nil).exists());
    bench.agent.restart();
    assert!(bench.agent.subscriptions().is_empty());
}

#[test]
fn t17_an_audit_deletes_what_is_not_added_again() {
    let bench = bench_with(Duration::from_millis(50));
    let namespace = "22222222-7aaf-11eb-9576-00163e6d1150";
    let mut of_namespace = with("id", json!(namespace));
    of_namespace["type"] = json!(1);
    for port in [&body(), &with("id", json!(OTHER)), &of_namespace] {
        bench.post(port);
    }
    assert_eq!(bench.send("POST", "/syncports", ""), ok());
    bench.post(&body());
    let deadline = Instant::now() + Duration::from_secs(10);
    while bench.file(OTHER).exists() {
        assert!(Instant::now() < deadline, "the audit never ended");
        std::thread::yield_now();
    }
    let left: Vec<String> = bench
        .agent
        .subscriptions()
        .iter()
        .map(|port| port.id.to_string())
        .collect();
    assert_eq!(left, [namespace, U]);
    assert!(bench.file(U).exists() && bench.file(namespace).exists());
}

#[test]
fn t18_a_restart_loads_the_files_whose_tap_exists() {
    let bench = bench();
    let write = |name: &str, id: &str, tap: &str| {
        let mut port = with("id", json!(id));
        port["system-name"] = json!(tap);
        fs::write(bench.file(name), port.to_string()).unwrap();
    };
    let (c, d) = (
        "33333333-7aaf-11eb-9576-00163e6d1150",
        "44444444-7aaf-11eb-9576-00163e6d1150",
    );
    write(U, U, "tap97556910-7a");
    write(c, c, "tapmissing");
    write(&format!("{d}.tmp"), d, "tap97556910-7a");
    write(&format!(".{OTHER}"), OTHER, "tap97556910-7a");
    bench.agent.restart();
    let loaded = bench.agent.subscriptions();
    let mut loaded: Vec<String> = loaded.iter().map(|port| port.id.to_string()).collect();
    loaded.sort();
    assert_eq!(loaded, [d, U]);
    assert_eq!(bench.files(), 4);
}

#[test]
fn t19_pod_ports_are_checked_like_the_others() {
    let bench = bench();
    let body =
        json!({ "vm-uuid": VM, "host-ifname": "tapeth0-c5f180", "vm-name": "p", "vn-uuid": VN });
    assert_eq!(
        bench.send("POST", "/vm", &body.to_string()),
        error(500, "{ Invalid or missing data for <vmi-uuid> }")
    );
    assert_eq!(
        bench.send("GET", "/vm-cfg/unknown", ""),
        error(404, "{ Not Found }")
    );
    assert_eq!(bench.send("DELETE", &format!("/vm/{OTHER}"), ""), ok());
}

#[test]
fn t19_a_pod_port_takes_everything_from_the_configuration() {
    let bench = bench();
    bench.configure();
    bench.view.lock().unwrap().machines[0].on_router = true;
    let body = json!({ "vm-uuid": VM, "host-ifname": "tapeth0-c5f180", "vm-name": "vm1",
        "vn-uuid": VN, "vmi-uuid": U });
    assert_eq!(bench.send("POST", "/vm", &body.to_string()), ok());
    let list: Value = serde_json::from_str(&bench.send("GET", &format!("/vm/{VM}"), "").1).unwrap();
    assert_eq!(list[0]["mac-address"], "02:97:55:69:10:7a");
    let list: Value = serde_json::from_str(&bench.send("GET", "/vm-cfg/vm1", "").1).unwrap();
    assert_eq!(list[0]["vn-name"], "default-domain:admin:net1");
    assert_eq!(list[0].get("annotations"), None);
    assert_eq!(bench.send("DELETE", &format!("/vm/{VM}"), ""), ok());
    assert!(bench.agent.subscriptions().is_empty());
}

#[test]
fn the_annotations_of_an_interface_are_in_the_configuration_of_its_machine() {
    let bench = bench();
    bench.configure();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    bench.view.lock().unwrap().interfaces[0].annotations =
        vec![pair("network", "default"), pair("index", "0/1")];
    let list: Value = serde_json::from_str(&bench.send("GET", "/vm-cfg/vm1", "").1).unwrap();
    assert_eq!(
        list[0]["annotations"],
        json!(["{index:0/1}", "{network:default}"])
    );
}

#[test]
fn t20_a_port_whose_file_cannot_be_written_is_not_there_though_the_answer_is_success() {
    let bench = bench();
    // A directory in the place of the temporary file: root ignores the permissions of a directory.
    fs::create_dir(bench.file(&format!(".{U}"))).unwrap();
    let read_only = fs::Permissions::from_mode(0o500);
    fs::set_permissions(bench.directory.path(), read_only).unwrap();
    bench.configure();
    assert_eq!(bench.post(&body()), ok());
    assert_eq!(bench.get(U).0, 404);
    assert!(bench.agent.subscriptions().is_empty());
    fs::set_permissions(bench.directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_forgotten_request_answers_success_and_does_nothing() {
    let bench = bench();
    let mut request = Request {
        method: "POST".into(),
        path: "/port".into(),
        body: body().to_string().into(),
        ..Request::default()
    };
    assert_eq!(bench.agent.pretend(&request).status, 200);
    assert!(bench.agent.subscriptions().is_empty());
    request.body = b"{}".to_vec();
    assert_eq!(bench.agent.pretend(&request).status, 500);
}
