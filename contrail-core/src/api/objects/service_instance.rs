//! Service instances: what a policy sends packets through.

use serde::{Deserialize, Serialize};

use crate::api::lenient::null_as_default;
use crate::api::meta::{Meta, Rest};
use crate::api::reference::Ref;
use crate::resource;
use crate::values::FqName;

/// A service instance, named `domain:project:name`.
///
/// Deleting one leaves its port tuples behind without a parent: they go first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceInstance {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// The template.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub service_template_refs: Vec<Ref>,
    /// Its networks and more.
    #[serde(
        rename = "service_instance_properties",
        default,
        deserialize_with = "null_as_default"
    )]
    pub properties: InstanceProperties,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// The networks of a service instance, `domain:project:name` each, and more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceProperties {
    /// The network of the left interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_virtual_network: Option<String>,
    /// The network of the right interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right_virtual_network: Option<String>,
    /// The network of the management interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management_virtual_network: Option<String>,
    /// The networks again, in the order of the template's interfaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub interface_list: Vec<InstanceInterface>,
    /// How many virtual machines the controller starts; version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_out: Option<ScaleOut>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// An interface of a service instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceInterface {
    /// Its network.
    #[serde(default, deserialize_with = "null_as_default")]
    pub virtual_network: String,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// How many virtual machines a service instance has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScaleOut {
    /// At most this many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_instances: Option<u32>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl ServiceInstance {
    /// A service instance of a template that shall be created.
    pub fn new(fq_name: FqName, template: Ref, properties: InstanceProperties) -> Self {
        Self {
            meta: Meta::child_of("project", fq_name),
            service_template_refs: vec![template],
            properties,
            rest: Rest::new(),
        }
    }
}

resource!(ServiceInstance, "service-instance", parent "project");
