//! An attach that is killed while the API has its request: what the API makes of that after everything
//! was taken away is found, too.

use contrail_core::api::{
    ListQuery, Resource, VirtualMachine, VirtualMachineInterface, VirtualNetwork,
};
use contrail_lab::faults::{Action, Rule};
use contrail_lab::http::ServiceName::ConfigApi;
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::wait_for;
use opencontrail_tests::world::{client, everything, fault, lab, let_time_pass, network};

fn call(command: &str, container: &str, netns: &TestNetns) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, container, &path, &network("n", "10.1.1.0/24"))
}

/// The object of a type as the plugin has made it for a container.
fn made_for<R: Resource>(container: &str) -> R {
    let all: Vec<R> = client().list(&ListQuery::all().detail()).unwrap();
    let is_meant =
        |object: &R| object.meta().annotations.get("container-plugin.container") == Some(container);
    all.into_iter().find(is_meant).unwrap()
}

/// Kills an ADD while the creation of an object of this type waits at the API, and sends the DEL at once.
fn killed_at_the_creation_of(lab: &Lab, kind: &str, netns: &TestNetns) {
    let rule = Rule {
        count: Some(1),
        ..fault(ConfigApi, "POST", &format!("/{kind}s"), Action::Hang)
    };
    lab.faults().add(rule);
    let running = call("ADD", "c", netns).start();
    wait_for("the request that waits", || {
        lab.faults().list()[0].hit == 1 && running.is_waiting()
    });
    running.kill();
    call("DEL", "c", netns).run().ok();
    lab.faults().clear();
}

#[test]
fn a_network_that_is_made_after_the_end_of_its_container_goes_with_the_next_call() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        call("ADD", "c", &netns).run().ok();
        let name = "default-domain:admin:n".parse().unwrap();
        let mut late: VirtualNetwork = client().lookup(&name).unwrap().unwrap();
        late.meta.uuid = None;
        late.rest.clear();
        call("DEL", "c", &netns).run().ok();
        let before = everything(&lab, &[netns.netns()]);

        killed_at_the_creation_of(&lab, "virtual-network", &netns);
        client().create(&late).unwrap();
        call("DEL", "stranger", &netns).run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);

        // One that never comes is looked for only as long as it may.
        killed_at_the_creation_of(&lab, "virtual-network", &netns);
        call("DEL", "c", &netns).run().ok();
        assert_ne!(everything(&lab, &[netns.netns()]), before);
        let_time_pass();
        call("DEL", "c", &netns).run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

#[test]
fn what_else_is_made_after_the_end_of_its_container_is_found_by_clean() {
    sandbox::test(|| {
        let lab = lab();
        let other = TestNetns::new("other").unwrap();
        call("ADD", "other", &other).run().ok();
        let before = everything(&lab, &[]);
        let netns = TestNetns::new("c").unwrap();
        call("ADD", "c", &netns).run().ok();
        let machine = made_for::<VirtualMachine>("c");
        let mut interface = made_for::<VirtualMachineInterface>("c");
        interface.virtual_machine_refs.clear();
        call("DEL", "c", &netns).run().ok();
        drop(netns);

        client().create(&machine).unwrap();
        client().create(&interface).unwrap();
        let clean = |arguments: &[&str]| {
            let arguments = [&["clean"], arguments].concat();
            Call::new("", "", "", &network("n", "10.1.1.0/24")).output(&arguments)
        };
        let report = clean(&[]);
        let idle = format!("virtual machine {} of container c", machine.uuid().unwrap());
        assert!(report.contains(&idle), "{report}");
        assert!(report.contains("container c, interface eth0"), "{report}");
        let report = clean(&["--remove", "--grace", "0"]);
        assert!(report.contains("1 of them removed"), "{report}");
        assert_eq!(everything(&lab, &[]), before);
    });
}
