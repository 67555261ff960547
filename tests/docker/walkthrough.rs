//! What the documentation says about Docker, typed by a program, with the images of `examples/deploy`.

use std::path::Path;
use std::process::Command;

use contrail_lab::sandbox::skip;
use opencontrail_tests::pages::{Step, missing, root, script, steps};

use crate::engine::{Outcome, docker, run};
use crate::world::{World, name, taps};

const DOCKER: &str = include_str!("../../docs/docker.md");
const STEPS: &str = include_str!("../../examples/service-chain/README.md");

/// Why the plugin cannot have its usual name here.
fn unavailable() -> Option<String> {
    for image in ["opencontrail/cnm", "opencontrail/cni"] {
        if !docker(&format!("image inspect {image}")).success {
            return Some(format!(
                "no image {image}: run examples/deploy/build-image first"
            ));
        }
    }
    let socket = "/run/docker/plugins/opencontrail.sock";
    let taken = Path::new(socket).exists();
    taken.then(|| format!("a plugin has {socket} already"))
}

/// Where the plugins keep files, and what the engine makes for the volumes of the compose file.
const DIRECTORIES: [&str; 4] = [
    "/var/lib/contrail",
    "/run/contrail",
    "/etc/cni/net.d",
    "/etc/cni",
];

/// What the commands leave: the directories that they made, and more when one of them fails.
struct Remains {
    directories: Vec<&'static str>,
}

impl Drop for Remains {
    fn drop(&mut self) {
        let script = "docker rm -f cnmSI; docker rm -f alp1 alp2; docker network rm net1 net2; ip netns del cniSI;
            cd examples/service-chain; docker-compose down; contrail-lab down; docker rmi alpine:3.1";
        shell(script);
        for directory in &self.directories {
            std::fs::remove_dir_all(directory).ok();
        }
    }
}

fn shell(script: &str) -> Outcome {
    let programs = opencontrail_tests::plugin::program("cni-opencontrail");
    let programs = programs.parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    run(Command::new("bash")
        .args(["-c", script])
        .current_dir(root())
        .env("PATH", format!("{programs}:{path}")))
}

/// Types the steps, one after the other in one shell; what they have printed.
fn typed(test: &str, steps: &[Step]) -> Option<String> {
    // Its lab and plugin are not used, but its turn and its image.
    let world = World::start(test)?;
    if let Some(reason) = unavailable() {
        skip(test, &reason);
        return None;
    }
    let before = taps();
    let absent = |directory: &&str| !Path::new(directory).exists();
    let remains = Remains {
        directories: DIRECTORIES.into_iter().filter(absent).collect(),
    };
    docker(&format!("tag {} alpine:3.1", name())).ok();
    let done = shell(&script(steps));
    assert!(done.success, "{}\n{}", done.out, done.err);
    assert_eq!(taps(), before, "{}", done.out);
    drop(remains);
    world.assert_clean();
    Some(done.out)
}

#[test]
fn the_walk_through_works_in_containers() {
    let steps = steps(DOCKER, "docker");
    assert_eq!(steps.len(), 4, "the marker is gone from docs/docker.md");
    let Some(out) = typed("the_walk_through_works_in_containers", &steps) else {
        return;
    };
    for promised in [
        "10.1.1.2/24",
        "10.1.2.2/24",
        "10.1.1.254/24",
        "10.1.2.254/24",
        "3 packets received",
        "chain net1-net2: complete",
        "delivered",
        "ttl=61",
    ] {
        assert!(out.contains(promised), "{promised}:\n{out}");
    }
}

#[test]
fn each_step_prints_what_its_description_says() {
    let steps = steps(STEPS, "step");
    assert_eq!(steps.len(), 10, "the marker is gone from the steps");
    assert!(steps.iter().all(|step| !step.promised.is_empty()));
    let Some(printed) = typed("each_step_prints_what_its_description_says", &steps) else {
        return;
    };
    let missing = missing(&steps, &printed);
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
