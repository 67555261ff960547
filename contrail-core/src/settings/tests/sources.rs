//! What users rely on: names of the field, precedence, and errors that name the place of a value.

use std::path::Path;

use super::super::*;
use super::world::{World, keystone, password_account};
use crate::keystone::{Domain, Identity, Subject};
use crate::values::Secret;

/// The environment file of the walk-through's command.
const COMMAND_ENV: &str = "API_SERVER_PORT=8082 API_SERVER_IP=10.87.64.34 OS_TENANT_NAME=admin
    OS_AUTH_URL=http://10.87.64.34:35357/v2.0 OS_USERNAME=admin OS_PASSWORD=contrail123
    LOG_LEVEL=debug";

/// The part of the walk-through's environment file for its daemon.
const DAEMON_ENV: &str = "ADMIN_PASSWORD=contrail123 ADMIN_TENANT=admin ADMIN_TOKEN=contrail123
    ADMIN_USER=admin CONFIG_API_SERVER=10.87.64.34 KEYSTONE_SERVER=10.87.64.34
    OS_TOKEN=contrail123 OS_URL=http://10.87.64.34:35357/v2.0 SCOPE=global DEBUG=true";

#[test]
fn nothing_given_means_one_local_server_without_authorisation() {
    let settings = World::default().load().unwrap();
    assert_eq!(settings.servers[0].base_url(), "http://127.0.0.1:8082");
    assert_eq!(settings.auth, Auth::None);
    assert_eq!(settings.agent, "127.0.0.1:9091");
    assert_eq!(settings.ports_dir, Path::new("/var/lib/contrail/ports"));
    assert_eq!(settings.run_dir, Path::new("/run/contrail"));
    assert_eq!(
        (settings.domain.as_str(), settings.project.as_str()),
        ("default-domain", "admin")
    );
    assert_eq!(settings.node, "node1");
    assert_eq!(settings.log.level, log::LevelFilter::Warn);
}

#[test]
fn the_environment_files_of_the_walk_through_work() {
    for text in [COMMAND_ENV, DAEMON_ENV] {
        let settings = World::env(text).load().unwrap();
        assert_eq!(settings.servers[0].base_url(), "http://10.87.64.34:8082");
        let keystone = keystone(&settings);
        assert_eq!(keystone.url, "http://10.87.64.34:35357/v2.0");
        let account = password_account(&settings);
        assert_eq!(account, ["admin", "contrail123", "admin"]);
        assert_eq!(settings.log.level, log::LevelFilter::Debug);
    }
}

#[test]
fn version_3_names_and_tls_are_read() {
    let settings = World::env(
        "OS_AUTH_URL=https://k:5000/v3 OS_USERNAME=u OS_PASSWORD=p OS_PROJECT_NAME=t \
         OS_USER_DOMAIN_NAME=ud OS_PROJECT_DOMAIN_NAME=pd OS_CACERT=/ca.pem OS_INSECURE=true \
         CONFIG_API_SSL_ENABLE=True",
    );
    let settings = settings.load().unwrap();
    let domain = |name: &str| Domain::Name(name.into());
    let named = |name: &str, domain| Subject::Named {
        name: name.into(),
        domain,
    };
    let identity = Identity::Password {
        user: named("u", domain("ud")),
        password: Secret::new("p"),
        project: named("t", domain("pd")),
    };
    assert_eq!(keystone(&settings).identity, identity);
    assert_eq!(settings.project, "t");
    assert!(settings.tls.insecure && settings.tls.ca.is_some());
    assert_eq!(settings.keystone_tls, settings.tls);
    assert_eq!(settings.servers[0].base_url(), "https://127.0.0.1:8082");
}

#[test]
fn a_fixed_token_counts_only_without_a_password() {
    let settings = World::env("OS_TOKEN=t").load().unwrap();
    assert_eq!(settings.auth, Auth::Token(Secret::new("t")));
    let settings = World::env("OS_TOKEN=t OS_PASSWORD=p OS_USERNAME=u KEYSTONE_SERVER=k:5000");
    assert_eq!(
        keystone(&settings.load().unwrap()).url,
        "http://k:5000/v2.0"
    );
}

#[test]
fn keystone_is_on_the_host_of_the_api_if_unset() {
    let settings = World::env("API_SERVER_IP=[fd00::1]:80 ADMIN_USER=u ADMIN_PASSWORD=p");
    let settings = settings.load().unwrap();
    assert_eq!(keystone(&settings).url, "http://[fd00::1]:35357/v2.0");
}

#[test]
fn half_given_credentials_are_an_error_unless_switched_off() {
    for text in [
        "OS_USERNAME=u",
        "OS_AUTH_URL=http://k/v3",
        "AUTH_MODE=keystone",
    ] {
        let error = World::env(text).error();
        assert!(error.contains("OS_PASSWORD or ADMIN_PASSWORD"), "{error}");
        let world = World::env(&format!("{text} AUTH_MODE=noauth"));
        assert_eq!(world.load().unwrap().auth, Auth::None);
    }
    assert!(
        World::env("OS_PASSWORD=p")
            .error()
            .contains("admin_user is missing")
    );
}

#[test]
fn the_nearest_source_wins() {
    let world = World::env(COMMAND_ENV)
        .document(&[("api_server", "near"), ("tenant", "")])
        .document(&[("api_server", "far"), ("tenant", "t")]);
    let settings = world
        .file(VNC_API_LIB_PATH, "[global]\nWEB_SERVER=ini\nWEB_PORT=1\n")
        .load()
        .unwrap();
    assert_eq!(settings.servers[0].base_url(), "http://near:8082");
    assert_eq!(settings.project, "t", "an empty value is no value");
    assert_eq!(password_account(&settings)[2], "admin");
}

#[test]
fn a_nearer_keystone_server_wins_over_a_farther_url_and_debug_over_a_level() {
    let world = World::env(&format!("{COMMAND_ENV} LOG_LEVEL=error"))
        .document(&[("keystone_server", "k"), ("debug", "true")]);
    let settings = world.load().unwrap();
    assert_eq!(keystone(&settings).url, "http://k:35357/v2.0");
    assert_eq!(settings.log.level, log::LevelFilter::Debug);
}

#[test]
fn the_file_of_the_python_clients_is_read_where_it_is_and_where_it_is_named() {
    let text = "[global]\nWEB_SERVER = a, b\n[auth]\nAUTHN_TYPE = noauth\nAUTHN_SERVER = k\n";
    let settings = World::default()
        .file(VNC_API_LIB_PATH, text)
        .load()
        .unwrap();
    assert_eq!(settings.servers.len(), 2);
    assert_eq!(settings.auth, Auth::None);
    let settings = World::env("VNC_API_LIB_INI=/x.ini")
        .file("/x.ini", text)
        .load()
        .unwrap();
    assert_eq!(settings.servers.len(), 2);
    assert!(
        World::env("VNC_API_LIB_INI=/y.ini")
            .error()
            .contains("cannot read vnc_api_lib (environment variable VNC_API_LIB_INI) from /y.ini")
    );
}

#[test]
fn secrets_may_stand_in_files_and_are_shown_nowhere() {
    let world = World::env("OS_USERNAME=u OS_PASSWORD_FILE=/run/secrets/p")
        .file("/run/secrets/p", "contrail123\n");
    let settings = world.load().unwrap();
    assert_eq!(password_account(&settings)[1], "contrail123");
    let shown = format!("{settings:?}{}", render(settings.values()));
    assert!(!shown.contains("contrail123"), "{shown}");
    let error = World::env("OS_USERNAME=u OS_PASSWORD_FILE=/none").error();
    assert_eq!(
        error,
        "cannot read admin_password (environment variable OS_PASSWORD_FILE) from /none"
    );
    let table = render(settings.values());
    assert!(
        table.contains("environment variable OS_PASSWORD_FILE"),
        "{table}"
    );
    let error = World::env("OS_AUTH_URL=http://u:geheim@k/v3").error();
    assert!(
        error.contains("without user") && !error.contains("geheim"),
        "{error}"
    );
    let document = World::default()
        .document(&[("admin_user", "u"), ("admin_password_file", "/p")])
        .file("/p", "x");
    assert_eq!(password_account(&document.load().unwrap())[1], "x");
}

#[test]
fn errors_name_the_setting_the_value_its_origin_and_what_is_allowed() {
    assert_eq!(
        World::env("API_SERVER_PORT=80x").error(),
        "invalid api_port (environment variable API_SERVER_PORT) \"80x\": a port number from 1 to 65535 is expected"
    );
    let error = World::default()
        .document(&[("apiServer", "ftp://a")])
        .error();
    assert!(
        error.starts_with("invalid api_server (network configuration, key apiServer) \"ftp://a\""),
        "{error}"
    );
    let error = World::default()
        .file(VNC_API_LIB_PATH, "[global]\n\nWEB_PORT = x\n")
        .error();
    assert!(
        error.contains("/etc/contrail/vnc_api_lib.ini line 3"),
        "{error}"
    );
    for text in [
        "VROUTER_AGENT_PORT=0",
        "VROUTER_PORTS_DIR=x",
        "CONTRAIL_STATE_DIR=./x",
        "OS_INSECURE=maybe",
        "CONTRAIL_REQUEST_TIMEOUT=0",
        "LOG_LEVEL=loud",
        "AUTH_MODE=x",
        "OS_TENANT_NAME=a:b",
    ] {
        let (name, value) = text.split_once('=').unwrap();
        let error = World::env(text).error();
        assert!(error.contains(name) && error.contains(value), "{error}");
    }
    assert!(World::env("OS_KEY=/k").error().contains("certfile"));
    assert!(World::env("OS_CERT=/c").load().is_ok());
}

#[test]
fn the_printed_table_shows_every_value_with_its_origin() {
    let settings = World::env("API_SERVER_IP=10.0.0.1 OS_TOKEN=geheim")
        .load()
        .unwrap();
    let table = render(settings.values());
    assert_eq!(table.lines().count(), SETTINGS.len());
    let line = |name: &str| {
        let line = table.lines().find(|line| line.starts_with(name));
        line.unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        line("api_server"),
        "api_server 10.0.0.1 environment variable API_SERVER_IP"
    );
    assert_eq!(
        line("admin_token"),
        "admin_token *** environment variable OS_TOKEN"
    );
    assert_eq!(line("log_file"), "log_file - default");
    assert_eq!(line("node_name"), "node_name node1 default");
}

#[test]
fn a_flat_file_gives_settings_and_refuses_what_no_setting_is_called() {
    let path = Path::new("/etc/opencontrail.conf");
    let entries = parse_flat_yaml("api_server: vip\napi_port: '80'\n", path).unwrap();
    let layer = Layer::of_entries(entries, &["scope"]).unwrap();
    assert_eq!(layer.get(Key::ApiPort).unwrap().text, "80");
    let entries = parse_flat_yaml("api_server: vip\nadmin_tennant: x\n", path).unwrap();
    let error = Layer::of_entries(entries, &["scope"])
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("line 2") && error.ends_with("did you mean admin_tenant?"),
        "{error}"
    );
}
