//! The README's commands, typed by a program: every block after `<!-- run -->`, in one shell.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use contrail_lab::sandbox;
use opencontrail_tests::plugin::program;
use opencontrail_tests::world::links;

use super::README;

/// The blocks of shell commands after the marker.
fn blocks() -> Vec<&'static str> {
    let after = README.split("<!-- run -->\n```sh\n").skip(1);
    after
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

#[test]
fn the_commands_of_the_readme_work_and_leave_nothing() {
    assert!(blocks().len() >= 5, "the marker is gone from the README");
    sandbox::isolated(
        "commands::the_commands_of_the_readme_work_and_leave_nothing",
        || {
            let before = links();
            let script = format!("set -euo pipefail\n{}", blocks().concat());
            let programs = program("cni-opencontrail")
                .parent()
                .unwrap()
                .display()
                .to_string();
            let path = env::var("PATH").unwrap_or_default();
            let output = Command::new("bash")
                .args(["-c", &script])
                .current_dir(root())
                .env("PATH", format!("{programs}:{path}"))
                .output()
                .unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (out, err) = (text(&output.stdout), text(&output.stderr));
            assert!(output.status.success(), "{out}\n{err}");
            for promised in ["10.1.1.252/24", "10.1.2.252/24", "mtu 1492", "\"code\":104"] {
                assert!(
                    out.contains(promised),
                    "{promised} is not shown:\n{out}\n{err}"
                );
            }
            assert_eq!(links(), before, "{out}\n{err}");
        },
    );
}
