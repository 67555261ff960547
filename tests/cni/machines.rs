//! Two machines with the same host name: the ids of their objects are the same, the marks are not.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use contrail_lab::faults::{Action, Rule};
use contrail_lab::http::ServiceName::ConfigApi;
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::{self, TestNetns};
use nix::mount::{MsFlags, mount};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{everything, fault, lab, links, network};

/// Where a machine has its id.
const MACHINE_ID: &str = "/etc/machine-id";

/// From now on, the programs run on the machine of this number; one that was never started fully has no id.
fn be_machine(number: Option<u32>) {
    let file = format!("/run/machine-id-{}", number.unwrap_or_default());
    let id = number.map_or(String::new(), |number| format!("{number:032x}\n"));
    fs::write(&file, id).unwrap();
    if !fs::exists(MACHINE_ID).unwrap() {
        fs::write(MACHINE_ID, "").unwrap();
    }
    let none = None::<&str>;
    mount(
        Some(file.as_str()),
        MACHINE_ID,
        none,
        MsFlags::MS_BIND,
        none,
    )
    .unwrap();
}

fn call(command: &str, netns: &TestNetns) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, "c", &path, &network("n", "10.1.1.0/24"))
}

fn elsewhere(command: &str, netns: &TestNetns) -> Call {
    call(command, netns).with("CONTRAIL_STATE_DIR", "/var/lib/elsewhere")
}

/// What the API has. Each machine has an agent of its own.
fn objects(lab: &Lab) -> BTreeSet<String> {
    let everything = everything(lab, &[]).into_iter();
    let kinds = ["instance-ip", "virtual-"];
    everything
        .filter(|line| kinds.iter().any(|kind| line.starts_with(kind)))
        .collect()
}

/// The other machine does not have the link of the first one.
fn on_another_machine(work: impl FnOnce()) {
    let tap = links().into_iter().find(|name| name.starts_with("tap"));
    let tap = tap.expect("the container has a link");
    let rename = |from: &str, to: &str| {
        let renamed = Command::new("ip")
            .args(["link", "set", from, "name", to])
            .status();
        assert!(renamed.unwrap().success(), "{from} {to}");
    };
    rename(&tap, "hidden");
    be_machine(Some(2));
    work();
    be_machine(Some(1));
    rename("hidden", &tap);
}

#[test]
fn another_machine_of_the_same_name_keeps_off_a_live_interface() {
    sandbox::test(|| {
        be_machine(Some(1));
        let lab = lab();
        let [netns, other] = ["c", "other"].map(|name| TestNetns::new(name).unwrap());
        let namespaces = [netns.netns(), other.netns()];
        let before = everything(&lab, &namespaces);
        call("ADD", &netns).run().ok();
        let live = objects(&lab);
        on_another_machine(|| {
            for _ in 0..2 {
                let outcome = elsewhere("DEL", &other).run().ok();
                let warning = "another machine of the same name";
                assert!(outcome.log.contains(warning), "{}", outcome.log);
            }
            // One that was deferred heeds the mark as well.
            lab.faults()
                .add(fault(ConfigApi, "", "", Action::DropBefore));
            elsewhere("DEL", &other).run().ok();
            lab.faults().clear();
            elsewhere("DEL", &other).run().ok();
            let refused = elsewhere("ADD", &other).run();
            let text = refused.json.to_string();
            assert_eq!(refused.json["code"], 7, "{text}");
            assert!(text.contains("another machine of this name"), "{text}");
            elsewhere("DEL", &other).run().ok();
            // So does the rollback of an ADD that cannot know whether it has created the interface.
            for action in [Action::DropBefore, Action::DropAfter] {
                for count in [Some(1), None] {
                    lab.faults().add(Rule {
                        count,
                        ..fault(
                            ConfigApi,
                            "POST",
                            "/virtual-machine-interfaces",
                            action.clone(),
                        )
                    });
                    let failed = elsewhere("ADD", &other).run();
                    assert!(failed.json["code"].is_number(), "{}", failed.json);
                    lab.faults().clear();
                    elsewhere("DEL", &other).run().ok();
                    assert_eq!(objects(&lab), live, "{action:?}, {count:?} times");
                }
            }
            let clean = elsewhere("", &other).output(&["clean"]);
            assert!(clean.contains("0 orphans"), "{clean}");
        });
        fs::remove_dir_all("/var/lib/elsewhere").unwrap();
        assert_eq!(objects(&lab), live);
        call("DEL", &netns).run().ok();
        assert_eq!(everything(&lab, &namespaces), before);
    });
}

#[test]
fn a_machine_removes_its_own_without_the_link_and_what_has_no_mark() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        // The link is gone after a start of the host.
        for (maker, remover) in [(Some(1), Some(1)), (None, Some(1)), (Some(1), None)] {
            be_machine(maker);
            call("ADD", &netns).run().ok();
            let tap = links().into_iter().find(|name| name.starts_with("tap"));
            let gone = ["link", "del", &tap.unwrap()];
            assert!(Command::new("ip").args(gone).status().unwrap().success());
            be_machine(remover);
            call("DEL", &netns).run().ok();
            let now = everything(&lab, &[netns.netns()]);
            assert_eq!(now, before, "made by {maker:?}, removed by {remover:?}");
        }
    });
}
