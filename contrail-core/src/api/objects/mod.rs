//! The types of objects that attaching containers needs, one file each.
//!
//! Only used fields have Rust names; the others are kept in `rest`.

mod instance_ip;
mod network_ipam;
mod project;
mod route_target;
mod virtual_machine;
mod virtual_machine_interface;
mod virtual_network;

pub use instance_ip::InstanceIp;
pub use network_ipam::NetworkIpam;
pub use project::Project;
pub use route_target::RouteTarget;
pub use virtual_machine::VirtualMachine;
pub use virtual_machine_interface::{InterfaceProperties, MacAddresses, VirtualMachineInterface};
pub use virtual_network::{
    AllocationPool, HostRoute, HostRoutes, IpamSubnet, RouteTargets, Subnet, VirtualNetwork,
    VnSubnets,
};

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use serde_json::{Value, json};

    use super::*;
    use crate::api::{KeyValuePairs, Resource};
    use crate::fq_name::FqName;

    /// The answers of the API server that were recorded, by name.
    fn recorded(name: &str) -> Value {
        let text = include_str!("../../../tests/fixtures/objects.json");
        let all: Value = serde_json::from_str(text).unwrap();
        all[name].clone()
    }

    fn read<R: Resource>(name: &str) -> R {
        serde_json::from_value(recorded(name)[R::TYPE].clone()).unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn recorded_networks_have_their_subnets() {
        let network: VirtualNetwork = read("network");
        let subnet = network.subnets().next().unwrap();
        assert_eq!(subnet.prefix().unwrap().to_string(), "10.1.0.0/24");
        assert_eq!(subnet.gateway(), Some(ip("10.1.0.254")));
        assert_eq!(subnet.dns(), Some(ip("10.1.0.253")));
        assert!(subnet.subnet_uuid.is_some());
        assert_eq!(network.meta.parent_type.as_deref(), Some("project"));

        let network: VirtualNetwork = read("network_without_gateway");
        let subnet = network.subnets().next().unwrap();
        assert_eq!(subnet.default_gateway, Some(ip("0.0.0.0")));
        assert_eq!(subnet.gateway(), None);

        let network: VirtualNetwork = read("dual_stack_network");
        assert_eq!(network.subnets().count(), 2);
    }

    #[test]
    fn recorded_interfaces_addresses_machines_and_projects_are_read() {
        let interface: VirtualMachineInterface = read("interface");
        let id = interface.uuid().unwrap();
        assert_eq!(interface.mac(), Some(crate::MacAddr::of_interface(id)));
        assert_eq!(interface.virtual_network_refs[0].to.name(), "vn1");
        let address: InstanceIp = read("instance_ip");
        assert_eq!(address.address, Some(ip("10.1.0.252")));
        assert_eq!(address.fq_name().name(), "iip-r1-1");
        let address: InstanceIp = read("instance_ip_v6");
        assert!(address.address.unwrap().is_ipv6());
        let machine: VirtualMachine = read("machine_with_back_refs");
        assert_eq!(machine.virtual_machine_interface_back_refs.len(), 1);
        assert_eq!(read::<Project>("project").fq_name().parts().len(), 2);
        assert_eq!(
            read::<NetworkIpam>("network_ipam").fq_name().name(),
            "ipam1"
        );
    }

    #[test]
    fn what_has_no_name_here_survives_being_written_again() {
        for (name, kind) in [
            ("network", "virtual-network"),
            ("dual_stack_network", "virtual-network"),
        ] {
            let mut before = recorded(name)[kind].clone();
            let object: VirtualNetwork = serde_json::from_value(before.clone()).unwrap();
            let mut after = serde_json::to_value(&object).unwrap();
            for side in [&mut before, &mut after] {
                let fields = side.as_object_mut().unwrap();
                // Only read, never written.
                fields.retain(|key, _| key != "parent_uuid" && !key.ends_with("_back_refs"));
                for link in fields["network_ipam_refs"].as_array_mut().unwrap() {
                    link.as_object_mut().unwrap().remove("href");
                }
            }
            assert_eq!(before, after, "{name}");
        }
        // 64-bit halves of ids are unsigned and large.
        let network: VirtualNetwork = read("network");
        assert!(network.rest["id_perms"]["uuid"]["uuid_mslong"].is_u64());
    }

    #[test]
    fn null_is_like_absent() {
        let interface: VirtualMachineInterface = serde_json::from_value(json!({
            "fq_name": ["d", "p", "i"], "display_name": null, "annotations": null,
            "virtual_machine_interface_mac_addresses": null, "virtual_machine_refs": null,
            "virtual_machine_interface_bindings": {"key_value_pair": null},
        }))
        .unwrap();
        assert_eq!(interface.mac(), None);
        assert!(interface.virtual_machine_refs.is_empty());
        let address: InstanceIp =
            serde_json::from_value(json!({"fq_name": ["i"], "instance_ip_address": ""})).unwrap();
        assert_eq!(address.address, None);
        let network: VirtualNetwork = serde_json::from_value(json!({
            "fq_name": ["d", "p", "n"],
            "network_ipam_refs": [{"to": ["i"], "attr": {"ipam_subnets": null}}, {"to": ["j"], "attr": null}],
        }))
        .unwrap();
        assert_eq!(network.subnets().count(), 0);
    }

    #[test]
    fn a_new_network_sends_its_subnets_and_marks() {
        let range = "10.1.1.7/24".parse().unwrap();
        let name = FqName::new(["d", "p", "net1"]);
        let mut network = VirtualNetwork::new(
            name,
            NetworkIpam::default_name(),
            vec![IpamSubnet::new(range)],
        );
        network.meta.annotations = KeyValuePairs::from_iter([("owner", "x")]);
        assert_eq!(
            serde_json::to_value(&network).unwrap(),
            json!({
                "fq_name": ["d", "p", "net1"], "parent_type": "project",
                "annotations": {"key_value_pair": [{"key": "owner", "value": "x"}]},
                "network_ipam_refs": [{
                    "to": ["default-domain", "default-project", "default-network-ipam"],
                    "attr": {"ipam_subnets": [{"subnet": {"ip_prefix": "10.1.1.0", "ip_prefix_len": 24}}]},
                }],
            })
        );
    }
}
