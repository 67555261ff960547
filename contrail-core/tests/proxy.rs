//! What stands between client and API and answers by itself: its pages are no answers of the API, and
//! what they repeat of the request is not shown.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use contrail_core::api::{ListQuery, Resource, VirtualMachine};
use contrail_core::keystone::FixedToken;
use contrail_core::{Error, FqName, Secret};
use support::{Act, ID, Server, answer, client, client_with};

#[test]
fn a_token_that_an_answer_repeats_is_shown_nowhere() {
    let page = "<html><body>Request headers: X-Auth-Token: sesame</body></html>";
    let long = format!("{}sesame", "x".repeat(997));
    let mut acts: Vec<Act> = [400, 401, 403, 404, 409, 500, 503]
        .into_iter()
        .flat_map(|status| [answer(status, page), answer(status, "got sesame")])
        .collect();
    acts.extend([answer(500, &long), answer(200, "\"got sesame\"")]);
    for act in acts {
        let server = Server::start(vec![act]);
        let tokens = Arc::new(FixedToken(Secret::new("sesame")));
        let client = client_with(&[server.address], tokens);
        for error in [
            client.create(&VirtualMachine::new(ID)).unwrap_err(),
            client.get::<VirtualMachine>(ID).unwrap_err(),
        ] {
            let text = format!("{} {error:?}", contrail_core::error::report(&error));
            assert!(!text.contains("ses"), "{text}");
        }
    }
}

#[test]
fn only_what_the_api_would_answer_counts_as_done() {
    let page = Act::With(
        200,
        ("Content-Type", "text/html".to_owned()),
        "<html>Please log in</html>".to_owned(),
    );
    let server = Server::start(vec![page]);
    let client = client(&[server.address]);
    let name = FqName::new(["vm"]);
    let (from, to) = (
        ("virtual-machine-interface", ID),
        ("virtual-machine", ID, &name),
    );
    for error in [
        client.delete::<VirtualMachine>(ID).map(drop),
        client.update::<VirtualMachine>(ID, &serde_json::json!({})),
        client.annotate::<VirtualMachine>(ID, "key", None),
        client.add_ref(from, to, None),
        client.remove_ref(from, to),
    ] {
        let error = error.unwrap_err();
        assert!(
            matches!(error, Error::Foreign { status: 200, .. }),
            "{error}"
        );
        assert!(!error.had_no_effect());
        let text = error.to_string();
        assert!(
            text.contains(&server.url("")) && text.contains("26 bytes of text/html"),
            "{text}"
        );
    }
    // As recorded: an empty page after DELETE, PUT and the change of an annotation.
    for text in [
        "",
        "{}",
        r#"{"uuid":"00000000-0000-0000-0000-000000000007"}"#,
    ] {
        let server = Server::start(vec![answer(200, text)]);
        let client = self::client(&[server.address]);
        assert!(client.delete::<VirtualMachine>(ID).unwrap());
        client.add_ref(from, to, None).unwrap();
    }
}

#[test]
fn a_proxys_404_is_not_an_object_that_is_gone() {
    let server = Server::start(vec![answer(404, "404 page not found")]);
    let client = client(&[server.address]);
    assert!(matches!(
        client.delete::<VirtualMachine>(ID),
        Err(Error::Foreign { .. })
    ));
    assert!(matches!(
        client.get_opt::<VirtualMachine>(ID),
        Err(Error::Foreign { .. })
    ));
}

#[test]
fn a_redirect_is_told_with_its_target_and_does_not_last() {
    for status in [301, 302, 303, 307, 308] {
        let to = (
            "Location",
            "https://login.example/\u{9b}31m?next=x".to_owned(),
        );
        let server = Server::start(vec![Act::With(status, to, "<html>moved</html>".to_owned())]);
        let client = client(&[server.address]);
        for error in [
            client.delete::<VirtualMachine>(ID).unwrap_err(),
            client.get::<VirtualMachine>(ID).unwrap_err(),
            client.create(&VirtualMachine::new(ID)).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
            // A removal that meets it is put off.
            assert!(error.is_transient() && !error.had_no_effect());
            let text = contrail_core::error::report(&error);
            assert!(text.contains(&status.to_string()), "{text}");
            assert!(
                text.contains("a redirect to https://login.example/"),
                "{text}"
            );
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
}

#[test]
fn what_is_no_json_is_told_with_status_and_type() {
    let page =
        |kind: &str, body: &str| Act::With(200, ("Content-Type", kind.to_owned()), body.to_owned());
    let gzip = Act::With(
        200,
        ("Content-Encoding", "gzip".to_owned()),
        "\u{1f}\u{8b}\u{8}".to_owned(),
    );
    for (act, words) in [
        (
            page("text/html", "<html>Log in</html>"),
            "19 bytes of text/html",
        ),
        (page("text/plain", ""), "0 bytes of text/plain"),
        (
            page("application/json", "[1]"),
            "3 bytes of application/json",
        ),
        (gzip, "encoded as gzip"),
    ] {
        let server = Server::start(vec![act]);
        let client = client(&[server.address]);
        for error in [
            client.get::<VirtualMachine>(ID).unwrap_err(),
            client
                .list::<VirtualMachine>(&ListQuery::all())
                .unwrap_err(),
        ] {
            assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
            let text = error.to_string();
            assert!(
                text.contains("status 200") && text.contains(words),
                "{text}"
            );
        }
    }
    let odd = page("application/json", "{\"virtual-machine\":5}");
    let server = Server::start(vec![odd]);
    let error = client(&[server.address])
        .get::<VirtualMachine>(ID)
        .unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("(status 200, 21 bytes of application/json"),
        "{text}"
    );
}

#[test]
fn a_byte_order_mark_before_an_answer_is_passed_over() {
    let body =
        format!("\u{feff}{{\"virtual-machine\":{{\"fq_name\":[\"vm\"],\"uuid\":\"{ID}\"}}}}");
    let server = Server::start(vec![answer(200, &body)]);
    let client = client(&[server.address]);
    assert_eq!(client.get::<VirtualMachine>(ID).unwrap().id().unwrap(), ID);
    assert_eq!(client.create(&VirtualMachine::new(ID)).unwrap(), ID);
}
