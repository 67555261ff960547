//! The plugin killed at every request that the calls of an engine make, before and after the request took
//! effect: when it has been started again and the engine has taken away what it knows of, nothing is left.

use std::path::Path;
use std::thread;

use contrail_lab::faults::{Action, Rule};
use contrail_lab::http::ServiceName::{self, Agent, ConfigApi};
use contrail_lab::plugin_socket;
use contrail_lab::sandbox;
use opencontrail_tests::daemon::Program;
use opencontrail_tests::plugin::program;
use opencontrail_tests::wait_for;
use opencontrail_tests::world::{everything, fault, lab};

use crate::life::Life;

fn start() -> Program {
    Program::start(&program("cnm-opencontrail"))
}

fn killed_at_every_request(life: &Life, service: ServiceName) {
    let lab = lab();
    let mut plugin = start();
    life.until(&plugin, life.0.len());
    let left_at_rest = everything(&lab, &[]);
    let mut points = 0;
    for (place, step) in life.0.iter().enumerate() {
        life.until(&plugin, place);
        lab.request_log().reset();
        life.until_from(&plugin, place, place + 1);
        let entries = lab.request_log().entries();
        let count = entries.iter().filter(|entry| entry.service == service);
        let count = count.count() as u32;
        life.after(&plugin, place, true);
        for action in [Action::Hang, Action::Swallow] {
            for skip in 0..count {
                life.until(&plugin, place);
                let rule = Rule {
                    skip,
                    count: Some(1),
                    ..fault(service, "", "", action.clone())
                };
                lab.faults().add(rule.clone());
                let (socket, path) = (plugin.socket().to_owned(), format!("/{}", step.method));
                let arguments = step.arguments.clone();
                // It gets no answer.
                let call =
                    thread::spawn(move || plugin_socket::post(&socket, &path, &arguments).is_err());
                wait_for("the request that hangs", || lab.faults().list()[0].hit == 1);
                drop(plugin);
                assert!(call.join().unwrap(), "{rule:?}: an answer of a dead plugin");
                lab.faults().clear();
                plugin = start();
                life.after(&plugin, place, false);
                points += 1;
                let what = format!("nothing is left of {} killed at {rule:?}", step.method);
                wait_for(&what, || {
                    let left = everything(&lab, &[]);
                    left == left_at_rest
                });
            }
        }
    }
    assert!(points > 0);
    assert!(Path::new("/run/plugins/opencontrail.sock").exists());
}

#[test]
fn killed_at_the_api() {
    sandbox::test(|| killed_at_every_request(&Life::of_docker(), ConfigApi));
}

#[test]
fn killed_at_the_api_as_a_member() {
    sandbox::test(|| killed_at_every_request(&Life::of_member(), ConfigApi));
}

#[test]
fn killed_at_the_api_with_both_drivers() {
    sandbox::test(|| killed_at_every_request(&Life::of_both(), ConfigApi));
}

#[test]
fn killed_at_the_agent() {
    sandbox::test(|| killed_at_every_request(&Life::of_docker(), Agent));
}
