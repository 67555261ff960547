//! Parts of URLs.

use crate::values::Uri;

/// The path of a URL, without the query: what errors and logs show. `/` for a URL that has none.
pub(crate) fn path_of(url: &str) -> String {
    let uri = url.parse::<Uri>();
    uri.map_or_else(|_| "/".to_owned(), |uri| uri.path().to_owned())
}

/// `host:port`, with brackets around an IPv6 address.
pub(crate) fn host_and_port(host: &str, port: impl std::fmt::Display) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_neither_host_nor_query() {
        for (url, path) in [
            (
                "http://h:8082/virtual-networks?detail=true",
                "/virtual-networks",
            ),
            ("http://h", "/"),
            ("http://[::1]:1/a/b", "/a/b"),
        ] {
            assert_eq!(path_of(url), path);
        }
    }
}
