//! The service instance of members: its template and the networks of its roles.

use serde_json::{Value, json};

use crate::api::objects::{
    InstanceInterface, InstanceProperties, ScaleOut, ServiceInstance, ServiceTemplate,
};
use crate::api::{KeyValuePairs, Ref, Resource};
use crate::service_chain::change::{Change, Target};
use crate::service_chain::identified::Identified;
use crate::service_chain::types::Leg;
use crate::values::FqName;

/// A service instance as it is made.
pub(in crate::service_chain) fn new_instance(
    name: FqName,
    template: &ServiceTemplate,
    properties: InstanceProperties,
    mark: KeyValuePairs,
) -> Identified<ServiceInstance> {
    let mut instance = ServiceInstance::new(name, Ref::object(template), properties);
    instance.meta.annotations = mark;
    Identified::made(instance)
}

/// The properties of a service instance whose roles have these networks.
pub(in crate::service_chain) fn properties<'a>(
    template: &ServiceTemplate,
    network: impl Fn(Leg) -> Option<&'a FqName>,
) -> InstanceProperties {
    let network = |leg| network(leg).map(FqName::to_string);
    let interface = |kind: &str| InstanceInterface {
        virtual_network: kind.parse().ok().and_then(network).unwrap_or_default(),
        ..InstanceInterface::default()
    };
    let kinds = template.properties.interface_type.iter();
    InstanceProperties {
        left_virtual_network: network(Leg::Left),
        right_virtual_network: network(Leg::Right),
        management_virtual_network: network(Leg::Management),
        interface_list: kinds
            .map(|kind| interface(&kind.service_interface_type))
            .collect(),
        scale_out: Some(ScaleOut {
            max_instances: Some(1),
            ..ScaleOut::default()
        }),
        ..InstanceProperties::default()
    }
}

/// What a service instance says of the network of one of its roles.
pub(super) fn stated_network(properties: &InstanceProperties, leg: Leg) -> Option<&str> {
    let network = match leg {
        Leg::Left => &properties.left_virtual_network,
        Leg::Right => &properties.right_virtual_network,
        Leg::Management => &properties.management_virtual_network,
    };
    network.as_deref().filter(|network| !network.is_empty())
}

/// What is different between a service instance and the one that is wanted.
pub(in crate::service_chain) fn differences(
    existing: &ServiceInstance,
    template: &ServiceTemplate,
    wanted: &InstanceProperties,
) -> Vec<String> {
    let mut all = Vec::new();
    let actual = existing.service_template_refs.first();
    if !actual.is_some_and(|actual| actual.is_to(template.fq_name())) {
        let actual = actual.map_or("no template".to_owned(), |it| it.referent().to_string());
        all.push(format!("has {actual} and not {}", template.fq_name()));
    }
    let (has, wants) = (networks(&existing.properties), networks(wanted));
    if has != wants {
        all.push(format!("has {has} and not {wants}"));
    }
    all
}

/// The networks of a service instance for people, who also see when the two places where they stand
/// do not agree.
pub(in crate::service_chain) fn networks(properties: &InstanceProperties) -> String {
    let list = properties.interface_list.iter();
    let list: Vec<&str> = list.map(|i| i.virtual_network.as_str()).collect();
    let own = Leg::ALL
        .into_iter()
        .filter_map(|leg| Some(format!("{leg} {}", stated_network(properties, leg)?)));
    let own: Vec<String> = own.collect();
    format!("{} (interfaces {})", own.join(", "), list.join(", "))
}

/// Gives a service instance this template and these properties.
pub(in crate::service_chain) fn update_instance(
    existing: &Identified<ServiceInstance>,
    template: &ServiceTemplate,
    wanted: &InstanceProperties,
    what: String,
) -> Change {
    let fields = |refs: &[Ref], properties: &InstanceProperties| -> Value {
        json!({"service_template_refs": refs, "service_instance_properties": properties})
    };
    let mut after = wanted.clone();
    after.rest = existing.properties.rest.clone();
    Change::Update {
        target: Target::of(existing),
        what: format!("because it {what}"),
        before: fields(&existing.service_template_refs, &existing.properties),
        after: fields(&[Ref::object(template)], &after),
    }
}
