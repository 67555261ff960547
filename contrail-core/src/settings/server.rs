//! Reading the addresses of servers.

use std::net::Ipv6Addr;

use super::parse::{self, Allowed};
use crate::http::{Scheme, Server};

/// The servers of a list that is separated by commas or white space.
pub(super) fn servers(text: &str, scheme: Scheme, port: u16) -> Result<Vec<Server>, Allowed> {
    let words = text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty());
    let servers: Result<Vec<Server>, Allowed> =
        words.map(|word| server(word, scheme, port)).collect();
    match servers {
        Ok(servers) if !servers.is_empty() => Ok(servers),
        _ => Err(
            "host, host:port or http(s)://host:port is expected, IPv6 addresses in brackets, several separated by commas",
        ),
    }
}

fn server(word: &str, scheme: Scheme, port: u16) -> Result<Server, Allowed> {
    let (scheme, rest) = if let Some(rest) = word.strip_prefix("http://") {
        (Scheme::Http, rest)
    } else if let Some(rest) = word.strip_prefix("https://") {
        (Scheme::Https, rest)
    } else {
        (scheme, word)
    };
    let (host, given) = split_host_port(rest.strip_suffix('/').unwrap_or(rest))?;
    Ok(Server {
        scheme,
        host,
        port: given.unwrap_or(port),
    })
}

/// The host and, if given, the port of `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6
/// address.
pub(super) fn split_host_port(text: &str) -> Result<(String, Option<u16>), Allowed> {
    const ALLOWED: Allowed = "host or host:port is expected, an IPv6 address in brackets";
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text.to_string(), None));
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(ALLOWED)?;
            host.parse::<Ipv6Addr>().map_err(|_| ALLOWED)?;
            match rest {
                "" => (host, None),
                _ => (host, Some(rest.strip_prefix(':').ok_or(ALLOWED)?)),
            }
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(is_name) {
        return Err(ALLOWED);
    }
    let port = port.map(parse::port).transpose().map_err(|_| ALLOWED)?;
    Ok((host.to_string(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> Vec<String> {
        let servers = servers(text, Scheme::Http, 8082).unwrap();
        servers.iter().map(Server::base_url).collect()
    }

    #[test]
    fn lists_of_servers_are_read_in_every_form() {
        assert_eq!(urls("10.0.0.1"), ["http://10.0.0.1:8082"]);
        assert_eq!(
            urls("10.0.0.1,10.0.0.2:80, https://api.example.org:8443/"),
            [
                "http://10.0.0.1:8082",
                "http://10.0.0.2:80",
                "https://api.example.org:8443"
            ]
        );
        assert_eq!(
            urls("[fd00::1],[fd00::2]:80 fd00::3"),
            [
                "http://[fd00::1]:8082",
                "http://[fd00::2]:80",
                "http://[fd00::3]:8082"
            ]
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            ",",
            "ftp://a",
            "a:b",
            "a:0",
            "http://a/path",
            "[fd00::1",
            "[a]:1",
            "fd00::zz",
            "a b:99999",
            "user@host",
        ] {
            assert!(servers(text, Scheme::Http, 8082).is_err(), "{text:?}");
        }
    }
}
