use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Lease {
    seconds: u64,
}

impl Entry for Lease {
    const KIND: &str = "lease";
    const VERSION: u32 = 1;
}

const ID: Uuid = Uuid::from_u128(1);
const LEASE: Lease = Lease { seconds: 60 };

struct World {
    dir: tempfile::TempDir,
    leases: Entries<Uuid, Lease>,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let leases = Entries::new(dir.path().join("leases"), Durability::Unsynced);
    World { dir, leases }
}

impl World {
    fn path(&self) -> PathBuf {
        self.leases.path(&ID).unwrap()
    }

    fn set_aside(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.dir.path().join("leases/damaged"));
        let files = files.into_iter().flatten();
        files.map(|file| file.unwrap().path()).collect()
    }
}

#[test]
fn entries_are_private_and_read_back_until_they_are_removed() {
    let world = world();
    let leases = &world.leases;
    assert_eq!(leases.find(&ID).unwrap(), Lookup::Absent);
    assert!(leases.keys().unwrap().is_empty());
    leases.put(&ID, &LEASE).unwrap();
    let mode = fs::metadata(world.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(leases.all().unwrap(), [(ID, LEASE)]);
    assert!(leases.written(&ID).unwrap().is_some());
    assert!(leases.remove(&ID).unwrap());
    assert!(!leases.remove(&ID).unwrap());
    assert_eq!(leases.written(&ID).unwrap(), None);
}

#[test]
fn a_damaged_entry_is_set_aside_with_its_content() {
    let world = world();
    world.leases.put(&ID, &LEASE).unwrap();
    fs::write(world.path(), "{").unwrap();
    assert_eq!(world.leases.find(&ID).unwrap(), Lookup::Damaged);
    assert_eq!(world.leases.find(&ID).unwrap(), Lookup::Absent);
    let aside = world.set_aside();
    assert_eq!(aside.len(), 1);
    assert_eq!(fs::read_to_string(&aside[0]).unwrap(), "{");
    assert!(world.leases.keys().unwrap().is_empty());
}

#[test]
fn only_a_few_damaged_entries_are_kept_and_the_oldest_is_removed() {
    let world = world();
    let id = |number| Uuid::from_u128(number);
    for number in 1..=20 {
        world.leases.put(&id(number), &LEASE).unwrap();
        let path = world.leases.path(&id(number)).unwrap();
        fs::write(&path, "{").unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(number as u64);
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
        assert_eq!(world.leases.get(&id(number)).unwrap(), None);
    }
    let aside = world.set_aside();
    assert_eq!(aside.len(), 16);
    let is_kept = |number: u128| {
        let name = id(number).to_string();
        aside
            .iter()
            .any(|path| path.to_string_lossy().contains(&name))
    };
    assert!(!is_kept(4) && is_kept(5));
}

#[test]
fn what_is_not_a_regular_file_is_moved_aside_and_not_waited_for() {
    let world = world();
    let path = world.path();
    world.leases.put(&ID, &LEASE).unwrap();
    let outside = world.dir.path().join("outside");
    fs::rename(&path, &outside).unwrap();
    for make in [
        &|| symlink(&outside, &path).unwrap(),
        &|| fs::create_dir(&path).unwrap(),
        &|| nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap(),
        &|| fs::write(&path, vec![b' '; (1 << 20) + 1]).unwrap(),
    ] as [&dyn Fn(); 4]
    {
        make();
        assert_eq!(world.leases.find(&ID).unwrap(), Lookup::Damaged);
        assert_eq!(world.leases.find(&ID).unwrap(), Lookup::Absent);
    }
    assert_eq!(world.set_aside().len(), 4);
    assert!(outside.exists());
}

#[test]
fn a_newer_entry_stops_nothing_and_is_not_overwritten() {
    let world = world();
    world.leases.put(&ID, &LEASE).unwrap();
    let newer = r#"{"kind": "lease", "version": 2, "written_by": "x 9.0.0", "entry": {}}"#;
    fs::write(world.path(), newer).unwrap();
    let text = crate::error::report(&world.leases.get(&ID).unwrap_err());
    assert!(text.contains(&world.path().display().to_string()), "{text}");
    assert!(text.contains("x 9.0.0"), "{text}");
    assert_eq!(world.leases.find(&ID).unwrap(), Lookup::Newer);
    assert_eq!(world.leases.peek(&ID).unwrap(), Lookup::Newer);
    let other = Uuid::from_u128(77);
    world.leases.put(&other, &LEASE).unwrap();
    assert_eq!(world.leases.all().unwrap(), [(other, LEASE)]);
    assert_eq!(world.leases.keys().unwrap().len(), 2);
    assert_eq!(fs::read_to_string(world.path()).unwrap(), newer);
}

#[test]
fn the_oldest_entry_comes_first_and_foreign_files_are_left_alone() {
    let world = world();
    for (number, second) in [(1, 30), (2, 10), (3, 20)] {
        let id = Uuid::from_u128(number);
        world.leases.put(&id, &LEASE).unwrap();
        let path = world.leases.path(&id).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        file.set_modified(time).unwrap();
    }
    let foreign = world.path().with_file_name("notes.txt");
    fs::write(&foreign, "x").unwrap();
    let order = world.leases.by_age().unwrap().into_iter();
    let order: Vec<u128> = order.map(|(_, id)| id.as_u128()).collect();
    assert_eq!(order, [2, 3, 1]);
    assert!(foreign.exists());
}
