//! `cargo demo`: builds and runs the walk-through as `cargo run --bin walkthrough` does at the top of the
//! workspace. In the directory of a package, that command would look for the program in this package.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(mut cargo) = demo_launcher::cargo("run") else {
        eprintln!("demo-launcher: cargo did not start this program; run `cargo demo`");
        return ExitCode::FAILURE;
    };
    cargo.args(["--bin", "walkthrough", "--"]);
    cargo.args(env::args_os().skip(1));
    let error = cargo.exec();
    eprintln!(
        "demo-launcher: cannot run {}: {error}",
        cargo.get_program().display()
    );
    ExitCode::FAILURE
}
