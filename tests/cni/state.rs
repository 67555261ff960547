//! A state directory that others can change, and odd files in it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use contrail_core::values::identity;
use contrail_lab::lab::{Lab, Restartable};
use contrail_lab::sandbox::{self, TestNetns};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use opencontrail_tests::plugin::{Call, program};
use opencontrail_tests::world::{everything, lab, network};
use uuid::Uuid;

const STATE: &str = "/var/lib/contrail/cni-opencontrail";

fn call(command: &str, netns: &TestNetns) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, "c", &path, &network("n", "10.1.1.0/24"))
}

/// Everything outside of the state directory.
fn outside(lab: &Lab, netns: &TestNetns) -> BTreeSet<String> {
    let mut all = everything(lab, &[netns.netns()]);
    all.retain(|line| !line.contains(STATE));
    all
}

/// Something that makes the plugin refuse the directory, and what the error says to do.
type Refusal = (fn(&Path), &'static str);

const REFUSALS: [Refusal; 4] = [
    (|state| set_mode(state, 0o777), "run `chmod go-w"),
    (|state| set_mode(state, 0o1777), "run `chmod go-w"),
    (
        |state| set_mode(&state.join("uses"), 0o775),
        "run `chmod go-w",
    ),
    (
        |state| {
            let elsewhere = Path::new("/var/lib/elsewhere");
            fs::rename(state.join("uses"), elsewhere).unwrap();
            symlink(elsewhere, state.join("uses")).unwrap();
        },
        "it is a symbolic link, which no plugin has made: remove it",
    ),
];

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn a_directory_that_others_can_change_is_refused_by_add_and_del_does_what_it_can_without() {
    for (spoil, remedy) in REFUSALS {
        sandbox::test(|| {
            let lab = lab();
            let netns = TestNetns::new("c").unwrap();
            // The network stays, whatever is known of it.
            let other = TestNetns::new("other").unwrap();
            let path = other.path().display().to_string();
            let network = network("n", "10.1.1.0/24");
            Call::new("ADD", "other", &path, &network).run().ok();
            let before = outside(&lab, &netns);

            call("ADD", &netns).run().ok();
            spoil(Path::new(STATE));
            let deleted = call("DEL", &netns).run().ok();
            assert!(deleted.log.contains(remedy), "{}", deleted.log);
            assert_eq!(outside(&lab, &netns), before);

            let added = call("ADD", &netns).run();
            assert_eq!(added.json["code"], 5, "{}", added.json);
            assert!(added.json.to_string().contains(remedy), "{}", added.json);
            assert_eq!(outside(&lab, &netns), before);
        });
    }
}

#[test]
fn del_says_when_it_can_neither_remove_nor_record() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        call("ADD", &netns).run().ok();
        fs::create_dir_all(Path::new(STATE).join("pending")).unwrap();
        set_mode(&Path::new(STATE).join("pending"), 0o777);
        lab.stop_service(Restartable::ConfigApi);
        let deleted = call("DEL", &netns).run();
        assert_eq!(deleted.json["code"], 5, "{}", deleted.json);
        assert!(
            deleted.json.to_string().contains("chmod go-w"),
            "{}",
            deleted.json
        );
    });
}

#[test]
fn deployments_that_others_cannot_change_are_used() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        // A package makes it; a mount may be elsewhere.
        let elsewhere = Path::new("/var/lib/elsewhere");
        fs::create_dir_all(elsewhere).unwrap();
        set_mode(elsewhere, 0o755);
        fs::create_dir_all("/var/lib/contrail").unwrap();
        symlink(elsewhere, STATE).unwrap();
        call("ADD", &netns).run().ok();
        assert!(elsewhere.join("nodes.json").exists());
        call("DEL", &netns).run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

/// Puts something else in the place of a file.
type Oddity = fn(&Path);

const ODDITIES: [Oddity; 8] = [
    |path| mkfifo(path, Mode::S_IRWXU).unwrap(),
    |path| fs::create_dir(path).unwrap(),
    |path| {
        // Names of sockets are short.
        let short = Path::new(STATE).join("s");
        drop(UnixListener::bind(&short).unwrap());
        fs::rename(&short, path).unwrap();
    },
    |path| symlink("/dev/zero", path).unwrap(),
    |path| symlink("/nowhere", path).unwrap(),
    |path| fs::write(path, "").unwrap(),
    |path| fs::write(path, b"\xff\xfe{\n\xff").unwrap(),
    |path| fs::write(path, vec![b' '; 2 << 20]).unwrap(),
];

/// The files of the state that a call for this container reads or writes.
fn files(network: Uuid) -> Vec<PathBuf> {
    let interface = identity::interface("node1", "c", "eth0");
    let names = [
        "nodes".to_owned(),
        "nodes.json".to_owned(),
        format!("uses/{interface}.json"),
        format!("pending/{interface}.json"),
        format!("orphans/{interface}.json"),
        format!("members/{network}_{interface}"),
        format!("leaving/{network}_{interface}"),
    ];
    names.map(|name| Path::new(STATE).join(name)).into()
}

fn put(oddity: Oddity, files: &[PathBuf]) {
    for file in files {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        set_mode(file.parent().unwrap(), 0o700);
        fs::remove_file(file).ok();
        fs::remove_dir(file).ok();
        oddity(file);
    }
}

#[test]
fn odd_files_in_the_place_of_the_state_stop_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let other = TestNetns::new("other").unwrap();
        let path = other.path().display().to_string();
        let shared = network("n", "10.1.1.0/24");
        Call::new("ADD", "other", &path, &shared).run().ok();
        let members = fs::read_dir(Path::new(STATE).join("members")).unwrap();
        let member = members
            .map(|file| file.unwrap().file_name())
            .next()
            .unwrap();
        let (network, _) = member.to_str().unwrap().split_once('_').unwrap();
        let files = files(network.parse().unwrap());
        let before = outside(&lab, &netns);
        for (number, oddity) in ODDITIES.into_iter().enumerate() {
            put(oddity, &files);
            let added = call("ADD", &netns).run();
            assert!(
                added.success,
                "oddity {number}: {}\n{}",
                added.json, added.log
            );
            put(oddity, &files);
            let deleted = call("DEL", &netns).run();
            assert!(
                deleted.success,
                "oddity {number}: {}\n{}",
                deleted.json, deleted.log
            );
            assert_eq!(outside(&lab, &netns), before, "oddity {number}");
        }
    });
}

/// All files below a directory.
fn below(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let lists = paths.map(|path| match path.is_dir() {
        true => below(&path),
        false => vec![path],
    });
    lists.flatten().collect()
}

#[test]
fn a_limit_of_the_size_of_files_is_an_error_and_leaves_no_temporary_file() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = outside(&lab, &netns);
        let mut command = Command::new(program("cni-opencontrail"));
        command
            .env_clear()
            .envs([
                ("CNI_COMMAND", "ADD"),
                ("CNI_CONTAINERID", "c"),
                ("CNI_IFNAME", "eth0"),
                ("CNI_PATH", "/opt/cni/bin"),
                ("API_SERVER_IP", "127.0.0.1"),
            ])
            .env("CNI_NETNS", netns.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let limit = || Ok(setrlimit(Resource::RLIMIT_FSIZE, 4, 4)?);
        // SAFETY: setrlimit may be called between fork and exec.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(limit);
        }
        let mut child = command.spawn().unwrap();
        let input = network("n", "10.1.1.0/24").to_string();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let error: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(error["code"], 5, "{error}");
        assert_eq!(output.status.code(), Some(1));
        for dir in [STATE, "/run/contrail"] {
            let mut left = below(Path::new(dir));
            left.retain(|path| fs::metadata(path).unwrap().len() > 0);
            assert!(left.is_empty(), "{left:?}");
            let hidden = |path: &PathBuf| path.file_name().unwrap().as_encoded_bytes()[0] == b'.';
            assert!(!below(Path::new(dir)).iter().any(hidden));
        }
        assert_eq!(outside(&lab, &netns), before);
    });
}
