//! What errors say, and what they tell about effects.

use super::*;

#[test]
fn a_report_holds_every_cause_once() {
    let error = Error::kernel(
        "create veth tap0",
        io::Error::from_raw_os_error(nix::libc::EEXIST),
    );
    assert_eq!(
        report(&error),
        "cannot create veth tap0: File exists (os error 17)"
    );
}

#[test]
fn a_failed_undo_keeps_the_first_error_and_its_nature() {
    let error = Error::Undo {
        cause: Box::new(Error::Timeout {
            operation: "attaching eth0".into(),
            seconds: 20.0,
        }),
        left: vec![Error::missing("a", "b")],
    };
    assert!(error.is_transient());
    assert!(matches!(error.cause(), Error::Timeout { .. }));
    assert!(report(&error).starts_with("attaching eth0 took longer than its 20 s; "));
}

#[test]
fn errors_stay_small_enough_to_return() {
    assert!(size_of::<Error>() <= 128, "{}", size_of::<Error>());
}
