//! What recorded and older refusals mean.

use serde::Deserialize;

use super::*;
use crate::error::report;

/// A refusal recorded from the API server.
#[derive(Deserialize)]
struct Recorded {
    name: String,
    method: String,
    path: String,
    status: u16,
    body: String,
}

fn refusal(status: u16, method: Method, path: &str, text: &str) -> (Refusal, Response) {
    let response = Response::new(status, text);
    let refusal = Refusal {
        service: "configuration API http://h:8082".into(),
        method,
        path: path.into(),
        subject: Subject {
            object_type: ObjectType::new("virtual-network").child_of("project"),
            name: "d:p:n".into(),
            uuid: Some(Uuid::from_u128(1)),
        },
        status,
        text: response.text(),
    };
    (refusal, response)
}

fn recorded() -> Vec<(String, Refusal, Response)> {
    let text = include_str!("../../tests/fixtures/refusals.json");
    let recorded: Vec<Recorded> = serde_json::from_str(text).unwrap();
    let case = |r: Recorded| {
        let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
        let method = methods.into_iter().find(|m| m.as_str() == r.method);
        let (refusal, response) = refusal(r.status, method.unwrap(), &r.path, &r.body);
        (r.name, refusal, response)
    };
    recorded.into_iter().map(case).collect()
}

#[test]
fn every_recorded_refusal_means_what_it_says() {
    let id = "00000000-0000-0000-0000-000000000001";
    let refused = |rest: &str| format!("configuration API http://h:8082 refused {rest}");
    let missing = "virtual-network d:p:n does not exist in the configuration API".to_owned();
    let reference =
        "virtual-network d:p:n refers to an object that does not exist in the configuration API";
    let exists = |uuid| format!("virtual-network d:p:n already exists with id {uuid}");
    let post = "POST /virtual-networks with status";
    for (name, meaning) in [
        (
            "GET unknown path",
            refused("GET /no-such-things with status 404: Not found: '/no-such-things'"),
        ),
        (
            "quota: second VN over quota",
            refused(&format!(
                "{post} 412: quota limit (1) exceeded for resource virtual_network"
            )),
        ),
        ("miss", missing.clone()),
        (
            "unknown type",
            refused("POST /fqname-to-id with status 404: Resource type 'no-such-type' not found"),
        ),
        (
            "create VN, gateway outside the subnet",
            refused(&format!(
                "{post} 409: gateway Ip 192.168.9.9 out of cidr: 10.7.0.0/24"
            )),
        ),
        ("create VN, ipam ref does not exist", reference.to_owned()),
        (
            "create VN, parent does not exist",
            "project default-domain:no-project does not exist in the configuration API: \
          it must exist before its virtual-network d:p:n"
                .into(),
        ),
        (
            "create VN, duplicate fq_name (409)",
            exists("f0810049-beea-4d8e-b5f6-faca46e18314"),
        ),
        (
            "create VN, own uuid again with another name (409)",
            exists("90f00664-18dd-4039-aced-6a223aa15566"),
        ),
        (
            "create VN, empty object body",
            refused(&format!("{post} 500: Internal Server Error")),
        ),
        ("PUT missing uuid", missing.clone()),
        ("GET VN missing uuid", missing.clone()),
        ("GET uuid of another type", missing.clone()),
        ("delete missing uuid", missing.clone()),
        ("delete uuid of another type", missing),
        (
            "delete VM with VMI back refs (409)",
            format!(
                "virtual-network {id} is still in use by \
                  virtual-machine-interface/2103e608-f7a3-4ebc-84fa-9a725c20e786"
            ),
        ),
        (
            "13 delete ipam in use (409)",
            format!(
                "virtual-network {id} is still in use by \
                  virtual-network/3218e515-112b-42e7-9de2-89309169501c, \
                  virtual-network/f0810049-beea-4d8e-b5f6-faca46e18314"
            ),
        ),
        (
            "14 PUT VN dropping its only subnet while IPs are in use",
            format!("virtual-network {id} is still in use by 10.40.0.252"),
        ),
        (
            "oversized body (1.5 MB)",
            refused(&format!("{post} 413: Request to large")),
        ),
    ] {
        let cases = recorded();
        let (_, refusal, response) = cases.iter().find(|case| case.0 == name).expect(name);
        assert_eq!(report(&classify(refusal, response)), meaning, "{name}");
    }
}

#[test]
fn all_users_of_an_object_are_named() {
    let (_, refusal, response) = recorded()
        .into_iter()
        .find(|case| case.0 == "delete VN with refs (409)")
        .unwrap();
    let Error::InUse { by, .. } = classify(&refusal, &response) else {
        panic!("not InUse");
    };
    assert_eq!(by.len(), 8);
    assert_eq!(by[0], "instance-ip/4ae7a753-4d07-4e9b-b1ec-080547374123");
}

#[test]
fn a_subnet_stays_as_long_as_addresses_of_it_are_in_use() {
    for text in [
        "Cannot update IP Block, IP(10.1.1.2) is not in subnets (['10.1.0.0/29', 'fd01::/64'])",
        "Cannot Delete IP Block, IP(10.1.1.2) is in use",
    ] {
        let (refusal, response) = refusal(409, Method::PUT, "/virtual-network/x", text);
        let error = classify(&refusal, &response);
        assert!(
            matches!(error, Error::InUse { by, .. } if by == ["10.1.1.2"]),
            "{text}"
        );
    }
}

#[test]
fn texts_of_older_servers_and_of_lost_races_mean_the_same() {
    let id = "c1677745-b73f-4c82-9a3b-05962af27c99";
    for text in [
        format!("[u'd', u'p', u'n'] already exists with uuid: {id}"),
        format!(
            "FQ Name: /fq-name-to-uuid/virtual_network:d:p:n exists already with ID: {id} at zookeeper"
        ),
        // A server with cluster_id.
        format!(
            "FQ Name: c1/fq-name-to-uuid/virtual_network:d:p:n exists already with ID: {id} at zookeeper"
        ),
    ] {
        let (refusal, response) = refusal(409, Method::POST, "/virtual-networks", &text);
        let error = classify(&refusal, &response);
        assert!(
            matches!(error, Error::AlreadyExists { uuid: Some(found), .. } if found.to_string() == id),
            "{text}"
        );
    }
    let text = "Name[u'default-domain', u'p9'] not found";
    let (refusal, response) = refusal(404, Method::POST, "/virtual-networks", text);
    assert!(
        matches!(classify(&refusal, &response), Error::NotFound { kind: "project", name, .. } if name == "default-domain:p9")
    );
}

#[test]
fn a_reference_to_what_is_gone_is_missing_by_name_and_by_id() {
    let missing = |status, path: &str, text: &str| {
        let (refusal, response) = refusal(status, Method::POST, path, text);
        let error = classify(&refusal, &response);
        matches!(error, Error::MissingReference { .. }) && error.had_no_effect()
    };
    let unknown = "vnc_api.exceptions.NoIdError: Unknown id: virtual_network d:p:n";
    assert!(missing(500, "/instance-ips", unknown));
    assert!(missing(
        400,
        "/instance-ips",
        "Unknown reference in resource create {}."
    ));
    assert!(!missing(500, "/ref-update", unknown));
    assert!(!missing(500, "/instance-ips", "Internal Server Error"));
}

#[test]
fn a_refused_link_is_about_the_end_that_its_text_names() {
    let (port, vm) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let name = FqName::new(["no-vm"]);
    let from = Subject::of_id(ObjectType::new("virtual-machine-interface"), port);
    let to = (ObjectType::new("virtual-machine"), vm, &name);
    for (text, subject) in [
        (format!("Unknown id: {vm}"), vm),
        (format!("Unknown id: {port}"), port),
        (format!("No virtual_machine object found for id {vm}"), vm),
        (format!("UUID {vm} not found"), vm),
        ("Name ['no-vm'] not found".to_owned(), vm),
        ("Name ['d', 'p', 'other'] not found".to_owned(), port),
        // Both ids are in the text, but it says of neither that it is missing.
        (format!("Permission Denied {vm} {port}"), port),
        (format!("Bad reference {vm}"), port),
    ] {
        let found = subject_of_link(&text, from.clone(), to);
        assert_eq!(found.uuid, Some(subject), "{text}");
    }
}

#[test]
fn the_id_of_what_exists_is_told_from_ids_and_words_in_its_name() {
    let (id, vm) = (Uuid::from_u128(0xa << 124), Uuid::from_u128(0xb << 124));
    let tricky = format!("{vm} already exists with uuid: {vm}");
    for text in [
        format!("['default-domain', 'admin', 'SI', '{vm}'] already exists with uuid: {id}"),
        format!("['default-domain', '{vm}', '{tricky}'] already exists with uuid: {id}"),
        format!("[u\"it's {vm}\"] already exists with uuid: {id}\n"),
        format!("{id} already exists with fq_name: ['{vm}', '{tricky}']"),
        format!(
            "FQ Name: /fq-name-to-uuid/port_tuple:d:{vm}:{tricky} exists already with ID: {id} at zookeeper"
        ),
    ] {
        let (refusal, response) = refusal(409, Method::POST, "/port-tuples", &text);
        let error = classify(&refusal, &response);
        assert!(
            matches!(error, Error::AlreadyExists { uuid: Some(found), .. } if found == id),
            "{text}: {error:?}"
        );
    }
    // No id is better than that of something else.
    let text = format!("port {vm} already exists with name x");
    let (refusal, response) = refusal(409, Method::POST, "/port-tuples", &text);
    let error = classify(&refusal, &response);
    assert!(
        matches!(error, Error::AlreadyExists { uuid: None, .. }),
        "{error:?}"
    );
}

#[test]
fn a_404_of_some_other_server_does_not_mean_that_an_object_is_missing() {
    let path = "/virtual-network/00000000-0000-0000-0000-000000000001";
    let meaning = |text: &str| {
        let (refusal, mut response) = refusal(404, Method::DELETE, path, text);
        let kind = ("content-type".to_owned(), "text/html".to_owned());
        response.headers.push(kind);
        classify(&refusal, &response)
    };
    for text in [
        "<html><head><title>404 Not Found</title></head></html>",
        "",
        "404 page not found",
        "Not Found",
        "default backend - 404",
        "Cannot DELETE /virtual-network/00000000-0000-0000-0000-000000000001",
        "no Route matched with those values",
        r#"{"error":"not found"}"#,
    ] {
        let error = meaning(text);
        assert!(matches!(error, Error::Foreign { .. }), "{text}: {error}");
        assert!(error.is_transient() && error.had_no_effect());
        let told = format!(
            "answered DELETE {path} with status 404 and {} bytes of text/html",
            text.len()
        );
        assert!(error.to_string().contains(&told), "{error}");
    }
    // The API itself, asked for something that it does not have.
    let error = meaning("Not found: '/virtual-network/x'");
    assert!(matches!(error, Error::Refused { .. }), "{error}");
}

#[test]
fn every_404_that_the_api_gives_is_understood_as_its_own() {
    for (name, refusal, response) in recorded() {
        let error = classify(&refusal, &response);
        assert!(!matches!(error, Error::Foreign { .. }), "{name}: {error}");
    }
}

#[test]
fn a_refused_address_says_why() {
    let wanted: IpAddr = "10.1.0.9".parse().unwrap();
    let network = || FqName::new(["d", "p", "n"]);
    let meaning = |status, text: &str, wanted| {
        let (refusal, _) = refusal(status, Method::POST, "/instance-ips", text);
        address(&refusal, &network(), wanted).map(|error| error.to_string())
    };
    let in_use = Some("address 10.1.0.9 is already in use in virtual network d:p:n".to_owned());
    for (status, text) in [
        (409, "IP address already in use"),
        (403, "Ip address already in use"),
        (
            400,
            "FQ Name: /api-server/subnets/d:p:n:10.1.0.0/16/0171068679 exists already with ID: x at zookeeper",
        ),
        (
            400,
            "FQ Name: c1/api-server/subnets/d:p:n:10.1.0.0/16/0171068679 exists already with ID: x at zookeeper",
        ),
    ] {
        assert_eq!(meaning(status, text, Some(wanted)), in_use, "{text}");
    }
    let none = "virtual network d:p:n cannot give this interface an address: ";
    for (status, text, wanted, reason) in [
        (
            400,
            "Virtual-Network(['d', 'p', 'n']) has exhausted subnet([])",
            None,
            "its subnets of that family are exhausted, or it has none",
        ),
        (
            500,
            "Virtual-Network(d:p:n) has no defined subnet(s)",
            None,
            "its subnets of that family are exhausted, or it has none",
        ),
        (
            400,
            "Virtual-Network(['d', 'p', 'n']) has exhausted subnet([])",
            Some(wanted),
            "10.1.0.9 is outside of all its subnets",
        ),
        (
            400,
            "Gateway IP cannot be used by VM port",
            Some(wanted),
            "10.1.0.9 is the gateway of its subnet",
        ),
    ] {
        assert_eq!(
            meaning(status, text, wanted),
            Some(format!("{none}{reason}")),
            "{text}"
        );
    }
    assert_eq!(meaning(500, "</pre>", Some(wanted)), None);
    assert_eq!(
        meaning(409, "['x'] already exists with uuid: y", None),
        None
    );
}
