//! `cni-opencontrail clean` with the real program: orphans and removals that wait.

use std::fs;

use contrail_core::api::{Resource, VirtualMachine, VirtualMachineInterface};
use contrail_core::{FqName, values::identity};
use contrail_lab::http::ServiceName::ConfigApi;
use contrail_lab::lab::Restartable;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::faults;
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{client, everything, fault, lab, network};

fn call(command: &str, container: &str, netns: &TestNetns) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, container, &path, &network("n", "10.1.1.0/24"))
}

fn call_clean() -> Call {
    Call::new("", "", "", &network("n", "10.1.1.0/24"))
}

fn clean(arguments: &[&str]) -> String {
    let arguments = [&["clean"], arguments].concat();
    call_clean().output(&arguments)
}

/// Ends a container without a DEL. Its links go at once, not when the kernel gets round to it.
fn end(netns: TestNetns) {
    let output = netns.output("ip", &["link", "del", "eth0"]).unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn an_orphan_is_noted_first_and_removed_when_it_still_is_one() {
    sandbox::test(|| {
        let lab = lab();
        let kept = TestNetns::new("kept").unwrap();
        call("ADD", "kept", &kept).run().ok();
        // Another host's, whose link is not here.
        let other = TestNetns::new("other").unwrap();
        call("ADD", "other", &other)
            .with("CONTRAIL_NODE_NAME", "node2")
            .with("CONTRAIL_STATE_DIR", "/var/lib/node2")
            .run()
            .ok();
        end(other);
        let before = everything(&lab, &[kept.netns()]);

        // The container ends, and nobody calls DEL.
        let gone = TestNetns::new("gone").unwrap();
        call("ADD", "gone", &gone).run().ok();
        end(gone);
        let report = clean(&["--remove"]);
        assert!(report.contains("1 orphan, 0 of them removed"), "{report}");
        assert!(
            report.contains("container gone, interface eth0"),
            "{report}"
        );
        // It comes back, and is no longer an orphan: the next time starts again.
        let gone = TestNetns::new("gone").unwrap();
        call("ADD", "gone", &gone).run().ok();
        let notes = fs::read_dir("/var/lib/contrail/cni-opencontrail/orphans").unwrap();
        assert_eq!(notes.count(), 0);
        let report = clean(&["--remove", "--grace", "0"]);
        assert!(report.contains("0 orphans"), "{report}");
        end(gone);
        let report = clean(&[]);
        assert!(
            report.contains("kept; use --remove to remove it"),
            "{report}"
        );
        let report = clean(&["--remove", "--grace", "0"]);
        assert!(report.contains("1 orphan, 1 of them removed"), "{report}");
        assert_eq!(everything(&lab, &[kept.netns()]), before);
    });
}

#[test]
fn an_orphan_that_cannot_be_removed_does_not_keep_the_others() {
    sandbox::test(|| {
        let lab = lab();
        let before = everything(&lab, &[]);
        for name in ["a", "b"] {
            let netns = TestNetns::new(name).unwrap();
            call("ADD", name, &netns).run().ok();
            end(netns);
        }
        clean(&[]);
        let interface = identity::interface("node1", "a", "eth0");
        let path = format!("/virtual-machine-interface/{interface}");
        lab.faults()
            .add(fault(ConfigApi, "DELETE", &path, faults::status(403)));
        let arguments = ["clean", "--remove", "--grace", "0"];
        let (report, error) = call_clean().failure(&arguments);
        assert!(report.contains("2 orphans, 1 of them removed"), "{report}");
        assert!(report.contains("cannot be removed: "), "{report}");
        assert!(error.contains("with status 403"), "{error}");
        lab.faults().clear();
        // What failed is in the queue, and no orphan any more.
        clean(&[]);
        assert_eq!(everything(&lab, &[]), before);
    });
}

#[test]
fn removals_that_wait_are_shown_and_worked_off() {
    sandbox::test(|| {
        let lab = lab();
        let namespaces: Vec<TestNetns> = (0..12)
            .map(|number| TestNetns::new(&format!("c{number}")).unwrap())
            .collect();
        let before = everything(&lab, &[]);
        for (number, netns) in namespaces.iter().enumerate() {
            call("ADD", &format!("c{number}"), netns).run().ok();
        }
        lab.stop_service(Restartable::ConfigApi);
        for (number, netns) in namespaces.iter().enumerate() {
            call("DEL", &format!("c{number}"), netns).run().ok();
        }
        // What waits is shown also while nobody can be asked for orphans.
        let (report, error) = call_clean().failure(&["clean"]);
        assert!(report.contains("completed, 12 pending"), "{report}");
        assert!(
            report.contains("project default-domain:admin: cannot be"),
            "{report}"
        );
        assert!(error.contains("cannot reach"), "{error}");
        lab.start_service(Restartable::ConfigApi).unwrap();
        let report = clean(&[]);
        assert!(
            report.contains("12 deferred removals completed, 0 pending"),
            "{report}"
        );
        assert_eq!(everything(&lab, &[]), before);
    });
}

#[test]
fn the_machine_of_an_orphan_that_never_got_it_goes_too() {
    sandbox::test(|| {
        let lab = lab();
        let before = everything(&lab, &[]);
        let netns = TestNetns::new("c").unwrap();
        call("ADD", "c", &netns).run().ok();
        end(netns);
        // As it is when an ADD is killed before it has linked the two.
        let interface = identity::interface("node1", "c", "eth0");
        let machine = identity::virtual_machine("node1", "c");
        let name = FqName::new([machine.to_string()]);
        let to = (VirtualMachine::TYPE, machine, &name);
        client()
            .remove_ref((VirtualMachineInterface::TYPE, interface), to)
            .unwrap();
        clean(&[]);
        clean(&["--remove", "--grace", "0"]);
        assert_eq!(everything(&lab, &[]), before);
    });
}
