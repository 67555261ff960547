//! The variables of OpenStack clients and of OpenSDN's containers.

use super::super::*;
use super::world::{World, keystone, password_account};
use crate::keystone::{Credential, Domain, Identity, Subject, Version};
use crate::values::Secret;

const URL: &str = "OS_AUTH_URL=http://k:5000/v3";

fn id(text: &str) -> Subject {
    Subject::Id(text.into())
}

fn named(name: &str, domain: Domain) -> Subject {
    let name = name.into();
    Subject::Named { name, domain }
}

fn by_id(text: &str) -> Domain {
    Domain::Id(text.into())
}

fn by_name(text: &str) -> Domain {
    Domain::Name(text.into())
}

fn password(user: Subject, project: Subject) -> Identity {
    Identity::Password {
        user,
        password: Secret::new("p"),
        project,
    }
}

fn credential(credential: Credential) -> Identity {
    Identity::ApplicationCredential {
        credential,
        secret: Secret::new("s"),
    }
}

#[test]
fn accounts_are_read_as_keystoneauth_reads_them() {
    let named_credential = Credential::Named {
        name: "cni".into(),
        user: named("u", by_id("d")),
    };
    for (variables, expected) in [
        (
            // What Horizon gives to its users.
            "OS_PROJECT_ID=p1 OS_PROJECT_NAME=demo OS_USER_DOMAIN_NAME=Default \
             OS_PROJECT_DOMAIN_ID=default OS_USERNAME=u OS_PASSWORD=p OS_REGION_NAME=RegionOne \
             OS_INTERFACE=public OS_IDENTITY_API_VERSION=3",
            password(named("u", by_name("Default")), id("p1")),
        ),
        (
            "OS_PROJECT_NAME=demo OS_PROJECT_DOMAIN_ID=d1 OS_USER_DOMAIN_ID=d2 \
             OS_USER_DOMAIN_NAME=other OS_USERNAME=u OS_PASSWORD=p",
            password(named("u", by_id("d2")), named("demo", by_id("d1"))),
        ),
        (
            "OS_USER_NAME=u OS_PASSWORD=p OS_USER_DOMAIN_ID=d OS_PROJECT_ID=p1 OS_PROJECT_NAME=demo",
            password(named("u", by_id("d")), id("p1")),
        ),
        (
            "OS_USER_ID=u1 OS_USERNAME=u OS_PASSWORD=p OS_TENANT_ID=t1 OS_TENANT_NAME=demo",
            password(id("u1"), id("t1")),
        ),
        (
            "OS_USERNAME=u OS_PASSWORD=p OS_DEFAULT_DOMAIN=d OS_PROJECT_DOMAIN_NAME=pd",
            password(named("u", by_id("d")), named("admin", by_name("pd"))),
        ),
        (
            "OS_USERNAME=u OS_PASSWORD=p OS_DEFAULT_DOMAIN_NAME=d OS_AUTH_TYPE=v3password",
            password(named("u", by_name("d")), named("admin", by_name("d"))),
        ),
        (
            "OS_AUTH_TYPE=v3applicationcredential OS_APPLICATION_CREDENTIAL_ID=c1 \
             OS_APPLICATION_CREDENTIAL_SECRET=s CONTRAIL_PROJECT=demo",
            credential(Credential::Id("c1".into())),
        ),
        (
            "OS_APPLICATION_CREDENTIAL_NAME=cni OS_APPLICATION_CREDENTIAL_SECRET=s OS_USERNAME=u \
             OS_USER_DOMAIN_ID=d OS_PROJECT_NAME=demo",
            credential(named_credential),
        ),
        (
            "OS_AUTH_TYPE=v3token OS_TOKEN=p OS_PROJECT_NAME=demo OS_PROJECT_DOMAIN_NAME=pd",
            Identity::Token {
                token: Secret::new("p"),
                project: named("demo", by_name("pd")),
            },
        ),
        (
            "KEYSTONE_AUTH_ADMIN_USER=u KEYSTONE_AUTH_ADMIN_PASSWORD=p \
             KEYSTONE_AUTH_ADMIN_TENANT=demo KEYSTONE_AUTH_USER_DOMAIN_NAME=ud \
             KEYSTONE_AUTH_PROJECT_DOMAIN_NAME=pd",
            password(named("u", by_name("ud")), named("demo", by_name("pd"))),
        ),
    ] {
        let settings = World::env(&format!("{URL} {variables}")).load().unwrap();
        assert_eq!(keystone(&settings).identity, expected, "{variables}");
    }
}

#[test]
fn a_project_that_is_given_by_its_id_needs_a_name_for_opencontrail() {
    let account = "OS_USERNAME=u OS_PASSWORD=p";
    for (variables, project) in [
        ("OS_PROJECT_ID=p1", None),
        ("OS_PROJECT_ID=p1 CONTRAIL_PROJECT=demo", Some("demo")),
        ("OS_PROJECT_ID=p1 OS_PROJECT_NAME=demo", Some("demo")),
        ("OS_PROJECT_ID=p1 AUTH_MODE=noauth", Some("admin")),
        ("", Some("admin")),
    ] {
        let loaded = World::env(&format!("{URL} {account} {variables}")).load();
        let loaded = loaded.map(|settings| settings.project);
        assert_eq!(loaded.as_deref().ok(), project, "{variables}: {loaded:?}");
    }
    // A farther name may be of another project.
    let world = World::env(&format!("{URL} {account} OS_PROJECT_NAME=far"));
    let error = world.document(&[("tenant_id", "p1")]).error();
    assert!(error.starts_with("project is missing"), "{error}");
}

#[test]
fn versions_and_addresses_fit_together() {
    let account = "OS_USERNAME=u OS_PASSWORD=p";
    let v3 = Some(Version::V3);
    for (variables, url, version) in [
        ("OS_AUTH_URL=http://k:5000", "http://k:5000", None),
        (
            "OS_AUTH_URL=http://k:5000 OS_IDENTITY_API_VERSION=3",
            "http://k:5000",
            v3,
        ),
        (
            "OS_AUTH_URL=http://k:5000 OS_AUTH_TYPE=v2password OS_IDENTITY_API_VERSION=3",
            "http://k:5000",
            Some(Version::V2),
        ),
        ("KEYSTONE_SERVER=k", "http://k:35357/v2.0", None),
        (
            "KEYSTONE_SERVER=k OS_IDENTITY_API_VERSION=3",
            "http://k:35357/v3",
            v3,
        ),
        ("KEYSTONE_AUTH_HOST=k", "http://k:5000/v3", None),
        (
            "KEYSTONE_AUTH_HOST=fd00::1 KEYSTONE_AUTH_PROTO=https KEYSTONE_AUTH_ADMIN_PORT=35357 \
             KEYSTONE_AUTH_PUBLIC_PORT=5001 KEYSTONE_AUTH_URL_VERSION=/v2.0",
            "https://[fd00::1]:35357/v2.0",
            None,
        ),
        (
            "KEYSTONE_AUTH_HOST=k KEYSTONE_AUTH_PUBLIC_PORT=5001",
            "http://k:5001/v3",
            None,
        ),
        (
            "KEYSTONE_AUTH_HOST=k OS_AUTH_URL=http://o/v3",
            "http://o/v3",
            None,
        ),
        (
            "KEYSTONE_AUTH_HOST=k KEYSTONE_SERVER=s",
            "http://s:35357/v2.0",
            None,
        ),
    ] {
        let settings = World::env(&format!("{account} {variables}"))
            .load()
            .unwrap();
        let account = keystone(&settings);
        let found = (account.url.as_str(), account.version);
        assert_eq!(found, (url, version), "{variables}");
    }
    // A farther version says nothing about a nearer address.
    let world = World::env(&format!("{account} OS_IDENTITY_API_VERSION=3"));
    let world = world.document(&[("auth_url", "http://k/v2.0")]);
    assert_eq!(keystone(&world.load().unwrap()).version, None);
}

#[test]
fn the_nearest_credentials_count_also_against_a_farther_type() {
    let far = "OS_AUTH_TYPE=v3applicationcredential OS_APPLICATION_CREDENTIAL_ID=c1 \
        OS_APPLICATION_CREDENTIAL_SECRET=s OS_CLOUD=c";
    let near = [("admin_user", "u"), ("admin_password", "p")];
    let settings = World::env(&format!("{URL} {far}")).document(&near);
    let settings = settings.load().unwrap();
    assert_eq!(password_account(&settings), ["u", "p", "admin"]);
    let near = [
        ("application_credential_id", "c2"),
        ("application_credential_secret", "s"),
        ("project", "demo"),
    ];
    let settings = World::env(&format!("{URL} OS_USERNAME=u OS_PASSWORD=p"));
    let settings = settings.document(&near).load().unwrap();
    let expected = credential(Credential::Id("c2".into()));
    assert_eq!(keystone(&settings).identity, expected);
    // A nearer secret of the same kind does not change what a farther source wants of it.
    let exchanged =
        World::env(&format!("{URL} OS_AUTH_TYPE=token")).document(&[("admin_token", "t")]);
    let settings = exchanged.load().unwrap();
    assert!(matches!(
        keystone(&settings).identity,
        Identity::Token { .. }
    ));
    let pinned = World::env(&format!("{URL} OS_AUTH_TYPE=v3password OS_USERNAME=u"));
    let settings = pinned.document(&[("admin_password", "p")]).load().unwrap();
    assert_eq!(keystone(&settings).version, Some(Version::V3));
    let token = World::env("OS_TOKEN=t OS_DOMAIN_NAME=d").load().unwrap();
    assert_eq!(token.auth, Auth::Token(Secret::new("t")));
}

#[test]
fn a_nearer_default_domain_wins_over_farther_domains() {
    let file = "[auth]\nAUTHN_USER = u\nAUTHN_PASSWORD = p\nAUTHN_DOMAIN = Far\n";
    for (variables, domain) in [
        ("", by_name("Far")),
        ("OS_DEFAULT_DOMAIN_NAME=Near", by_name("Near")),
        ("OS_DEFAULT_DOMAIN_ID=near", by_id("near")),
        (
            "OS_DEFAULT_DOMAIN_NAME=Near OS_USER_DOMAIN_ID=own",
            by_id("own"),
        ),
    ] {
        let settings = World::env(variables).file(VNC_API_LIB_PATH, file);
        let settings = settings.load().unwrap();
        let Identity::Password { user, .. } = &keystone(&settings).identity else {
            panic!("{:?}", settings.auth);
        };
        assert_eq!(*user, named("u", domain), "{variables}");
    }
}

#[test]
fn tls_that_is_asked_for_is_not_forgotten_with_the_address_that_it_is_of() {
    let account = "KEYSTONE_AUTH_PROTO=https OS_USERNAME=u OS_PASSWORD=p";
    for address in ["", "KEYSTONE_SERVER=k", "OS_AUTH_URL=http://k:5000/v3"] {
        let error = World::env(&format!("{account} {address}")).error();
        assert!(error.contains("KEYSTONE_AUTH_PROTO"), "{error}");
    }
    for address in ["KEYSTONE_AUTH_HOST=k", "OS_AUTH_URL=https://k:5000/v3"] {
        let settings = World::env(&format!("{account} {address}")).load().unwrap();
        assert!(keystone(&settings).url.starts_with("https:"), "{address}");
    }
}

#[test]
fn a_type_decides_which_credentials_are_needed() {
    for (variables, expected) in [
        ("OS_AUTH_TYPE=none OS_PASSWORD=p", Auth::None),
        ("OS_AUTH_TYPE=noauth OS_USERNAME=u", Auth::None),
        (
            "OS_AUTH_TYPE=admin_token OS_TOKEN=t OS_PASSWORD=p",
            Auth::Token(Secret::new("t")),
        ),
        (
            "OS_AUTH_TYPE=token_endpoint OS_TOKEN=t",
            Auth::Token(Secret::new("t")),
        ),
    ] {
        assert_eq!(World::env(variables).load().unwrap().auth, expected);
    }
    for (variables, missing) in [
        ("OS_AUTH_TYPE=password OS_TOKEN=t", "admin_password"),
        ("OS_AUTH_TYPE=v3token OS_PASSWORD=p", "admin_token"),
        (
            "OS_AUTH_TYPE=v3applicationcredential OS_PASSWORD=p",
            "application_credential_secret",
        ),
        (
            "OS_APPLICATION_CREDENTIAL_ID=c",
            "application_credential_secret",
        ),
        (
            "OS_APPLICATION_CREDENTIAL_SECRET=s",
            "application_credential_id",
        ),
        (
            "OS_APPLICATION_CREDENTIAL_SECRET=s OS_APPLICATION_CREDENTIAL_NAME=c",
            "admin_user",
        ),
    ] {
        let error = World::env(&format!("{URL} {variables}")).error();
        let start = format!("{missing} is missing: ");
        assert!(error.starts_with(&start), "{variables}: {error}");
    }
    let error = World::env("OS_APPLICATION_CREDENTIAL_SECRET=s OS_APPLICATION_CREDENTIAL_ID=c");
    assert!(error.error().starts_with("auth_url is missing"));
}

#[test]
fn what_is_not_supported_is_refused_by_its_name() {
    let account = "OS_USERNAME=u OS_PASSWORD=p";
    let refused = FOREIGN.iter().filter(|foreign| {
        let treatment = foreign.treatment;
        matches!(treatment, Treatment::Refused(_))
    });
    let mut count = 0;
    for foreign in refused {
        let name = foreign.name;
        for variables in [
            format!("{URL} {account} {name}=geheim"),
            format!("{name}=geheim"),
        ] {
            let error = World::env(&variables).error();
            assert!(error.contains(name) && !error.contains("geheim"), "{error}");
        }
        // Where the API needs no token, none is got.
        assert!(
            World::env(&format!("AUTH_MODE=noauth {name}=x"))
                .load()
                .is_ok()
        );
        count += 1;
    }
    assert!(count > 5);
    for value in ["v3oidcpassword", "v3totp", "v3kerberos", "http_basic"] {
        let error = World::env(&format!("{URL} {account} OS_AUTH_TYPE={value}")).error();
        assert!(
            error.contains("OS_AUTH_TYPE") && error.contains(value),
            "{error}"
        );
    }
    let error = World::env(&format!("{URL} {account} OS_IDENTITY_API_VERSION=4")).error();
    assert!(error.contains("OS_IDENTITY_API_VERSION"), "{error}");
}

#[test]
fn what_has_no_effect_is_said_by_its_name() {
    let account = "OS_USERNAME=u OS_PASSWORD=p";
    for foreign in FOREIGN {
        let variables = format!("{URL} {account} {}=x", foreign.name);
        let Treatment::NoEffect(reason) = foreign.treatment else {
            continue;
        };
        let warnings = World::env(&variables).load().unwrap().warnings();
        let texts: Vec<String> = warnings.iter().map(Warning::to_string).collect();
        let name = foreign.name;
        let expected = format!("{name} (environment variable {name}) has no effect: {reason}");
        assert_eq!(texts, [expected]);
    }
    let both = "OS_APPLICATION_CREDENTIAL_ID=c OS_APPLICATION_CREDENTIAL_SECRET=s";
    let warnings = World::env(&format!("{URL} {account} {both}")).load();
    let warnings = warnings.unwrap().warnings();
    assert!(
        matches!(
            &warnings[..],
            [Warning::Unused {
                key: Key::ApplicationCredentialSecret,
                ..
            }]
        ),
        "{warnings:?}"
    );
}

#[test]
fn every_variable_is_in_one_table_only() {
    let mut names: Vec<&str> = FOREIGN.iter().map(|foreign| foreign.name).collect();
    names.extend(SETTINGS.iter().flat_map(|setting| setting.env));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
