//! All programs with the most talkative log: it goes to the one file, and holds no secret.

use std::fs;
use std::process::{Command, Output, Stdio};

use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::daemon::Program;
use opencontrail_tests::plugin::{Call, program};
use opencontrail_tests::world::network;
use serde_json::{Value, json};

const LOG: &str = "/run/all.log";
const PASSWORD: &str = "contrail123";
const WRONG: &str = "wrong-password";
/// A token that nobody issued.
const TOKEN: &str = "0123456789-token-of-an-administrator";

/// What all programs are told.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("LOG_LEVEL", "trace"),
    ("LOG_FILE", LOG),
    ("API_SERVER_IP", "127.0.0.1"),
    ("OS_AUTH_URL", "http://127.0.0.1:35357/v2.0"),
    ("OS_TENANT_NAME", "admin"),
    ("CONTRAIL_NODE_NAME", "node1"),
    ("CONTRAIL_REQUEST_TIMEOUT", "5"),
];

/// What the programs have written, in any place.
#[derive(Default)]
struct Written(String);

impl Written {
    fn add(&mut self, output: &Output) {
        self.0.push_str(&String::from_utf8_lossy(&output.stdout));
        self.0.push_str(&String::from_utf8_lossy(&output.stderr));
    }

    fn run(&mut self, name: &str, arguments: &[&str], who: Who) {
        let mut command = Command::new(program(name));
        let command = command
            .args(arguments)
            .env_clear()
            .envs(ENVIRONMENT)
            .envs(who.variables())
            .stdin(Stdio::null());
        self.add(&command.output().unwrap());
    }
}

/// With which credentials a program is run.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Admin,
    WrongPassword,
    WrongToken,
}

impl Who {
    const ALL: [Self; 3] = [Self::Admin, Self::WrongPassword, Self::WrongToken];

    fn variables(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Admin => vec![("OS_USERNAME", "admin"), ("OS_PASSWORD", PASSWORD)],
            Self::WrongPassword => vec![("OS_USERNAME", "admin"), ("OS_PASSWORD", WRONG)],
            // A token counts only if there is no password.
            Self::WrongToken => vec![("ADMIN_TOKEN", TOKEN)],
        }
    }
}

/// The tokens that Keystone has issued, from where the programs share them.
fn issued() -> Vec<String> {
    let files = fs::read_dir("/run/contrail/tokens").unwrap();
    let tokens = files.filter_map(|file| {
        let text = fs::read_to_string(file.unwrap().path()).ok()?;
        let stored: Value = serde_json::from_str(&text).ok()?;
        Some(stored["entry"]["token"].as_str()?.to_owned())
    });
    tokens.collect()
}

/// A call of the CNI plugin with these credentials only.
fn cni(command: &str, container: &TestNetns, input: &Value, who: Who) -> Call {
    let netns = container.path().display().to_string();
    let call = Call::new(command, "c1", &netns, input);
    let none = [("OS_USERNAME", ""), ("OS_PASSWORD", "")];
    let variables = none.into_iter().chain(ENVIRONMENT).chain(who.variables());
    variables.fold(call, |call, (name, value)| call.with(name, value))
}

#[test]
fn no_program_logs_a_secret_and_all_log_to_the_file() {
    sandbox::test(|| {
        let mut written = Written::default();
        let lab = ["up", "--background", "--auth", "--data-plane", "off"];
        written.run("contrail-lab", &lab, Who::Admin);

        let netns = TestNetns::new("c1").unwrap();
        let mut input = network("net1", "10.1.1.0/24");
        for name in ["ADD", "CHECK", "STATUS", "GC", "DEL"] {
            let outcome = cni(name, &netns, &input, Who::Admin).run().ok();
            written.0.push_str(&outcome.log);
            written.0.push_str(&outcome.json.to_string());
            if name == "ADD" {
                input["prevResult"] = outcome.json;
                input["cni.dev/valid-attachments"] = json!([]);
            }
        }
        for who in [Who::WrongPassword, Who::WrongToken] {
            let outcome = cni("ADD", &netns, &input, who).run();
            assert_eq!(outcome.json["code"], 103, "{}", outcome.json);
            written.0.push_str(&outcome.log);
            written.0.push_str(&outcome.json.to_string());
        }
        let daemon = Program::start_with(&program("cnm-opencontrail"), |command| {
            command.envs(ENVIRONMENT).envs(Who::Admin.variables());
        });
        daemon.create_large_network().unwrap();
        daemon.connect(1).unwrap();
        daemon.disconnect(1).unwrap();
        assert!(daemon.stop().success());
        let chain = include_str!("../../examples/service-chain/chain.json");
        fs::write("/run/chain.json", chain).unwrap();
        for who in Who::ALL {
            written.run("cni-opencontrail", &["clean"], who);
            for name in ["config", "clean"] {
                written.run("cnm-opencontrail", &[name], who);
            }
            for name in ["apply", "show", "diff", "delete"] {
                written.run("service-chain", &[name, "/run/chain.json"], who);
            }
            for name in ["list-networks", "create-port", "apply-chain", "clean-up"] {
                written.run(name, &[], who);
            }
        }
        for name in ["status", "log", "down"] {
            written.run("contrail-lab", &[name], Who::Admin);
        }
        let log = fs::read_to_string(LOG).unwrap();
        for name in [
            "cni-opencontrail",
            "cnm-opencontrail",
            "service-chain",
            "contrail-lab",
        ] {
            assert!(log.contains(&format!(" {name}[")), "{name} logged nothing");
        }
        let tokens = issued();
        assert!(!tokens.is_empty());
        let secrets = [PASSWORD, TOKEN, WRONG].map(str::to_owned);
        for secret in secrets.iter().chain(&tokens) {
            for (place, text) in [("log", &log), ("output", &written.0)] {
                let line = text.lines().find(|line| line.contains(secret.as_str()));
                assert_eq!(line, None, "a secret in the {place}");
            }
        }
    });
}
