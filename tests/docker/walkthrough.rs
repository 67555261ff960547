//! The README's section about Docker, typed by a program, with the images of `examples/deploy`.

use std::path::Path;
use std::process::Command;

use contrail_lab::sandbox::skip;

use crate::engine::{docker, run};
use crate::world::{World, name, taps};

const README: &str = include_str!("../../README.md");

/// The blocks of shell commands after the marker.
fn blocks() -> Vec<&'static str> {
    let after = README.split("<!-- docker -->\n```sh\n").skip(1);
    after
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect()
}

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

/// Where the plugins keep files.
const DIRECTORIES: [&str; 2] = ["/var/lib/contrail", "/run/contrail"];

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

fn shell(script: &str) -> crate::engine::Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let programs = opencontrail_tests::plugin::program("cni-opencontrail");
    let programs = programs.parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    run(Command::new("bash")
        .args(["-c", script])
        .current_dir(root)
        .env("PATH", format!("{programs}:{path}")))
}

#[test]
fn the_walk_through_works_in_containers() {
    const TEST: &str = "the_walk_through_works_in_containers";
    assert_eq!(blocks().len(), 4, "the marker is gone from the README");
    // Its lab and plugin are not used, but its turn and its image.
    let Some(world) = World::start(TEST) else {
        return;
    };
    if let Some(reason) = unavailable() {
        return skip(TEST, &reason);
    }
    let before = taps();
    let absent = |directory: &&str| !Path::new(directory).exists();
    let _remains = Remains {
        directories: DIRECTORIES.into_iter().filter(absent).collect(),
    };
    docker(&format!("tag {} alpine:3.1", name())).ok();
    let done = shell(&format!("set -euo pipefail\n{}", blocks().concat()));
    assert!(done.success, "{}\n{}", done.out, done.err);
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
        assert!(
            done.out.contains(promised),
            "{promised}:\n{}\n{}",
            done.out,
            done.err
        );
    }
    assert_eq!(taps(), before, "{}", done.out);
    world.assert_clean();
}
