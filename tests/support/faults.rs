//! The faults with which requests are struck.

use contrail_lab::faults::{Action, StatusAnswer};

/// Every kind of fault that a client can notice.
pub fn all() -> Vec<Action> {
    let mut faults = vec![
        Action::Refuse,
        Action::DropBefore,
        Action::DropAfter,
        Action::Truncate,
        Action::Garbage,
        Action::Hang,
        Action::Swallow,
    ];
    faults.extend([400, 401, 404, 409, 500, 503].map(status));
    faults
}

/// An answer with this status and a page for people.
pub fn status(code: u16) -> Action {
    Action::Status(StatusAnswer {
        code,
        body: "injected".into(),
        content_type: "text/html; charset=UTF-8".into(),
    })
}

/// Makes a test of each line: its name, and what is done in a sandbox.
#[macro_export]
macro_rules! strikes {
    ($($name:ident: $strike:expr;)*) => {
        $(
            #[test]
            fn $name() {
                contrail_lab::sandbox::test(|| $strike);
            }
        )*
    };
}
