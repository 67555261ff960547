use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn an_empty_file_appears_at_once_and_is_young_again_when_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("set/key");
    touch_private(&path).unwrap();
    let written = fs::metadata(&path).unwrap();
    assert_eq!(written.permissions().mode() & 0o777, 0o600);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH)
        .unwrap();
    touch_private(&path).unwrap();
    let age = fs::metadata(&path).unwrap().modified().unwrap();
    assert!(age.elapsed().unwrap() < Duration::from_secs(60));
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(touch_private(&link).is_err(), "a link was followed");
    assert!(touch_private(dir.path()).is_err());
}

#[test]
fn files_are_private_and_leave_nothing_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b");
    write_private(&path, b"one").unwrap();
    write_private(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        fs::metadata(dir.path().join("a"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
    assert!(remove(&path).unwrap());
    assert!(!remove(&path).unwrap());
}

#[test]
fn what_a_killed_writer_left_is_swept_up_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("a");
    fs::create_dir(&inner).unwrap();
    let id = random_id().unwrap().simple();
    let long_ago = SystemTime::now() - 2 * IN_USE;
    for (name, time) in [
        (format!(".old.{id}"), long_ago),
        (format!(".new.{id}"), SystemTime::now()),
        (".hidden.txt".to_owned(), long_ago),
        ("plain".to_owned(), long_ago),
    ] {
        let file = File::create(inner.join(name)).unwrap();
        file.set_modified(time).unwrap();
    }
    sweep(dir.path());
    let left = fs::read_dir(&inner).unwrap();
    let mut left: Vec<_> = left.map(|file| file.unwrap().file_name()).collect();
    left.sort();
    let new = format!(".new.{id}");
    assert_eq!(left, [".hidden.txt", new.as_str(), "plain"]);
}

#[test]
fn a_link_in_its_place_is_replaced_and_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let victim = dir.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let path = dir.path().join("state");
    std::os::unix::fs::symlink(&victim, &path).unwrap();
    write_private(&path, b"mine").unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[test]
fn a_failed_write_says_what_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let error = write_private(&dir.path().join("file/below"), b"x").unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

/// Everything that is not a regular file, with the text of the refusal.
fn odd_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let pipe = dir.join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap();
    vec![pipe, dir.join("socket"), dir.to_owned(), "/dev/zero".into()]
}

#[test]
fn only_plain_files_are_read_and_nothing_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    for path in odd_files(dir.path()) {
        for error in [
            read_text(&path).unwrap_err(),
            read_private(&path).unwrap_err(),
            open_log(&path).unwrap_err(),
        ] {
            assert_eq!(error.to_string(), "it is not a regular file", "{path:?}");
        }
    }
    assert_eq!(
        read_text(&dir.path().join("absent")).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn links_are_followed_only_where_administrators_place_them() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    fs::write(&target, "secret").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert_eq!(read_text(&link).unwrap(), "secret");
    for error in [
        read_private(&link).unwrap_err(),
        open_log(&link).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "it is a symbolic link");
    }
}

#[test]
fn files_that_are_too_large_or_no_text_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, vec![b'x'; MAX_TEXT as usize]).unwrap();
    assert_eq!(read_text(&path).unwrap().len(), MAX_TEXT as usize);
    fs::write(&path, vec![b'x'; MAX_TEXT as usize + 1]).unwrap();
    assert_eq!(
        read_text(&path).unwrap_err().to_string(),
        "it is larger than 64 KiB"
    );
    fs::write(&path, [0xff]).unwrap();
    assert_eq!(
        read_text(&path).unwrap_err().to_string(),
        "it is not UTF-8 text"
    );
}

#[test]
fn a_log_is_appended_to_and_standard_error_needs_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    for line in ["a\n", "b\n"] {
        let mut file = open_log(&path).unwrap().unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "a\nb\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
    for path in ["/dev/null", "/dev/stderr"] {
        assert!(open_log(Path::new(path)).unwrap().is_none());
    }
    assert!(open_log(Path::new("/dev/stdout")).is_err());
}
