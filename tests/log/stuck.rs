//! A log that nobody reads, or that has no room: the programs serve and end all the same.

use std::fs::{self, File, OpenOptions};
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use contrail_lab::sandbox::{self, TestNetns};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::mount::{MsFlags, mount};
use opencontrail_tests::daemon::Program;
use opencontrail_tests::plugin::{Call, program};
use opencontrail_tests::wait_for;
use opencontrail_tests::world::{lab, network};
use serde_json::json;

/// More than a call on an idle machine takes, and less than its time limit.
pub const TIME: Duration = Duration::from_secs(15);

/// A standard error that nobody reads: the reader, how much is in it, and the writer.
pub fn full_pipe() -> (PipeReader, usize, Stdio) {
    let (reader, writer) = io::pipe().unwrap();
    let set = |flags| fcntl(writer.as_fd(), FcntlArg::F_SETFL(flags)).unwrap();
    set(OFlag::O_NONBLOCK);
    let mut filler = writer.try_clone().unwrap();
    let mut size = 0;
    while let Ok(count) = filler.write(b"x") {
        size += count;
    }
    set(OFlag::empty());
    (reader, size, writer.into())
}

pub fn dev_full() -> Stdio {
    let full = OpenOptions::new().write(true).open("/dev/full");
    full.unwrap().into()
}

fn call(command: &str, netns: &TestNetns) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, "c", &path, &network("n", "10.1.1.0/24")).with("LOG_LEVEL", "trace")
}

#[test]
fn calls_of_the_cni_plugin_end_although_nobody_reads_their_log() {
    sandbox::test(|| {
        let _lab = lab();
        let netns = TestNetns::new("c").unwrap();
        for command in ["ADD", "DEL"] {
            let (_reader, _, writer) = full_pipe();
            for stderr in [writer, dev_full()] {
                let outcome = call(command, &netns).start_with_stderr(stderr).wait();
                assert!(outcome.time < TIME, "{command}: {:?}", outcome.time);
                // The second ADD finds the interface of the first.
                assert!(outcome.success || command == "ADD", "{}", outcome.json);
            }
        }
    });
}

#[test]
fn an_error_of_the_cni_plugin_reaches_the_runtime_although_nobody_reads_the_log() {
    sandbox::test(|| {
        let netns = TestNetns::new("c").unwrap();
        let (_reader, _, writer) = full_pipe();
        for stderr in [writer, dev_full()] {
            let call = call("ADD", &netns).with("CONTRAIL_ATTACH_TIMEOUT", "2");
            let outcome = call.start_with_stderr(stderr).wait();
            assert!(outcome.time < TIME, "{:?}", outcome.time);
            assert_eq!(outcome.json["code"], 11, "{}", outcome.json);
        }
    });
}

fn daemon(stderr: Stdio, log_file: Option<&Path>) -> Program {
    Program::start_with(&program("cnm-opencontrail"), |command| {
        command.env("LOG_LEVEL", "trace").stderr(stderr);
        if let Some(file) = log_file {
            command.env("LOG_FILE", file);
        }
    })
}

/// Several calls, each with many messages.
fn serves(daemon: &Program) {
    for number in 0..5 {
        daemon.connect(number).unwrap();
        daemon.disconnect(number).unwrap();
    }
}

#[test]
fn the_daemon_serves_and_ends_although_nobody_reads_its_log() {
    sandbox::test(|| {
        let _lab = lab();
        for stderr in [full_pipe(), (io::pipe().unwrap().0, 0, dev_full())] {
            let (_reader, _, stderr) = stderr;
            let daemon = daemon(stderr, None);
            daemon.create_large_network().unwrap();
            serves(&daemon);
            let network = json!({"NetworkID": "n1"});
            daemon.call("DeleteNetwork", &network).unwrap();
            assert!(daemon.stop().success());
        }
    });
}

#[test]
fn a_reader_that_returns_learns_how_many_messages_were_lost() {
    sandbox::test(|| {
        let _lab = lab();
        let (mut reader, size, stderr) = full_pipe();
        let daemon = daemon(stderr, None);
        daemon.create_large_network().unwrap();
        serves(&daemon);
        reader.read_exact(&mut vec![0; size]).unwrap();
        serves(&daemon);
        assert!(daemon.stop().success());
        let log = io::read_to_string(reader).unwrap();
        let notice = log.lines().find(|line| line.contains(" lost "));
        let notice = notice.unwrap_or_else(|| panic!("no notice: {log}"));
        let (_, rest) = notice.split_once("warn: standard error lost ").unwrap();
        let (count, reason) = rest.split_once(" messages: ").unwrap();
        assert!(count.parse::<u64>().unwrap() > 5, "{notice}");
        assert_eq!(reason, "nobody reads it");
    });
}

#[test]
fn a_log_file_without_room_loses_messages_and_says_so_when_there_is_room() {
    sandbox::test(|| {
        let _lab = lab();
        let dir = Path::new("/run/log");
        fs::create_dir_all(dir).unwrap();
        let (kind, flags) = (Some("tmpfs"), MsFlags::empty());
        mount(kind, dir, kind, flags, Some("size=64k")).unwrap();
        let (filler, log) = (dir.join("filler"), dir.join("log"));
        File::create(&log).unwrap();
        assert!(fs::write(&filler, vec![0; 1 << 20]).is_err());

        let daemon = daemon(Stdio::null(), Some(&log));
        daemon.create_large_network().unwrap();
        serves(&daemon);
        assert_eq!(fs::read_to_string(&log).unwrap(), "");
        fs::remove_file(&filler).unwrap();
        serves(&daemon);
        let notice = "the log file lost ";
        wait_for("the notice", || {
            fs::read_to_string(&log).unwrap().contains(notice)
        });
        assert!(daemon.stop().success());
    });
}
