//! A state directory that is full or cannot be written.

use std::fs;
use std::path::{Path, PathBuf};

use contrail_lab::lab::{Lab, Restartable};
use contrail_lab::sandbox::{self, TestNetns};
use nix::mount::{MsFlags, mount, umount};
use opencontrail_tests::plugin::{Call, Outcome};
use opencontrail_tests::world::{everything, lab, network};

const STATE: &str = "/var/lib/contrail/cni-opencontrail";

/// "A file cannot be read or written."
const IO_FAILURE: u64 = 5;

fn call(command: &str, netns: &TestNetns) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, "c", &path, &network("n", "10.1.1.0/24"))
}

/// Puts a file system of this size in the place of the state directory.
fn state_of(size: &str) {
    fs::create_dir_all(STATE).unwrap();
    let options = format!("size={size},mode=0700");
    let (kind, flags) = (Some("tmpfs"), MsFlags::empty());
    mount(kind, STATE, kind, flags, Some(options.as_str())).unwrap();
}

/// Why nothing can be written.
#[derive(Clone, Copy)]
enum Trouble {
    Full,
    ReadOnly,
}

impl Trouble {
    const BOTH: [Self; 2] = [Self::Full, Self::ReadOnly];

    fn begin(self) {
        match self {
            Self::Full => {
                let written = fs::write(filler(), vec![0; 1 << 20]);
                assert!(written.is_err(), "the file system has room for a megabyte");
            }
            Self::ReadOnly => set_read_only(true),
        }
    }

    fn end(self) {
        match self {
            Self::Full => fs::remove_file(filler()).unwrap(),
            Self::ReadOnly => set_read_only(false),
        }
    }
}

fn filler() -> PathBuf {
    Path::new(STATE).join("other-people's")
}

fn set_read_only(read_only: bool) {
    let mut flags = MsFlags::MS_REMOUNT;
    flags.set(MsFlags::MS_RDONLY, read_only);
    mount(None::<&str>, STATE, None::<&str>, flags, None::<&str>).unwrap();
}

fn names_the_directory(outcome: &Outcome) {
    assert!(!outcome.success, "{}", outcome.json);
    assert_eq!(outcome.json["code"], IO_FAILURE, "{}", outcome.json);
    assert!(outcome.json.to_string().contains(STATE), "{}", outcome.json);
}

/// Runs the case on a state directory that each trouble can befall, and checks that it leaves nothing.
fn in_each_trouble(case: impl Fn(&Lab, &TestNetns, Trouble)) {
    let lab = lab();
    let netns = TestNetns::new("c").unwrap();
    for trouble in Trouble::BOTH {
        state_of("64k");
        let before = everything(&lab, &[netns.netns()]);
        case(&lab, &netns, trouble);
        assert_eq!(everything(&lab, &[netns.netns()]), before);
        umount(STATE).unwrap();
    }
}

#[test]
fn add_with_a_state_directory_that_cannot_be_written_is_refused_and_leaves_nothing() {
    sandbox::test(|| {
        in_each_trouble(|lab, netns, trouble| {
            let before = everything(lab, &[netns.netns()]);
            trouble.begin();
            names_the_directory(&call("ADD", netns).run());
            let status = call("STATUS", netns).run();
            assert_eq!(status.json["code"], 50, "{}", status.json);
            assert!(status.json.to_string().contains(STATE), "{}", status.json);
            trouble.end();
            assert_eq!(everything(lab, &[netns.netns()]), before);
            call("ADD", netns).run().ok();
            call("DEL", netns).run().ok();
        })
    });
}

#[test]
fn del_does_not_claim_what_it_could_neither_do_nor_note() {
    sandbox::test(|| {
        in_each_trouble(|lab, netns, trouble| {
            call("ADD", netns).run().ok();
            trouble.begin();
            lab.stop_service(Restartable::ConfigApi);
            names_the_directory(&call("DEL", netns).run());
            lab.start_service(Restartable::ConfigApi).unwrap();
            trouble.end();
            // The runtime asks again.
            call("DEL", netns).run().ok();
        })
    });
}

#[test]
fn del_of_what_was_never_there_needs_no_directory_to_write_to() {
    sandbox::test(|| {
        in_each_trouble(|_, netns, trouble| {
            trouble.begin();
            let deleted = call("DEL", netns).run().ok();
            assert_eq!(deleted.log, "");
            trouble.end();
        })
    });
}

#[test]
fn del_works_without_noting_anything_while_the_directory_cannot_be_written() {
    sandbox::test(|| {
        in_each_trouble(|_, netns, trouble| {
            call("ADD", netns).run().ok();
            trouble.begin();
            // Runtimes ask again, also for what is gone.
            call("DEL", netns).run().ok();
            call("DEL", netns).run().ok();
            trouble.end();
            // Notes that could not be removed go with the next call.
            call("DEL", netns).run().ok();
        })
    });
}
