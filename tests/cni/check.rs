//! CHECK, GC and STATUS of the real program against the lab and the kernel.

use std::time::Duration;

use contrail_lab::faults::Action;
use contrail_lab::http::ServiceName::{Agent, ConfigApi};
use contrail_lab::lab::Restartable;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::{Call, Outcome};
use opencontrail_tests::world::{everything, fault, lab, network};
use serde_json::{Value, json};

fn path(netns: &TestNetns) -> String {
    netns.path().display().to_string()
}

fn configuration() -> Value {
    network("n", "10.1.1.0/24")
}

fn check(netns: &TestNetns, result: &Value) -> Outcome {
    let mut configuration = configuration();
    configuration["prevResult"] = result.clone();
    Call::new("CHECK", "c", &path(netns), &configuration).run()
}

fn add(netns: &TestNetns, container: &str) -> Value {
    let call = Call::new("ADD", container, &path(netns), &configuration());
    call.run().ok().json
}

fn del(netns: &TestNetns, container: &str) {
    let call = Call::new("DEL", container, &path(netns), &configuration());
    call.run().ok();
}

/// What someone breaks, and the difference that is then named.
fn differences() -> [(Vec<&'static str>, &'static str); 4] {
    [
        (
            vec!["ip", "route", "del", "default"],
            "no route to 0.0.0.0/0",
        ),
        (
            vec!["ip", "addr", "flush", "dev", "eth0"],
            "no address 10.1.1.252/24",
        ),
        (
            vec!["ip", "link", "set", "eth0", "address", "02:00:00:00:00:09"],
            "Ethernet address",
        ),
        (vec!["ip", "link", "set", "eth0", "down"], "eth0 is down"),
    ]
}

#[test]
fn check_is_silent_after_add_and_names_what_has_changed_since() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let result = add(&netns, "c");
        assert_eq!(check(&netns, &result).ok().json, Value::Null);
        for (command, named) in differences() {
            let output = netns.output(command[0], &command[1..]).unwrap();
            assert!(output.status.success(), "{output:?}");
            let outcome = check(&netns, &result);
            assert_eq!(outcome.json["code"], 107, "{}", outcome.json);
            let details = outcome.json["details"].as_str().unwrap();
            assert!(details.contains(named), "{named}: {details}");
            del(&netns, "c");
            add(&netns, "c");
            check(&netns, &result).ok();
        }
        // The agent forgets its ports; the API loses its objects.
        lab.faults().add(fault(Agent, "GET", "", status(404)));
        let outcome = check(&netns, &result);
        let details = outcome.json["details"].as_str().unwrap();
        assert!(
            details.contains("the vRouter agent has no port"),
            "{details}"
        );
        lab.faults().clear();
        del(&netns, "c");
        let outcome = check(&netns, &result);
        let details = outcome.json["details"].as_str().unwrap();
        for named in [
            "no interface eth0",
            "no VM interface",
            "no instance IP",
            "no port",
        ] {
            assert!(details.contains(named), "{named}: {details}");
        }
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

#[test]
fn check_allows_for_what_later_plugins_of_the_chain_change() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let result = add(&netns, "c");
        // Each stays for the next one.
        let steps = [
            ("tuning", vec!["ip", "link", "set", "eth0", "mtu", "1300"]),
            ("tuning", vec!["ip", "link", "set", "eth0", "mtu", "9000"]),
            (
                "tuning",
                vec!["ip", "link", "set", "eth0", "txqueuelen", "7"],
            ),
            ("tuning", vec!["ip", "link", "set", "eth0", "promisc", "on"]),
            (
                "sbr",
                "ip route add default via 10.1.1.254 dev eth0 table 100"
                    .split(' ')
                    .collect(),
            ),
            (
                "sbr",
                "ip route del default table main".split(' ').collect(),
            ),
            (
                "route-override",
                "ip route add 10.9.0.0/16 dev eth0".split(' ').collect(),
            ),
            (
                "other",
                "ip addr add 192.0.2.1/32 dev eth0".split(' ').collect(),
            ),
        ];
        for (plugin, command) in steps {
            let output = netns.output(command[0], &command[1..]).unwrap();
            assert!(output.status.success(), "{plugin}: {output:?}");
            let outcome = check(&netns, &result);
            assert!(outcome.success, "{plugin} {command:?}: {}", outcome.json);
        }
        // tuning says so in the result.
        let mac = ["link", "set", "eth0", "address", "02:00:00:00:00:09"];
        assert!(netns.output("ip", &mac).unwrap().status.success());
        assert_eq!(check(&netns, &result).json["code"], 107);
        let mut tuned = result.clone();
        tuned["interfaces"][1]["mac"] = json!("02:00:00:00:00:09");
        check(&netns, &tuned).ok();
        del(&netns, "c");
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

fn status(code: u16) -> Action {
    Action::Status(contrail_lab::faults::StatusAnswer {
        code,
        body: "{}".into(),
        content_type: "application/json".into(),
    })
}

#[test]
fn gc_removes_what_is_not_listed_and_nothing_of_others() {
    sandbox::test(|| {
        let lab = lab();
        let namespaces = ["c", "d", "e"].map(|name| TestNetns::new(name).unwrap());
        let [c, d, e] = &namespaces;
        let links = [c.netns(), d.netns(), e.netns()];
        // Of another host, and of another network.
        let other = TestNetns::new("other").unwrap();
        let elsewhere = |call: Call| {
            call.with("CONTRAIL_NODE_NAME", "node2")
                .with("CONTRAIL_STATE_DIR", "/var/lib/node2")
        };
        elsewhere(Call::new("ADD", "other", &path(&other), &configuration()))
            .run()
            .ok();
        let m = network("m", "10.2.2.0/24");
        Call::new("ADD", "m", &path(&other), &m)
            .with("CNI_IFNAME", "eth1")
            .run()
            .ok();
        add(c, "c");
        let kept = everything(&lab, &links);
        add(d, "d");
        add(e, "e");

        let gc = |valid: Option<Value>| {
            let mut configuration = configuration();
            if let Some(valid) = valid {
                configuration["cni.dev/valid-attachments"] = valid;
            }
            let call = Call::new("GC", "", "", &configuration).with("CNI_IFNAME", "");
            assert_eq!(call.run().ok().json, Value::Null);
        };
        let full = everything(&lab, &links);
        gc(None);
        assert_eq!(everything(&lab, &links), full);
        gc(Some(json!([{"containerID": "c", "ifname": "eth0"}])));
        assert_eq!(everything(&lab, &links), kept);
        gc(Some(json!([])));
        let left = lab.status().ports;
        assert_eq!(left.len(), 2, "{left:?}");
    });
}

#[test]
fn status_answers_within_a_second_and_tells_50_from_51() {
    sandbox::test(|| {
        let lab = lab();
        let status = || {
            let call = Call::new("STATUS", "", "", &configuration());
            let outcome = call.with("CNI_IFNAME", "").run();
            // The process itself has some time on a busy machine.
            assert!(
                outcome.time < Duration::from_millis(1500),
                "{:?}",
                outcome.time
            );
            outcome.json["code"].as_u64()
        };
        assert_eq!(status(), None);
        lab.stop_service(Restartable::ConfigApi);
        assert_eq!(status(), Some(50));
        lab.start_service(Restartable::ConfigApi).unwrap();
        lab.stop_service(Restartable::Agent);
        assert_eq!(status(), Some(51));
        lab.start_service(Restartable::Agent).unwrap();
        assert_eq!(status(), None);
        for (service, code) in [(ConfigApi, 50), (Agent, 51)] {
            lab.faults().add(fault(service, "", "", Action::Hang));
            assert_eq!(status(), Some(code));
            lab.faults().clear();
        }
    });
}
