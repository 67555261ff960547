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
fn what_is_left_is_told_once_for_each_reason() {
    let full = || Error::missing("room", "make some");
    let gone = Error::Timeout {
        operation: "asking".into(),
        seconds: 1.0,
    };
    let error = Error::Left(vec![full(), gone, full()]);
    assert_eq!(
        report(&error),
        "room is missing: make some; asking took longer than its 1 s"
    );
    assert!(matches!(error.cause(), Error::Missing { .. }));
    assert!(!error.is_transient());
}

#[test]
fn errors_stay_small_enough_to_return() {
    assert!(size_of::<Error>() <= 128, "{}", size_of::<Error>());
}

#[test]
fn nothing_stands_behind_a_colon_that_nobody_said() {
    let refused = Error::Refused {
        service: "API h".into(),
        method: Method::GET,
        path: "/x".into(),
        status: 500,
        message: String::new(),
    };
    let unauthorized = Error::Unauthorized {
        service: "API h".into(),
        user: "admin".into(),
        status: 401,
        message: " ".into(),
    };
    let unreachable = Error::Unreachable {
        service: "API h".into(),
        source: "".into(),
    };
    for (error, text) in [
        (refused, "API h refused GET /x with status 500"),
        (
            unauthorized,
            "API h did not accept the credentials of \"admin\" (status 401)",
        ),
        (unreachable, "cannot reach API h"),
    ] {
        assert_eq!(report(&error), text);
    }
}

#[test]
fn what_is_said_about_a_cause_keeps_its_own_causes() {
    let cause = Box::new(Error::Unreachable {
        service: "API h".into(),
        source: "connection refused".into(),
    });
    let told = "cannot reach API h: connection refused; ";
    let left = Vec::new();
    for error in [
        Error::Undo { cause, left },
        Error::Unsure {
            cause: Box::new(Error::Unreachable {
                service: "API h".into(),
                source: "connection refused".into(),
            }),
        },
    ] {
        assert!(report(&error).starts_with(told), "{error}");
    }
}
