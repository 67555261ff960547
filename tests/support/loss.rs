//! Losing a service chain as a controller does: members go while they are in their port tuple and come back
//! under their ids at once.

use contrail_core::api::{
    Client, InstanceIp, ListQuery, PortTuple, Ref, Resource, VirtualMachineInterface,
};
use contrail_core::values::Family;

/// Deletes the ports of every port tuple, under it, and makes them again as members of it. The controller
/// does not build their chains any more.
///
/// # Panics
/// When the API refuses.
pub fn lose_chains(client: &Client) {
    let query = ListQuery::all().fields(&["virtual_machine_interface_back_refs"]);
    let tuples: Vec<PortTuple> = client.list(&query.detail()).expect("tuples are listed");
    for tuple in &tuples {
        for port in &tuple.virtual_machine_interface_back_refs {
            lose(client, port.uuid.expect("a reference has an id"));
        }
    }
}

fn lose(client: &Client, id: uuid::Uuid) {
    let port: VirtualMachineInterface = client.get(id).expect("a member is there");
    let ips: Vec<InstanceIp> = client
        .list(&ListQuery::referring_to(id).detail())
        .expect("its addresses are listed");
    let own = ips.into_iter().filter(|ip| !ip.service_instance_ip);
    let own: Vec<InstanceIp> = own.collect();
    for ip in &own {
        let id = ip.uuid().expect("an address has an id");
        client.delete::<InstanceIp>(id).expect("its address goes");
    }
    client
        .delete::<VirtualMachineInterface>(id)
        .expect("an interface goes under its tuple");

    let mut again =
        VirtualMachineInterface::new(port.fq_name().clone(), port.virtual_network_refs[0].clone());
    again.meta.uuid = Some(id);
    again.meta.annotations = port.meta.annotations.clone();
    again.virtual_machine_refs = port.virtual_machine_refs.clone();
    again.mac_addresses = port.mac_addresses.clone();
    again.properties = port.properties.clone();
    client.create(&again).expect("an interface is made again");
    for ip in own {
        let address = ip.address.expect("it had an address");
        let network = port.virtual_network_refs[0].clone();
        let id = ip.uuid().expect("an address has an id");
        let interface = Ref::object(&again);
        let mut ip = InstanceIp::new(id, Family::of(address), network, interface);
        ip.address = Some(address);
        client.create(&ip).expect("its address is made again");
    }
    for tuple in &port.port_tuple_refs {
        let uuid = tuple.uuid.expect("a reference has an id");
        let name = tuple.name().expect("a reference has a name");
        let to = (PortTuple::TYPE, uuid, name);
        client
            .add_ref((VirtualMachineInterface::TYPE, id), to, None)
            .expect("it joins its tuple again");
    }
}
