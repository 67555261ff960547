use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::error::report;
use crate::state::{Durability, Entries, Index};
use uuid::Uuid;

fn with_mode(dir: &Path, mode: u32) {
    fs::set_permissions(dir, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn directories_that_others_can_write_to_are_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    for (mode, is_used) in [
        (0o700, true),
        (0o750, true),
        (0o755, true),
        (0o2755, true),
        (0o775, false),
        (0o757, false),
        (0o777, false),
        (0o1777, false),
    ] {
        with_mode(dir.path(), mode);
        let checked = prepare(dir.path());
        assert_eq!(checked.is_ok(), is_used, "{mode:o}: {checked:?}");
        if let Err(error) = checked {
            let (text, path) = (report(&error), dir.path().display());
            assert!(
                text.contains(&format!("its mode {mode:04o} lets other users")),
                "{text}"
            );
            assert!(
                text.ends_with(&format!("run `chmod go-w {path}`")),
                "{text}"
            );
        }
    }
    with_mode(dir.path(), 0o700);
}

#[test]
fn only_directories_of_this_user_and_of_root_are_used() {
    for (owner, own) in [(0, 0), (1000, 1000), (0, 1000)] {
        check_uid(owner, own).unwrap();
    }
    for (owner, own) in [(1000, 0), (1000, 1001), (65534, 0)] {
        let error = check_uid(owner, own).unwrap_err();
        let expected = format!("it belongs to user {owner}, not to user {own}");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_missing_directory_is_created_for_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b");
    prepare(&path).unwrap();
    for path in [&path, path.parent().unwrap()] {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o700);
    }
}

#[test]
fn an_administrator_may_link_the_state_directory_and_nobody_what_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    fs::create_dir(&target).unwrap();
    with_mode(&target, 0o700);
    symlink(&target, &link).unwrap();
    prepare(&link).unwrap();
    assert!(check(&link, Links::Refused).is_err());

    let index = Index::<Uuid>::new(&link);
    let id = Uuid::from_u128(1);
    for error in [
        index.insert(&id).unwrap_err(),
        index.remove(&id).unwrap_err(),
        index.keys().unwrap_err(),
        index.written(&id).unwrap_err(),
    ] {
        let text = report(&error);
        assert!(
            text.ends_with("which no plugin has made: remove it"),
            "{text}"
        );
    }
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn what_is_no_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let text = report(&prepare(&file).unwrap_err());
    assert!(text.ends_with("it is not a directory: remove it"), "{text}");
    // The system's answer about a parent is another matter.
    assert!(!is_refusal(&prepare(&file.join("below")).unwrap_err()));
}

#[test]
fn a_refused_directory_is_empty_for_those_that_go_on_without_it_and_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    let id = Uuid::from_u128(1);
    Entries::<Uuid, String>::new(&target, Durability::Unsynced)
        .put(&id, &"theirs".to_owned())
        .unwrap();
    symlink(&target, &link).unwrap();
    let entries = Entries::<Uuid, String>::new(&link, Durability::Unsynced).best_effort();
    assert_eq!(entries.get(&id).unwrap(), None);
    assert!(entries.keys().unwrap().is_empty());
    assert!(!entries.remove(&id).unwrap());
    assert!(entries.put(&id, &"ours".to_owned()).is_err());
    let index = Index::<Uuid>::new(&link).ending(".json").best_effort();
    assert!(index.keys().unwrap().is_empty());
    assert!(index.insert(&id).is_err());
    assert_eq!(fs::read_dir(&target).unwrap().count(), 1);
}

impl crate::state::Entry for String {
    const KIND: &str = "text";
    const VERSION: u32 = 1;
}
