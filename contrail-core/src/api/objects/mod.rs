//! The types of objects that attaching containers and service chains need, one file each.
//!
//! Only used fields have Rust names; the others are kept in `rest`.

mod access_control_list;
mod instance_ip;
mod network_ipam;
mod network_policy;
mod policy_rule;
mod port_tuple;
mod project;
mod route_target;
mod routing_instance;
mod security_group;
mod service_instance;
mod service_template;
mod subnet;
mod virtual_machine;
mod virtual_machine_interface;
mod virtual_network;

pub use access_control_list::{AccessControlList, AclRule};
pub use instance_ip::InstanceIp;
pub use network_ipam::NetworkIpam;
pub use network_policy::{NetworkPolicy, PolicyLink, Sequence};
pub use policy_rule::{ActionList, PolicyAddress, PolicyEntries, PolicyPorts, PolicyRule};
pub use port_tuple::PortTuple;
pub use project::Project;
pub use route_target::RouteTarget;
pub use routing_instance::{RoutingInstance, ServiceChainInformation};
pub use security_group::SecurityGroup;
pub use service_instance::{InstanceInterface, InstanceProperties, ScaleOut, ServiceInstance};
pub use service_template::{ServiceTemplate, TemplateInterface, TemplateProperties};
pub use subnet::{AllocationPool, HostRoute, HostRoutes, IpamSubnet, Subnet};
pub use virtual_machine::VirtualMachine;
pub use virtual_machine_interface::{InterfaceProperties, MacAddresses, VirtualMachineInterface};
pub use virtual_network::{RouteTargets, VirtualNetwork, VnSubnets};

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use serde_json::{Value, json};

    use super::*;
    use crate::api::{KeyValuePairs, Resource};
    use crate::values::FqName;

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
        assert_eq!(
            interface.virtual_network_refs[0].to,
            Some(FqName::new(["default-domain", "cap-r1", "vn1"]))
        );
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
    fn recorded_parts_of_service_chains_are_read() {
        let template: ServiceTemplate = read("service_template_v1");
        assert_eq!((template.version(), template.mode()), (1, "in-network"));
        assert_eq!(template.properties.image_name.as_deref(), Some("img"));
        let template: ServiceTemplate = read("service_template_v2");
        let kinds = template.properties.interface_type.iter();
        let kinds: Vec<&str> = kinds.map(|i| i.service_interface_type.as_str()).collect();
        assert_eq!((template.version(), kinds), (2, vec!["left", "right"]));

        let instance: ServiceInstance = read("service_instance");
        assert_eq!(
            instance.service_template_refs[0].name().unwrap().name(),
            "st2-r1"
        );
        let networks = instance.properties.interface_list.iter();
        let networks: Vec<&str> = networks.map(|i| i.virtual_network.as_str()).collect();
        assert_eq!(
            networks,
            ["default-domain:cap-r1:vn1", "default-domain:cap-r1:vn-afs"]
        );
        let tuple: PortTuple = read("port_tuple");
        assert_eq!(tuple.virtual_machine_interface_back_refs.len(), 2);
        let interface: VirtualMachineInterface = read("service_interface");
        assert_eq!(interface.port_tuple_refs[0].uuid, tuple.uuid());
        let role = interface.properties.unwrap().service_interface_type;
        assert_eq!(role.as_deref(), Some("left"));

        let policy: NetworkPolicy = read("network_policy");
        let rule = &policy.entries.policy_rule[0];
        let action = rule.action_list.as_ref().unwrap();
        assert_eq!(action.apply_service, ["default-domain:cap-r1:si2"]);
        assert_eq!(rule.dst_ports, [PolicyPorts::ANY]);
        let network: VirtualNetwork = read("network_with_policy");
        let link = network.network_policy_refs[0].attr.as_ref().unwrap();
        assert_eq!(link.sequence.unwrap().to_string(), "0.0");
        let policy: NetworkPolicy = read("policy_back_refs");
        assert_eq!(policy.virtual_network_back_refs.len(), 2);

        let group: SecurityGroup = read("security_group");
        let side = &group.entries.policy_rule[0].dst_addresses[0];
        assert_eq!(side.security_group.as_deref(), Some("local"));
        assert_eq!(group.security_group_id, Some(8_000_005));
    }

    #[test]
    fn parts_of_service_chains_are_written_as_the_server_took_them() {
        fn same<R: Resource>(name: &str) {
            let sent = &recorded("creations")[name][R::TYPE];
            let object: R = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!(serde_json::to_value(&object).unwrap(), *sent, "{name}");
        }
        same::<ServiceTemplate>("service_template_v1");
        same::<ServiceTemplate>("service_template_v2");
        same::<ServiceInstance>("service_instance");
        same::<PortTuple>("port_tuple");
        same::<NetworkPolicy>("network_policy");
        same::<SecurityGroup>("security_group");
    }

    #[test]
    fn null_parts_of_service_chains_are_like_absent_ones() {
        let bare = |kind: &str| json!({"fq_name": ["d", "p", "x"], kind: null});
        let policy: NetworkPolicy = serde_json::from_value(bare("network_policy_entries")).unwrap();
        assert!(policy.entries.is_empty());
        let template: ServiceTemplate =
            serde_json::from_value(bare("service_template_properties")).unwrap();
        assert_eq!((template.version(), template.mode()), (1, "transparent"));
        let instance: ServiceInstance =
            serde_json::from_value(bare("service_instance_properties")).unwrap();
        assert!(instance.properties.interface_list.is_empty());
        let rule: PolicyRule = serde_json::from_value(json!({
            "protocol": "any", "src_addresses": [{"virtual_network": "any", "subnet": null}],
            "action_list": {"apply_service": null, "gateway_name": null},
        }))
        .unwrap();
        assert_eq!(rule.src_addresses[0].subnet, None);
        assert!(rule.action_list.unwrap().apply_service.is_empty());
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
