//! `service-chain apply` and `show`.

use std::process::{Command, Stdio};

use contrail_core::FqName;
use contrail_core::api::{IpamSubnet, NetworkIpam, VirtualNetwork};
use contrail_lab::sandbox;
use opencontrail_tests::plugin::{limited, program};
use opencontrail_tests::world::{client, everything, lab};
use serde_json::{Value, json};

use crate::{check_text, memory, strikes, struck};

fn command(command: &str, document: &Value) -> Command {
    std::fs::write("/run/chain.json", document.to_string()).unwrap();
    let mut program = limited(&program("service-chain"), &memory());
    program
        .args([command, "/run/chain.json"])
        .env_clear()
        .env("API_SERVER_IP", "127.0.0.1")
        .env("CONTRAIL_REQUEST_TIMEOUT", "1")
        .env("LOG_LEVEL", "debug")
        .stdin(Stdio::null());
    program
}

#[test]
fn a_chain_is_applied_and_shown_in_memory_and_taken_away_whole() {
    sandbox::test(|| {
        let lab = lab();
        for (name, subnet) in [("net1", "10.1.1.0/24"), ("net2", "10.1.2.0/24")] {
            let name = FqName::new(["default-domain", "admin", name]);
            let subnets = vec![IpamSubnet::new(subnet.parse().unwrap())];
            let network = VirtualNetwork::new(name, NetworkIpam::default_name(), subnets);
            client().create(&network).unwrap();
        }
        let document = json!({"name": "sc", "left": "net1", "right": "net2", "services": [
            {"name": "si1", "members": []},
        ]});
        let run = |name: &str| command(name, &document).output().unwrap();
        run("apply");
        run("delete");
        let before = everything(&lab, &[]);
        let mut cases = 0;
        for name in ["apply", "show"] {
            if name == "show" {
                run("apply");
            }
            let rules = strikes(&lab, || drop(run(name)));
            for rule in &rules {
                if name == "apply" {
                    run("delete");
                }
                let output = struck(&lab, rule, || run(name));
                assert!(output.status.code().is_some(), "{rule:?}: {output:?}");
                check_text(rule, &String::from_utf8(output.stderr).unwrap());
                check_text(rule, &String::from_utf8(output.stdout).unwrap());
                cases += 1;
            }
            run("delete");
            let after = everything(&lab, &[]);
            let left: Vec<_> = after.symmetric_difference(&before).collect();
            assert!(left.is_empty(), "{name}: {left:#?}");
        }
        sandbox::note(&format!("service-chain: {cases} cases"));
    });
}
