//! Which paths are taken as a container's namespace.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use contrail_core::kernel::Error;
use contrail_core::kernel::{Dataplane, Kernel, Netns};
use contrail_lab::sandbox::{self, TestNetns};
use nix::mount::{MntFlags, umount2};

fn reason(path: &Path) -> String {
    match Kernel::new().open_netns(path) {
        Err(Error::Netns { reason, .. }) => reason,
        other => panic!("{}: {other:?}", path.display()),
    }
}

#[test]
fn the_same_namespace_has_the_same_id_by_every_path() {
    sandbox::test(|| {
        let made = TestNetns::new("c1").unwrap();
        symlink("/run/netns/c1", "/run/link").unwrap();
        let mut inside = made
            .netns()
            .run(|| Command::new("cat").stdin(Stdio::piped()).spawn())
            .unwrap()
            .unwrap();
        let of_process = format!("/proc/{}/ns/net", inside.id());
        for path in ["/var/run/netns/c1", "/run/link", &of_process] {
            let netns = Kernel::new().open_netns(Path::new(path)).unwrap();
            assert_eq!(netns.id(), made.netns().id(), "{path}");
            assert_eq!(netns.path(), Path::new(path));
        }
        assert_ne!(
            TestNetns::new("c2").unwrap().netns().id(),
            made.netns().id()
        );
        inside.kill().unwrap();
        inside.wait().unwrap();
        // Not even its number is left, let alone its namespace.
        assert_eq!(reason(Path::new(&of_process)), "it does not exist");
    });
}

#[test]
fn a_namespace_that_was_unmounted_is_told_apart_from_an_absent_one() {
    sandbox::test(|| {
        let made = TestNetns::new("c1").unwrap();
        let path = made.path().to_owned();
        umount2(&path, MntFlags::MNT_DETACH).unwrap();
        assert!(reason(&path).contains("no namespace is mounted there"));
        fs::remove_file(&path).unwrap();
        assert_eq!(reason(&path), "it does not exist");
    });
}

#[test]
fn the_hosts_namespace_is_refused_also_under_a_name() {
    sandbox::test(|| {
        fs::create_dir("/run/netns").unwrap();
        fs::write("/run/netns/host", "").unwrap();
        let mounted = Command::new("mount")
            .args(["--bind", "/proc/self/ns/net", "/run/netns/host"])
            .status();
        assert!(mounted.unwrap().success());
        for path in ["/run/netns/host", "/proc/self/ns/net", "/proc/1/ns/net"] {
            assert!(reason(Path::new(path)).contains("runs in"), "{path}");
        }
    });
}

#[test]
fn work_inside_leaves_the_caller_where_it_was_even_when_it_panics() {
    sandbox::test(|| {
        let made = TestNetns::new("c1").unwrap();
        let here = Netns::current().unwrap().id();
        let there = made.netns().run(|| Netns::current().unwrap().id()).unwrap();
        assert_eq!(there, made.netns().id());
        let panic = std::panic::catch_unwind(|| made.netns().run(|| panic!("inside")));
        assert!(panic.is_err());
        assert_eq!(Netns::current().unwrap().id(), here);
    });
}
