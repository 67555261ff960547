//! The answers to calls, as JSON that the engine reads.

use serde::{Deserialize, Serialize};

use super::ipam::{AddressSpaces, IpamCapabilities, RequestAddressReply, RequestPoolReply};
use super::network::{EndpointInterface, GatewayCheck, JoinReply, NetworkCapabilities};
use super::values::Options;

/// The answer to a call that was carried out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// `{}`: done.
    Done {},
    /// To `Plugin.Activate`: what this plugin is.
    Implements {
        /// The kinds of driver.
        #[serde(rename = "Implements")]
        implements: &'static [&'static str],
    },
    /// To `NetworkDriver.GetCapabilities`.
    NetworkCapabilities(NetworkCapabilities),
    /// To `NetworkDriver.GwAllocCheck`.
    GatewayCheck(GatewayCheck),
    /// To `NetworkDriver.AllocateNetwork`: the options that replace the user's.
    Allocated {
        /// The options.
        #[serde(rename = "Options")]
        options: Options,
    },
    /// To `NetworkDriver.CreateEndpoint`: only what Docker left empty.
    Endpoint {
        /// The interface.
        #[serde(rename = "Interface")]
        interface: EndpointInterface,
    },
    /// To `NetworkDriver.EndpointOperInfo`.
    Info {
        /// What the engine shows about an endpoint.
        #[serde(rename = "Value")]
        value: Options,
    },
    /// To `NetworkDriver.Join`.
    Join(JoinReply),
    /// To `IpamDriver.GetCapabilities`.
    IpamCapabilities(IpamCapabilities),
    /// To `IpamDriver.GetDefaultAddressSpaces`.
    AddressSpaces(AddressSpaces),
    /// To `IpamDriver.RequestPool`.
    Pool(RequestPoolReply),
    /// To `IpamDriver.RequestAddress`.
    Address(RequestAddressReply),
}

/// A failure as both kinds of driver report it: Docker reads `Err` from network drivers and `Error`
/// from IPAM drivers, and shows the text to its user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For network drivers.
    #[serde(rename = "Err")]
    pub err: String,
    /// For IPAM drivers.
    #[serde(rename = "Error")]
    pub error: String,
}

impl Failure {
    /// A failure with the same text for both.
    pub fn new(text: impl Into<String>) -> Self {
        let err: String = text.into();
        let error = err.clone();
        Self { err, error }
    }
}

#[cfg(test)]
mod tests {
    use super::super::network::{InterfaceName, StaticRoute};
    use super::*;

    fn json(reply: &Reply) -> String {
        serde_json::to_string(reply).unwrap()
    }

    #[test]
    fn answers_have_the_fields_that_docker_reads() {
        assert_eq!(json(&Reply::Done {}), "{}");
        assert_eq!(
            json(&Reply::Info {
                value: Options::new()
            }),
            r#"{"Value":{}}"#
        );
        assert_eq!(
            json(&Reply::Endpoint {
                interface: EndpointInterface::default()
            }),
            r#"{"Interface":{}}"#
        );
        assert_eq!(
            serde_json::to_string(&Failure::new("no")).unwrap(),
            r#"{"Err":"no","Error":"no"}"#
        );
    }

    #[test]
    fn a_join_answers_numbers_and_addresses_without_prefix_length() {
        let reply = Reply::Join(JoinReply {
            interface_name: InterfaceName {
                src_name: "cnm1".into(),
                dst_prefix: "eth".into(),
            },
            gateway: Some("10.1.1.1".parse().unwrap()),
            gateway_ipv6: None,
            static_routes: vec![StaticRoute {
                destination: "10.3.0.0/16".parse().unwrap(),
                route_type: StaticRoute::CONNECTED,
                next_hop: None,
            }],
            disable_gateway_service: false,
        });
        assert_eq!(
            json(&reply),
            concat!(
                r#"{"InterfaceName":{"SrcName":"cnm1","DstPrefix":"eth"},"Gateway":"10.1.1.1","#,
                r#""StaticRoutes":[{"Destination":"10.3.0.0/16","RouteType":1}],"DisableGatewayService":false}"#
            )
        );
    }
}
