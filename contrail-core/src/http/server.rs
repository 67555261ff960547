//! The address of a server.

use std::fmt;

use super::url::host_and_port;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP in TLS.
    Https,
}

/// One server of a service, such as the configuration API.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Its host name or address; an IPv6 address has no brackets here.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
}

impl Server {
    /// The beginning of all its URLs: `http://10.0.0.1:8082`.
    pub fn base_url(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("{scheme}://{}", host_and_port(&self.host, self.port))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base_url())
    }
}
