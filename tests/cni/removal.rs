//! DEL ends whatever has become of what only ADD needs: configuration, state, the API.

use std::fs;
use std::path::Path;
use std::time::Duration;

use contrail_lab::faults::{Action, StatusAnswer};
use contrail_lab::http::ServiceName::{Agent, ConfigApi, Keystone};
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{everything, fault, lab, links, network};
use serde_json::{Value, json};

const STATE: &str = "/var/lib/contrail/cni-opencontrail";

fn call(command: &str, netns: &TestNetns, changes: &Value) -> Call {
    let mut configuration = network("n", "10.1.1.0/24");
    for (key, value) in changes.as_object().unwrap() {
        configuration[key] = value.clone();
    }
    let path = netns.path().display().to_string();
    Call::new(command, "c", &path, &configuration)
}

fn entries(directory: &str) -> usize {
    let found = fs::read_dir(Path::new(STATE).join(directory));
    found.map_or(0, |found| {
        let names = found.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().ends_with(".json"))
            .count()
    })
}

#[test]
fn del_needs_nothing_that_only_add_needs() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let unusable_api = [
            json!({"admin_user": "admin", "admin_password_file": "/run/gone"}),
            json!({"admin_user": "admin", "auth_url": "http://127.0.0.1:5000/v3"}),
            json!({"admin_user": "admin", "admin_password": "x", "auth_url": "nonsense"}),
            json!({"api_port": "80x"}),
            json!({"api_server": {"a": 1}}),
            json!({"cafile": "/run/gone.pem"}),
            json!({"cafile": "relative.pem"}),
            json!({"keyfile": "/run/key.pem"}),
            json!({"vnc_api_lib": "/run/gone.ini"}),
            json!({"request_timeout": "soon"}),
        ];
        for changes in &unusable_api {
            call("ADD", &netns, &json!({})).run().ok();
            let outcome = call("DEL", &netns, changes).run().ok();
            assert!(
                outcome.log.contains("deferred"),
                "{changes}: {}",
                outcome.log
            );
            assert_eq!(entries("pending"), 1, "{changes}");
            // What needs no API is gone at once.
            assert!(
                !links().iter().any(|name| name.starts_with("tap")),
                "{changes}: {:?}",
                links()
            );
            // The next call with proper settings completes it.
            call("DEL", &netns, &json!({})).run().ok();
            assert_eq!(everything(&lab, &[netns.netns()]), before, "{changes}");
        }
        for changes in [
            json!({"mtu": "x"}),
            json!({"ipam": 7}),
            json!({"service": 7, "dns": 7, "network": 7}),
            json!({"security_groups": ["x"], "prevResult": 7}),
            json!({"runtimeConfig": {"ips": ["x"]}}),
        ] {
            call("ADD", &netns, &json!({})).run().ok();
            call("DEL", &netns, &changes).run().ok();
            assert_eq!(everything(&lab, &[netns.netns()]), before, "{changes}");
        }
    });
}

#[test]
fn an_answer_of_something_in_front_of_the_api_puts_del_off() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        for code in [301, 302, 307, 308, 502] {
            call("ADD", &netns, &json!({})).run().ok();
            let answer = StatusAnswer {
                code,
                body: "<html>moved</html>".into(),
                content_type: "text/html".into(),
            };
            lab.faults()
                .add(fault(ConfigApi, "", "", Action::Status(answer)));
            call("DEL", &netns, &json!({})).run().ok();
            assert_eq!(entries("pending"), 1, "{code}");
            lab.faults().clear();
            call("DEL", &netns, &json!({})).run().ok();
            assert_eq!(everything(&lab, &[netns.netns()]), before, "{code}");
        }
    });
}

#[test]
fn entries_of_a_later_release_stop_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        for (directory, kind) in [
            ("pending", "deferred removal"),
            ("uses", "uses of a VM interface"),
            ("", "names of the host"),
        ] {
            call("ADD", &netns, &json!({})).run().ok();
            let id = fs::read_dir(format!("{STATE}/uses"))
                .unwrap()
                .next()
                .unwrap()
                .unwrap();
            let own = id.file_name().to_string_lossy().into_owned();
            let dir = Path::new(STATE).join(directory);
            let odd = match directory {
                "" => dir.join("nodes.json"),
                _ => dir.join(own),
            };
            fs::create_dir_all(&dir).unwrap();
            let newer =
                json!({"kind": kind, "version": 9, "written_by": "later 9.0", "entry": {"new": 1}});
            fs::write(&odd, newer.to_string()).unwrap();

            // One for another container waits, and is worked off all the same.
            lab.faults()
                .add(fault(ConfigApi, "", "", Action::DropBefore));
            let other = call("DEL", &netns, &json!({})).with("CNI_CONTAINERID", "other");
            other.run().ok();
            lab.faults().clear();
            let outcome = call("DEL", &netns, &json!({})).run().ok();
            assert!(
                outcome.log.contains("later 9.0"),
                "{directory}: {}",
                outcome.log
            );
            let report = call("", &netns, &json!({})).output(&["clean"]);
            assert!(
                report.contains("0 are still pending") || !report.contains("other"),
                "{report}"
            );
            let kept = fs::read_to_string(&odd).unwrap();
            assert!(kept.contains("later 9.0"), "{directory}");
            assert_eq!(
                entries("pending"),
                usize::from(directory == "pending"),
                "{directory}"
            );
            fs::remove_file(&odd).unwrap();
            // Left to the later release, with its note.
            if directory == "uses" {
                let client = opencontrail_tests::world::client();
                let name = "default-domain:admin:n".parse().unwrap();
                let id = client
                    .id_of::<contrail_core::api::VirtualNetwork>(&name)
                    .unwrap();
                client
                    .delete::<contrail_core::api::VirtualNetwork>(id.unwrap())
                    .unwrap();
                fs::remove_dir_all(format!("{STATE}/members")).unwrap();
            }
            let now = everything(&lab, &[netns.netns()]);
            let differ: Vec<_> = now.symmetric_difference(&before).collect();
            assert!(
                differ.iter().all(|line| line.contains(STATE)),
                "{directory}: {differ:?}"
            );
        }
    });
}

#[test]
fn del_keeps_to_the_time_of_a_call() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let limited = |container: &str| {
            call("DEL", &netns, &json!({}))
                .with("CNI_CONTAINERID", container)
                .with("CONTRAIL_ATTACH_TIMEOUT", "2")
                .with("CONTRAIL_REQUEST_TIMEOUT", "1")
        };
        call("ADD", &netns, &json!({})).run().ok();
        for (services, action, token_file) in [
            (vec![ConfigApi], Action::Hang, "/run/t1"),
            (vec![Agent], Action::Hang, "/run/t1"),
            (vec![ConfigApi], Action::DropBefore, "/run/t1"),
            (vec![ConfigApi, Agent], Action::Hang, "/run/t1"),
            (vec![ConfigApi], Action::Delay(700), "/run/t1"),
            (vec![Keystone], Action::Hang, "/run/t2"),
            (
                vec![Keystone, ConfigApi, Agent],
                Action::Delay(900),
                "/run/t3",
            ),
        ] {
            for &service in &services {
                lab.faults().add(fault(service, "", "", action.clone()));
            }
            // The later ones find what the earlier ones have put off.
            for container in ["a", "b", "c"] {
                // Without a token that earlier calls have left.
                let call = limited(container).with("CONTRAIL_RUN_DIR", token_file);
                let outcome = call.run().ok();
                // 100 ms, and the start of the program on a busy machine.
                let limit = Duration::from_millis(2_100 + 400);
                assert!(
                    outcome.time < limit,
                    "{services:?} {action:?} {container}: {:?}",
                    outcome.time
                );
            }
            lab.faults().clear();
        }
    });
}
