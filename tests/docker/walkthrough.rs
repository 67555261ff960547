//! What the documentation says about Docker, typed by a program, with the images of `examples/deploy`.

use std::path::Path;
use std::process::Command;

use contrail_lab::sandbox::skip;

use crate::engine::{Outcome, docker, run};
use crate::world::{World, name, taps};

const README: &str = include_str!("../../README.md");
const STEPS: &str = include_str!("../../examples/service-chain/README.md");

/// Printed between the steps.
const NEXT: &str = "--- next step ---";

/// The blocks of shell commands after the marker.
fn blocks<'a>(text: &'a str, marker: &str) -> Vec<&'a str> {
    let marker = format!("<!-- {marker} -->\n```sh\n");
    let after = text.split(&marker).skip(1);
    after
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect()
}

/// What the steps are said to print: the lines of the block that follows each.
fn outputs() -> Vec<Vec<&'static str>> {
    let steps = STEPS.split("<!-- step -->").skip(1);
    let texts = steps.map(|step| step.split("```text\n").nth(1).unwrap_or_default());
    texts
        .map(|text| {
            text.split("```")
                .next()
                .unwrap_or_default()
                .lines()
                .collect()
        })
        .collect()
}

/// Whether a line is as promised, where `…` stands for anything, and any number of blanks for one.
fn is_as(line: &str, promised: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (line, promised) = (words(line), words(promised));
    let mut parts = promised.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let mut open_end = false;
    for part in parts {
        let Some(found) = rest.find(part) else {
            return false;
        };
        rest = &rest[found + part.len()..];
        open_end = part.is_empty();
    }
    rest.is_empty() || open_end
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let programs = opencontrail_tests::plugin::program("cni-opencontrail");
    let programs = programs.parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    run(Command::new("bash")
        .args(["-c", script])
        .current_dir(root)
        .env("PATH", format!("{programs}:{path}")))
}

/// Types the blocks, one after the other in one shell; what each has printed.
fn typed(test: &str, blocks: &[&str]) -> Option<Vec<String>> {
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
    let script = blocks.join(&format!("\necho\necho '{NEXT}'\n"));
    let done = shell(&format!("set -euo pipefail\n{script}"));
    assert!(done.success, "{}\n{}", done.out, done.err);
    assert_eq!(taps(), before, "{}", done.out);
    drop(remains);
    world.assert_clean();
    Some(done.out.split(NEXT).map(str::to_owned).collect())
}

#[test]
fn the_walk_through_works_in_containers() {
    let blocks = blocks(README, "docker");
    assert_eq!(blocks.len(), 4, "the marker is gone from the README");
    let Some(out) = typed("the_walk_through_works_in_containers", &blocks) else {
        return;
    };
    let out = out.concat();
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
    let (blocks, outputs) = (blocks(STEPS, "step"), outputs());
    assert_eq!(blocks.len(), 10, "the marker is gone from the steps");
    assert!(outputs.iter().all(|lines| !lines.is_empty()));
    let Some(printed) = typed("each_step_prints_what_its_description_says", &blocks) else {
        return;
    };
    assert_eq!(printed.len(), outputs.len());
    let mut missing = Vec::new();
    for (printed, promised) in printed.iter().zip(outputs) {
        // Each promised line, in this order; there may be others between them.
        let mut lines = printed.lines();
        let mut absent = promised
            .into_iter()
            .filter(|line| !lines.any(|printed| is_as(printed, line)));
        missing.extend(
            absent
                .next()
                .map(|line| format!("{line}\n is not, or not there, in:\n{printed}")),
        );
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_promised_line_may_leave_things_open() {
    for (line, promised) in [
        ("a  b", "a b"),
        ("2: eth0@if7: <UP> mtu 1500 qdisc", "… eth0@… mtu 1500 …"),
        ("{\"a\":1}", "{…}"),
    ] {
        assert!(is_as(line, promised), "{promised}");
    }
    for (line, promised) in [("a b", "a"), ("a b", "… a"), ("mtu 1492 x", "… mtu 1500 …")] {
        assert!(!is_as(line, promised), "{promised}");
    }
}
