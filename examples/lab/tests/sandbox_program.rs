//! A whole program in a sandbox. It is a program itself, without the test harness: it starts itself
//! in the roles below.

#![allow(clippy::unwrap_used)] // a test program

use std::env;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use contrail_lab::sandbox;

const ROLE: &str = "CONTRAIL_TEST_ROLE";

fn main() -> ExitCode {
    match env::var(ROLE).as_deref() {
        Ok("arguments") => in_sandbox(|| {
            assert!(!Path::new("/run/docker.sock").exists());
            let arguments: Vec<String> = env::args().skip(1).collect();
            let mut stdout = io::stdout().lock();
            write!(stdout, "{} {arguments:?}", std::process::id()).unwrap();
            ExitCode::from(7)
        }),
        Ok("family") => in_sandbox(|| {
            Command::new("sh")
                .args(["-c", "sleep 600 & echo ready; sleep 600"])
                .status()
                .unwrap();
            ExitCode::SUCCESS
        }),
        _ => {
            if let Err(error) = start("arguments").output_or_reason() {
                sandbox::skip("sandbox_program", &error);
                return ExitCode::SUCCESS;
            }
            arguments_and_exit_code_are_passed_on();
            killing_the_program_ends_everything_it_started();
            ExitCode::SUCCESS
        }
    }
}

fn in_sandbox(work: impl FnOnce() -> ExitCode) -> ExitCode {
    match sandbox::reexec_if_needed() {
        Ok(Some(code)) => code,
        Ok(None) => work(),
        Err(error) => {
            eprint!("{error}");
            ExitCode::from(200)
        }
    }
}

struct Program(Command);

fn start(role: &str) -> Program {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(ROLE, role).stdout(Stdio::piped());
    Program(command)
}

impl Program {
    /// The reason when the system allows no sandbox.
    fn output_or_reason(mut self) -> Result<(), String> {
        let output = self.0.output().unwrap();
        match output.status.code() {
            Some(200) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            _ => Ok(()),
        }
    }
}

fn arguments_and_exit_code_are_passed_on() {
    let mut program = start("arguments").0;
    let output = program.args(["--a", "b c"]).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text, r#"1 ["--a", "b c"]"#);
}

fn killing_the_program_ends_everything_it_started() {
    let mut program = start("family").0.spawn().unwrap();
    let mut output = program.stdout.take().unwrap();
    let mut ready = [0; 6];
    output.read_exact(&mut ready).unwrap();
    assert_eq!(&ready, b"ready\n");
    program.kill().unwrap();
    program.wait().unwrap();
    // Every process of the family holds the other end of the pipe.
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}
