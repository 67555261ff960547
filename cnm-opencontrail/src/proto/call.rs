//! Which call a request is, from its path and body.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ipam::{ReleaseAddress, ReleasePool, RequestAddress, RequestPool};
use super::network::{
    AllocateNetwork, CreateEndpoint, CreateNetwork, Join, OfEndpoint, OfNetwork,
    ProgramExternalConnectivity,
};
use crate::error::{Error, Result};

/// What the names of the methods of each protocol begin with.
const PROTOCOLS: [&str; 3] = ["Plugin.", "NetworkDriver.", "IpamDriver."];

/// Defines [`Call`] from a table. To add a call, add a row here; the compiler then asks for the arm that
/// carries it out, in [`Daemon`](crate::daemon::Daemon).
macro_rules! calls {
    ($($kind:ident $($method:literal)|+ => $call:ident $(($arguments:ty))?;)+) => {
        /// One call of the engine.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "each variant is the method of its name")]
        pub enum Call {
            $($call $(($arguments))?,)+
        }

        impl Call {
            /// All methods.
            pub const METHODS: &[&str] = &[$($($method),+),+];

            /// Reads a call from the path and the body of a request.
            ///
            /// # Errors
            /// [`Error::UnknownMethod`] for a path that is no method, [`Error::EmptyBody`] if there are no
            /// arguments at all, [`Error::Body`] for a body that cannot be understood.
            pub fn parse(path: &str, body: &[u8]) -> Result<Self> {
                let method = path.strip_prefix('/').unwrap_or_default();
                Ok(match method {
                    $($($method)|+ => Self::$call $((arguments::<$arguments>(method, body)?))?,)+
                    _ => {
                        return Err(Error::UnknownMethod {
                            path: path.chars().take(100).collect(),
                            is_protocol: PROTOCOLS.iter().any(|name| method.starts_with(name)),
                        });
                    }
                })
            }

            /// Whether its answer is always the same and needs no work. Such calls are answered at once,
            /// however busy the plugin is, because the engine's start waits for them.
            pub fn is_constant(&self) -> bool {
                match self {
                    $(Self::$call { .. } => calls!(@is_constant $kind),)+
                }
            }
        }
    };
    (@is_constant constant) => { true };
    (@is_constant working) => { false };
}

calls! {
    constant "Plugin.Activate" => Activate;
    constant "NetworkDriver.GetCapabilities" => NetworkCapabilities;
    constant "NetworkDriver.GwAllocCheck" => GatewayCheck;
    working "NetworkDriver.CreateNetwork" => CreateNetwork(CreateNetwork);
    working "NetworkDriver.AllocateNetwork" => AllocateNetwork(AllocateNetwork);
    constant "NetworkDriver.FreeNetwork" => FreeNetwork;
    working "NetworkDriver.DeleteNetwork" => DeleteNetwork(OfNetwork);
    working "NetworkDriver.CreateEndpoint" => CreateEndpoint(CreateEndpoint);
    working "NetworkDriver.EndpointOperInfo" => EndpointInfo(OfEndpoint);
    working "NetworkDriver.Join" => Join(Join);
    working "NetworkDriver.ProgramExternalConnectivity"
        => ProgramExternalConnectivity(ProgramExternalConnectivity);
    working "NetworkDriver.RevokeExternalConnectivity" => RevokeExternalConnectivity(OfEndpoint);
    working "NetworkDriver.Leave" => Leave(OfEndpoint);
    working "NetworkDriver.DeleteEndpoint" => DeleteEndpoint(OfEndpoint);
    constant "NetworkDriver.DiscoverNew" | "NetworkDriver.DiscoverDelete" => Discover;
    constant "IpamDriver.GetCapabilities" => IpamCapabilities;
    constant "IpamDriver.GetDefaultAddressSpaces" => AddressSpaces;
    working "IpamDriver.RequestPool" => RequestPool(RequestPool);
    working "IpamDriver.ReleasePool" => ReleasePool(ReleasePool);
    working "IpamDriver.RequestAddress" => RequestAddress(RequestAddress);
    working "IpamDriver.ReleaseAddress" => ReleaseAddress(ReleaseAddress);
}

fn arguments<T: DeserializeOwned>(method: &str, body: &[u8]) -> Result<T> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::EmptyBody {
            method: method.to_string(),
        });
    }
    let value: Value = serde_json::from_slice(body).map_err(|e| not_understood(method, e))?;
    // Serde would also take a list of the fields' values.
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
    fn a_repeated_request_without_its_body_is_distinguished_from_a_bad_one() {
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
    fn constant_calls_have_no_arguments_and_others_have() {
        for method in Call::METHODS {
            match Call::parse(&format!("/{method}"), b"") {
                Ok(call) => assert!(call.is_constant(), "{method}"),
                Err(Error::EmptyBody { .. }) => {
                    let body = br#"{"NetworkID":"n","EndpointID":"e"}"#;
                    let call = Call::parse(&format!("/{method}"), body).unwrap();
                    assert!(!call.is_constant(), "{method}");
                }
                Err(error) => panic!("{method}: {error}"),
            }
        }
        assert_eq!(Call::METHODS.len(), 22);
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
