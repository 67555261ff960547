//! Large requests to the Docker plugin, many at once: it gives their memory back.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use contrail_lab::sandbox;
use opencontrail_tests::daemon::Program;
use opencontrail_tests::plugin::program;
use opencontrail_tests::wait_for;
use opencontrail_tests::world::lab;

use crate::resident;

/// Just below the limit of a body.
const BODY: usize = (8 << 20) - 4096;

/// What the plugin may keep, in MiB.
const KEPT: u64 = 64;

/// The status of the answer to one request.
fn send(daemon: &Program, body: &str) -> String {
    let mut stream = UnixStream::connect(daemon.socket()).unwrap();
    let head = format!(
        "POST /NetworkDriver.CreateEndpoint HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

/// A body of this item in a list, as Docker sends published ports.
fn body(item: &str) -> String {
    let start = r#"{"NetworkID":"n1","EndpointID":"e1","Options":{"com.docker.network.portmap":["#;
    let items = vec![item; (BODY - start.len()) / (item.len() + 1)].join(",");
    format!("{start}{items}]}}}}")
}

#[test]
fn the_memory_of_large_bodies_is_given_back() {
    sandbox::test(|| {
        let _lab = lab();
        let daemon = Program::start(&program("cnm-opencontrail"));
        let bodies = [
            body(r#"{"Proto":6,"IP":"","Port":80,"HostIP":"","HostPort":8080}"#),
            body("0"),
            body("[]"),
            body(&format!("\"{}\"", "x".repeat(100_000))),
        ];
        thread::scope(|scope| {
            for body in &bodies {
                for _ in 0..2 {
                    scope.spawn(|| {
                        for _ in 0..3 {
                            let status = send(&daemon, body);
                            assert!(status.starts_with("HTTP/1.1 "), "{status:?}");
                        }
                    });
                }
            }
        });
        wait_for("the memory of the bodies", || {
            resident(daemon.pid(), "VmRSS:") <= KEPT
        });
        let [now, most] = ["VmRSS:", "VmHWM:"].map(|key| resident(daemon.pid(), key));
        sandbox::note(&format!(
            "24 bodies of 8 MiB: at most {most} MiB, {now} MiB kept"
        ));
    });
}
