//! The client of the configuration API: its servers, tokens and limits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use crate::http::{Server, Transport};
use crate::keystone::TokenSource;
use crate::values::Deadline;

/// A client of the configuration API. Cloning is cheap, and clones may be used by many threads at
/// once: independent requests are sent in parallel with [`std::thread::scope`].
///
/// If a server cannot be reached or answers 502, 503 or 504, the next one is asked, which then remains
/// the first choice; if a connection broke, a new one to the same server is tried first. A request that
/// may already have had an effect is repeated only if that does no harm: not the creation of an object
/// whose id the API chooses, nor that of an instance IP, for which there is [`Client::ensure_address`].
///
/// ```no_run
/// # use std::{sync::Arc, time::Duration};
/// use contrail_core::api::{Client, VirtualNetwork};
/// use contrail_core::http::{Http, Scheme, Server, TlsSettings};
/// use contrail_core::keystone::NoAuth;
///
/// let client = Client::new(
///     Arc::new(Http::new(&TlsSettings::default(), Duration::from_secs(2))?),
///     vec![Server { scheme: Scheme::Http, host: "10.0.0.5".into(), port: 8082 }],
///     Arc::new(NoAuth),
///     "node1:example".into(),
///     Duration::from_secs(10),
/// );
/// if let Some(network) = client.lookup::<VirtualNetwork>(&"default-domain:admin:net1".parse()?)? {
///     println!("{:?}", network.subnets().next());
/// }
/// # Ok::<(), contrail_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) deadline: Option<Deadline>,
}

pub(super) struct Shared {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) servers: Vec<Server>,
    /// The server that answered last: the index into `servers`.
    pub(super) preferred: AtomicUsize,
    pub(super) tokens: Arc<dyn TokenSource>,
    pub(super) user_agent: String,
    pub(super) request_timeout: Duration,
}

impl Client {
    /// A client of the given servers, which are tried in this order. Each request to one server may
    /// take `request_timeout`. `user_agent` names the caller in the API's audit log: `host:program`.
    pub fn new(
        transport: Arc<dyn Transport>,
        servers: Vec<Server>,
        tokens: Arc<dyn TokenSource>,
        user_agent: String,
        request_timeout: Duration,
    ) -> Client {
        let shared = Shared {
            transport,
            servers,
            preferred: AtomicUsize::new(0),
            tokens,
            user_agent,
            request_timeout,
        };
        Client {
            shared: Arc::new(shared),
            deadline: None,
        }
    }

    /// The same client with a deadline for all its calls together.
    pub fn until(&self, deadline: Deadline) -> Client {
        Client {
            shared: self.shared.clone(),
            deadline: Some(deadline),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("servers", &self.shared.servers)
            .field("identity", &self.shared.tokens.identity())
            .field("user_agent", &self.shared.user_agent)
            .field("request_timeout", &self.shared.request_timeout)
            .field("deadline", &self.deadline)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keystone::FixedToken;
    use crate::testing::FakeTransport;
    use crate::values::Secret;

    #[test]
    fn debug_shows_the_servers_and_no_token() {
        let server = Server {
            scheme: crate::http::Scheme::Http,
            host: "api".into(),
            port: 8082,
        };
        let tokens = Arc::new(FixedToken(Secret::new("sesame")));
        let (transport, limit) = (FakeTransport::answers([]), Duration::from_secs(1));
        let client = Client::new(transport, vec![server], tokens, "h:p".into(), limit);
        let shown = format!("{client:?}");
        assert!(
            shown.contains("api") && !shown.contains("sesame"),
            "{shown}"
        );
    }
}
