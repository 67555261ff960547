//! File systems without room, and read-only ones.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use contrail_lab::sandbox;
use nix::mount::{MsFlags, mount};
use opencontrail_tests::daemon::Program;
use opencontrail_tests::plugin::program;
use opencontrail_tests::world::lab;

use crate::engine::{Engine, SUBNET, objects};

const STATE: &str = "/var/lib/contrail/host1";

/// Puts a small file system in the place of the state directory.
fn small_state() {
    fs::create_dir_all(STATE).unwrap();
    let (kind, flags) = (Some("tmpfs"), MsFlags::empty());
    mount(kind, STATE, kind, flags, Some("size=64k,mode=0700")).unwrap();
}

/// Fills what is left; the file that does.
fn fill() -> impl AsRef<Path> {
    let file = Path::new(STATE).join("other-people's");
    assert!(fs::write(&file, vec![0; 1 << 20]).is_err());
    file
}

#[test]
fn nothing_is_made_that_cannot_be_noted_and_what_is_there_can_go() {
    sandbox::test(|| {
        let lab = lab();
        small_state();
        let engine = Engine::on("host1");
        let before = objects(&lab);
        let full = fill();
        let refused = engine.create_network("n1", "net1", SUBNET).unwrap_err();
        assert!(refused.contains(STATE), "{refused}");
        fs::remove_file(full).unwrap();
        assert_eq!(objects(&lab), before);

        engine.create_network("n1", "net1", SUBNET).unwrap();
        let with_network = objects(&lab);
        let full = fill();
        let refused = engine.create_endpoint("n1", "e1", "10.1.1.2/24");
        assert!(refused.unwrap_err().contains(STATE));
        fs::remove_file(full).unwrap();
        assert_eq!(objects(&lab), with_network);

        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        engine.join("n1", "e1", "s1").unwrap();
        let full = fill();
        engine.leave("n1", "e1");
        engine.delete_endpoint("n1", "e1");
        engine.delete_network("n1");
        fs::remove_file(full).unwrap();
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn a_read_only_proc_sys_is_warned_of_once_and_not_for_each_container() {
    sandbox::test(|| {
        let _lab = lab();
        let script = "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys";
        let remount = Command::new("sh").args(["-c", script]).status();
        assert!(remount.unwrap().success());
        let log = Path::new("/run/plugin.log");
        let plugin = Program::start_with(&program("cnm-opencontrail"), |command| {
            command.stderr(File::create(log).unwrap());
        });
        plugin.create_large_network().unwrap();
        for container in 0..4 {
            plugin.connect(container).unwrap();
        }
        let log = fs::read_to_string(log).unwrap();
        assert_eq!(log.matches("accept_ra").count(), 1, "{log}");
    });
}
