//! Which call a request is: from its path and body, without any other part of HTTP.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    AllocateNetwork, CreateEndpoint, CreateNetwork, Join, OfEndpoint, OfNetwork,
    ProgramExternalConnectivity, ReleaseAddress, ReleasePool, RequestAddress, RequestPool,
};
use crate::error::{Error, Result};

/// One call of the engine.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each variant is the method of its name")]
pub enum Call {
    Activate,
    NetworkCapabilities,
    GatewayCheck,
    CreateNetwork(CreateNetwork),
    AllocateNetwork(AllocateNetwork),
    FreeNetwork,
    DeleteNetwork(OfNetwork),
    CreateEndpoint(CreateEndpoint),
    EndpointInfo(OfEndpoint),
    Join(Join),
    ProgramExternalConnectivity(ProgramExternalConnectivity),
    RevokeExternalConnectivity(OfEndpoint),
    Leave(OfEndpoint),
    DeleteEndpoint(OfEndpoint),
    Discover,
    IpamCapabilities,
    AddressSpaces,
    RequestPool(RequestPool),
    ReleasePool(ReleasePool),
    RequestAddress(RequestAddress),
    ReleaseAddress(ReleaseAddress),
}

impl Call {
    /// Reads a call from the path and the body of a request.
    ///
    /// # Errors
    /// [`Error::UnknownMethod`] for a path that is no method, [`Error::EmptyBody`] where arguments
    /// are missing altogether, [`Error::Body`] for a body that cannot be understood.
    pub fn parse(path: &str, body: &[u8]) -> Result<Self> {
        Ok(match path {
            "/Plugin.Activate" => Self::Activate,
            "/NetworkDriver.GetCapabilities" => Self::NetworkCapabilities,
            "/NetworkDriver.GwAllocCheck" => Self::GatewayCheck,
            "/NetworkDriver.CreateNetwork" => Self::CreateNetwork(arguments(path, body)?),
            "/NetworkDriver.AllocateNetwork" => Self::AllocateNetwork(arguments(path, body)?),
            "/NetworkDriver.FreeNetwork" => Self::FreeNetwork,
            "/NetworkDriver.DeleteNetwork" => Self::DeleteNetwork(arguments(path, body)?),
            "/NetworkDriver.CreateEndpoint" => Self::CreateEndpoint(arguments(path, body)?),
            "/NetworkDriver.EndpointOperInfo" => Self::EndpointInfo(arguments(path, body)?),
            "/NetworkDriver.Join" => Self::Join(arguments(path, body)?),
            "/NetworkDriver.ProgramExternalConnectivity" => {
                Self::ProgramExternalConnectivity(arguments(path, body)?)
            }
            "/NetworkDriver.RevokeExternalConnectivity" => {
                Self::RevokeExternalConnectivity(arguments(path, body)?)
            }
            "/NetworkDriver.Leave" => Self::Leave(arguments(path, body)?),
            "/NetworkDriver.DeleteEndpoint" => Self::DeleteEndpoint(arguments(path, body)?),
            "/NetworkDriver.DiscoverNew" | "/NetworkDriver.DiscoverDelete" => Self::Discover,
            "/IpamDriver.GetCapabilities" => Self::IpamCapabilities,
            "/IpamDriver.GetDefaultAddressSpaces" => Self::AddressSpaces,
            "/IpamDriver.RequestPool" => Self::RequestPool(arguments(path, body)?),
            "/IpamDriver.ReleasePool" => Self::ReleasePool(arguments(path, body)?),
            "/IpamDriver.RequestAddress" => Self::RequestAddress(arguments(path, body)?),
            "/IpamDriver.ReleaseAddress" => Self::ReleaseAddress(arguments(path, body)?),
            _ => {
                return Err(Error::UnknownMethod {
                    path: path.chars().take(100).collect(),
                });
            }
        })
    }

    /// Whether its answer is always the same and needs no work: such calls are answered at once,
    /// however busy the plugin is, because the engine's start waits for them.
    pub fn is_constant(&self) -> bool {
        matches!(
            self,
            Self::Activate
                | Self::NetworkCapabilities
                | Self::GatewayCheck
                | Self::FreeNetwork
                | Self::Discover
                | Self::IpamCapabilities
                | Self::AddressSpaces
        )
    }
}

fn arguments<T: DeserializeOwned>(path: &str, body: &[u8]) -> Result<T> {
    let method = path.trim_start_matches('/');
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::EmptyBody {
            method: method.to_string(),
        });
    }
    let value: Value = serde_json::from_slice(body).map_err(|e| not_understood(method, e))?;
    // A list of the fields' values would do as well.
    if !value.is_object() {
        let reason = serde::de::Error::custom("a JSON object is expected");
        return Err(not_understood(method, reason));
    }
    serde_json::from_value(value).map_err(|e| not_understood(method, e))
}

fn not_understood(method: &str, source: serde_json::Error) -> Error {
    Error::Body {
        method: method.to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_missing_and_empty_read_alike() {
        for body in [
            r#"{"NetworkID":"n","Options":null,"IPv4Data":null,"IPv6Data":null}"#,
            r#"{"NetworkID":"n"}"#,
            r#"{"NetworkID":"n","Options":{},"IPv4Data":[],"IPv6Data":[],"New":{"x":[1]}}"#,
        ] {
            let Call::CreateNetwork(request) =
                Call::parse("/NetworkDriver.CreateNetwork", body.as_bytes()).unwrap()
            else {
                panic!("another call");
            };
            assert!(request.options.is_empty() && request.ipv4_data.is_empty());
        }
    }

    #[test]
    fn a_repeated_request_without_its_body_is_told_from_a_bad_one() {
        for body in ["", "\n"] {
            assert!(matches!(
                Call::parse("/NetworkDriver.Leave", body.as_bytes()),
                Err(Error::EmptyBody { .. })
            ));
        }
        for body in [
            "{",
            "[]",
            r#"["n", "e"]"#,
            "{}",
            r#"{"NetworkID":1,"EndpointID":"e"}"#,
            "nul",
        ] {
            assert!(matches!(
                Call::parse("/NetworkDriver.Leave", body.as_bytes()),
                Err(Error::Body { .. })
            ));
        }
    }

    #[test]
    fn methods_without_arguments_need_no_body() {
        for path in [
            "/Plugin.Activate",
            "/NetworkDriver.GetCapabilities",
            "/IpamDriver.GetCapabilities",
            "/IpamDriver.GetDefaultAddressSpaces",
        ] {
            assert!(Call::parse(path, b"").unwrap().is_constant());
        }
    }

    #[test]
    fn ids_that_could_be_paths_are_refused_with_their_name() {
        let body = br#"{"NetworkID":"n","EndpointID":"../../x"}"#;
        let error = Call::parse("/NetworkDriver.Join", body).unwrap_err();
        let text = contrail_core::error::report(&error);
        assert!(
            text.contains("EndpointID \"../../x\" is not an id"),
            "{text}"
        );
    }

    #[test]
    fn unknown_methods_are_named() {
        for path in [
            "/",
            "",
            "/NetworkDriver.Foo",
            "/plugin.activate",
            "/Plugin.Activate/",
        ] {
            assert!(matches!(
                Call::parse(path, b"{}"),
                Err(Error::UnknownMethod { .. })
            ));
        }
    }
}
