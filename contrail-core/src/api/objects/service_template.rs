//! Service templates: what kind of service an instance is.

use serde::{Deserialize, Serialize};

use crate::api::lenient::null_as_default;
use crate::api::meta::{Meta, Rest};
use crate::resource;
use crate::values::FqName;

/// A template, named `domain:name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceTemplate {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// What it says. Without, the template is of no use.
    #[serde(
        rename = "service_template_properties",
        default,
        deserialize_with = "null_as_default"
    )]
    pub properties: TemplateProperties,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// What a template says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TemplateProperties {
    /// 1 (also when absent): the controller starts virtual machines through Nova. 2: it starts
    /// nothing, ports become members of port tuples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// `in-network`, `in-network-nat` or `transparent`, which it is when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_mode: Option<String>,
    /// `firewall`, `analyzer`, `source-nat` or `loadbalancer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_type: Option<String>,
    /// The interfaces of an instance; its own list of networks has the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub interface_type: Vec<TemplateInterface>,
    /// Whether the order of the interfaces counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_interfaces: Option<bool>,
    /// The image in Glance; version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_name: Option<String>,
    /// The flavor in Nova; version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor: Option<String>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// An interface of a template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TemplateInterface {
    /// `left`, `right`, `management` or `other` and a number.
    #[serde(default, deserialize_with = "null_as_default")]
    pub service_interface_type: String,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl ServiceTemplate {
    /// A template of version 2 for a firewall of this mode with these interfaces.
    pub fn v2(fq_name: FqName, mode: &str, interfaces: &[&str]) -> Self {
        let interface = |kind: &&str| TemplateInterface {
            service_interface_type: (*kind).to_owned(),
            rest: Rest::new(),
        };
        Self {
            meta: Meta::child_of("domain", fq_name),
            properties: TemplateProperties {
                version: Some(2),
                service_mode: Some(mode.to_owned()),
                service_type: Some("firewall".to_owned()),
                interface_type: interfaces.iter().map(interface).collect(),
                ordered_interfaces: Some(true),
                ..TemplateProperties::default()
            },
            rest: Rest::new(),
        }
    }

    /// A template of version 1: virtual machines that the controller starts from an image.
    pub fn v1(
        fq_name: FqName,
        mode: &str,
        interfaces: &[&str],
        image_name: &str,
        flavor: &str,
    ) -> Self {
        let mut template = Self::v2(fq_name, mode, interfaces);
        template.properties.version = Some(1);
        template.properties.image_name = Some(image_name.to_owned());
        template.properties.flavor = Some(flavor.to_owned());
        template
    }

    /// The version, which is 1 when the template does not say.
    pub fn version(&self) -> u32 {
        self.properties.version.unwrap_or(1)
    }

    /// The mode, which is `transparent` when the template does not say.
    pub fn mode(&self) -> &str {
        self.properties
            .service_mode
            .as_deref()
            .unwrap_or("transparent")
    }
}

resource!(ServiceTemplate, "service-template", parent "domain");
