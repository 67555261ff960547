//! Docker containers of this host: the controller knows their endpoints by ids, and only the engine knows
//! which name belongs to which.

use std::net::IpAddr;
use std::process::{Command, Stdio};

use uuid::Uuid;

const ADDRESSES: &str = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";

/// The address of a running container in its first network, when the engine knows one of that name; else
/// the text as it is.
pub fn resolve(text: String) -> String {
    if text.parse::<IpAddr>().is_ok() || text.parse::<Uuid>().is_ok() {
        return text;
    }
    let inspected = Command::new("docker")
        .args(["container", "inspect", "--format", ADDRESSES, "--", &text])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    // Without an engine there is no such container.
    let addresses = inspected.ok().filter(|output| output.status.success());
    let addresses = addresses.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    match addresses.as_deref().and_then(first) {
        Some(address) => address.to_string(),
        None => text,
    }
}

fn first(addresses: &str) -> Option<IpAddr> {
    addresses.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_network_counts_and_one_without_an_address_does_not() {
        assert_eq!(first("10.1.1.2 10.1.2.2 \n"), "10.1.1.2".parse().ok());
        assert_eq!(first(" 10.1.2.2 \n"), "10.1.2.2".parse().ok());
        assert_eq!(first("\n"), None);
    }

    #[test]
    fn addresses_and_ids_are_asked_of_nobody() {
        for text in [
            "10.1.1.2",
            "fd00::2",
            "d2addb42-4371-5012-bee6-417003b71696",
        ] {
            assert_eq!(resolve(text.to_owned()), text);
        }
    }
}
