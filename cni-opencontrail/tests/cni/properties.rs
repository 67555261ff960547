//! Whatever comes in, one JSON value or nothing comes out, and no panic.

use proptest::prelude::*;
use serde_json::Value;

use crate::support::Plugin;

/// JSON of any shape, with keys and values that mean something here among others.
fn json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "name",
        "cniVersion",
        "networks",
        "ipam",
        "subnet",
        "subnets",
        "ranges",
        "routes",
        "dst",
        "gw",
        "gateway",
        "rangeStart",
        "rangeEnd",
        "mtu",
        "dns",
        "nameservers",
        "args",
        "cni",
        "ips",
        "mac",
        "runtimeConfig",
        "RuntimeConfig",
        "prevResult",
        "interfaces",
        "address",
        "interface",
        "version",
        "ip4",
        "ip",
        "network",
        "type",
        "api_server",
        "api_port",
        "admin_token",
        "log_level",
        "",
        "opencontrail",
        "net1",
        "0.1.0",
        "0.4.0",
        "1.1.0",
        "10.1.1.0/24",
        "10.1.1.1",
        "0.0.0.0/0",
        "fd00::/64",
        "fd00::1",
        "255.255.255.255/32",
        "02:00:00:00:00:01",
        "::/0",
        "0.0.0.0/31",
    ]);
    let key = prop_oneof![8 => word.clone().prop_map(str::to_string), 1 => ".{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn command() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION", "FOO",
    ])
}

fn check(plugin: Plugin) -> Result<(), TestCaseError> {
    let outcome = plugin.run();
    let mut values = serde_json::Deserializer::from_str(&outcome.stdout).into_iter::<Value>();
    let first = values.next();
    prop_assert!(
        values.next().is_none(),
        "more than one value: {}",
        outcome.stdout
    );
    match first {
        None => prop_assert!(outcome.succeeded, "failed without a word"),
        Some(Ok(Value::Object(value))) => {
            prop_assert_eq!(value.contains_key("code"), !outcome.succeeded);
            prop_assert!(value.get("code") != Some(&Value::from(999)), "{:?}", value);
        }
        Some(other) => prop_assert!(false, "{:?}", other),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_as_configuration(command in command(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        check(Plugin::new(command).config(bytes))?;
    }

    #[test]
    fn any_json_as_configuration(command in command(), mut value in json(), named in any::<bool>()) {
        if let (true, Some(object)) = (named, value.as_object_mut()) {
            object.insert("name".into(), "net1".into());
            object.remove("networks");
        }
        check(Plugin::new(command).json(value))?;
    }

    #[test]
    fn any_document_of_networks(mut entries in prop::collection::vec(json(), 1..4)) {
        for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
            entry.insert("name".into(), "net1".into());
            entry.remove("type");
        }
        check(Plugin::new("ADD").json(serde_json::json!({"networks": entries})))?;
    }

    #[test]
    fn any_environment(command in command(), name in "(CNI_(CONTAINERID|NETNS|IFNAME|ARGS|COMMAND)|API_SERVER_(IP|PORT)|OS_(AUTH_URL|PASSWORD|TOKEN)|LOG_LEVEL|DEBUG)", value in ".{0,20}") {
        let plugin = Plugin::new(command);
        // Without a command there is only the explanation for people.
        let plugin = if name == "CNI_COMMAND" && value.is_empty() { plugin } else { plugin.env(&name, &value) };
        check(plugin)?;
    }

    #[test]
    fn any_arguments(args in "(IP|MAC|K8S_POD_NAME|[a-zA-Z=;]{0,3})=?[0-9a-f:.;=/]{0,24}") {
        check(Plugin::new("ADD").env("CNI_ARGS", &args))?;
    }
}
