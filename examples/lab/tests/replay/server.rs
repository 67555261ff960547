//! The lab's configuration API, set up as the recorded servers were.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use contrail_lab::config::{Auth, ConfigApi};
use contrail_lab::http::{Server, ServiceName, Watch};

use crate::compare::Comparison;
use crate::recording::{Exchange, Sent};

pub struct Recorded {
    server: Server,
}

/// How the servers of a recording were configured.
pub fn configurations(exchanges: &[Exchange]) -> BTreeSet<Option<&str>> {
    exchanges.iter().map(|e| e.server.as_deref()).collect()
}

impl Recorded {
    pub fn start(configuration: Option<&str>) -> Self {
        let _ = configuration;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Arc::new(ConfigApi::new(Auth::None, &[]));
        let server =
            Server::start(listener, ServiceName::ConfigApi, api, Watch::default()).unwrap();
        Self { server }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    pub fn comparison(&self) -> Comparison {
        Comparison::of(&["Content-Type"])
    }

    pub fn replace_token(&self, _request: &mut Sent) {}
}
