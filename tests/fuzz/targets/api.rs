//! The answers of the configuration API.

use std::sync::Arc;
use std::time::Duration;

use contrail_core::api::{
    Client, InstanceIp, ListQuery, NetworkPolicy, ServiceInstance, ServiceTemplate, VirtualMachine,
    VirtualMachineInterface, VirtualNetwork,
};
use contrail_core::settings::{Settings, Sources};
use contrail_core::{Deadline, FqName};
use uuid::Uuid;

use super::transport::answering;
use super::{check_error, used};

fn client(status: u16, body: &[u8]) -> Client {
    let settings = Settings::load(&Sources {
        nearer: Vec::new(),
        environment: &|_| None,
        files: Vec::new(),
        read: &|_| Err(std::io::ErrorKind::NotFound.into()),
        host_name: Some("test".into()),
    });
    let servers = settings.unwrap().servers;
    let tokens = Arc::new(contrail_core::keystone::NoAuth);
    let timeout = Duration::from_secs(1);
    let client = Client::new(
        answering(status, body),
        servers,
        tokens,
        "test".into(),
        timeout,
    );
    client.until(Deadline::after(Duration::from_secs(1)))
}

/// Checks how a question ended.
fn check<T>(outcome: contrail_core::Result<T>) {
    match outcome {
        Ok(value) => used(value),
        Err(error) => check_error(&error),
    }
}

/// The answer to a question for an object, and to a look-up of its id.
pub fn api_object(text: &[u8]) {
    let (client, id) = (client(200, text), Uuid::from_u128(7));
    let name = FqName::new(["default-domain", "admin", "net1"]);
    let network = client.get::<VirtualNetwork>(id);
    check(network.map(|network| used(network.subnets().count())));
    let interface = client.get::<VirtualMachineInterface>(id);
    check(interface.map(|interface| used(interface.mac())));
    let template = client.get::<ServiceTemplate>(id);
    check(template.map(|template| used((template.version(), template.mode()))));
    check(client.get_opt::<InstanceIp>(id));
    check(client.lookup::<VirtualNetwork>(&name));
    check(client.id_of::<VirtualNetwork>(&name));
    check(client.create(&VirtualMachine::new(id)));
}

/// The answer to a question for many objects.
pub fn api_list(text: &[u8]) {
    let client = client(200, text);
    let detail = ListQuery::all().detail();
    check(client.list::<VirtualMachine>(&ListQuery::all()));
    check(client.list::<VirtualNetwork>(&detail));
    check(client.list::<NetworkPolicy>(&detail));
    check(client.list::<ServiceInstance>(&detail));
}

/// A refusal.
pub fn api_error(text: &[u8]) {
    for status in [400, 404, 409, 500] {
        let (client, id) = (client(status, text), Uuid::from_u128(7));
        check(client.get_opt::<InstanceIp>(id));
        check(client.create(&VirtualMachine::new(id)));
        check(client.delete::<VirtualNetwork>(id));
        check(client.annotate::<VirtualNetwork>(id, "a", Some("b")));
    }
}
