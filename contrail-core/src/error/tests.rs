//! What errors say, and what they tell about effects.

use uuid::Uuid;

use super::*;
use crate::http::Method;
use crate::values::Effect;

#[test]
fn errors_stay_small_enough_to_return() {
    assert!(size_of::<Error>() <= 128, "{}", size_of::<Error>());
}

#[test]
fn an_empty_reason_leaves_no_colon_behind() {
    let refused = Error::Refused {
        service: "API h".into(),
        method: Method::GET,
        path: "/x".into(),
        status: 500,
        message: String::new(),
    };
    let unauthorized = Error::Unauthorized {
        service: "API h".into(),
        rejected: "the token of \"admin\"".into(),
        status: 401,
        message: " ".into(),
    };
    let unreachable = unreachable("", Effect::Possible);
    for (error, text) in [
        (refused, "API h refused GET /x with status 500"),
        (
            unauthorized,
            "API h rejected the token of \"admin\" (status 401)",
        ),
        (unreachable, "cannot reach API h"),
    ] {
        assert_eq!(report(&error), text);
    }
}

#[test]
fn an_unsure_error_keeps_the_causes_of_its_cause() {
    let error = unreachable("connection refused", Effect::NotSent).unsure();
    let told = "cannot reach API h: connection refused; ";
    assert!(report(&error).starts_with(told), "{error}");
}

#[test]
fn an_unreachable_service_tells_what_the_request_may_have_done() {
    for (effect, had_none) in [
        (Effect::NotSent, true),
        (Effect::None, true),
        (Effect::Possible, false),
        (Effect::Interrupted, false),
    ] {
        let error = unreachable("timed out", effect);
        assert_eq!(error.had_no_effect(), had_none, "{effect:?}");
        assert!(!error.unsure().had_no_effect(), "{effect:?}");
    }
}

#[test]
fn a_refused_deletion_changed_nothing_unless_an_earlier_attempt_did() {
    let in_use = || Error::InUse {
        kind: "port-tuple",
        uuid: Uuid::nil(),
        by: vec!["virtual-machine-interface/1".into()],
    };
    assert!(in_use().had_no_effect() && !in_use().is_transient());
    assert!(!in_use().unsure().had_no_effect());
}

fn unreachable(source: &str, effect: Effect) -> Error {
    Error::Unreachable {
        service: "API h".into(),
        effect,
        source: source.into(),
    }
}
