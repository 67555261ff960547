//! Docker containers of this host: the controller knows their endpoints by ids, and only the engine knows
//! which name belongs to which.

use std::net::IpAddr;
use std::process::{Command, Stdio};

use contrail_core::Error;
use uuid::Uuid;

use super::error::Result;

const ADDRESSES: &str = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";

/// The address of a running container, when the engine knows one of that name; else the text as it is.
///
/// # Errors
/// When the container has several.
pub fn resolve(text: String) -> Result<String> {
    if text.parse::<IpAddr>().is_ok() || text.parse::<Uuid>().is_ok() {
        return Ok(text);
    }
    let inspected = Command::new("docker")
        .args(["container", "inspect", "--format", ADDRESSES, "--", &text])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    // Without an engine there is no such container.
    let addresses = inspected.ok().filter(|output| output.status.success());
    let addresses = addresses.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    choose(text, &addresses.unwrap_or_default())
}

fn choose(name: String, addresses: &str) -> Result<String> {
    let addresses: Vec<&str> = addresses.split_whitespace().collect();
    match addresses[..] {
        [] => Ok(name),
        [address] => Ok(address.to_owned()),
        _ => {
            let reason = format!(
                "it has several addresses: give one of {}",
                addresses.join(", ")
            );
            Err(Error::invalid("container", name, reason).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_in_several_networks_must_be_named_by_an_address() {
        let choose = |addresses| choose("c".to_owned(), addresses).ok();
        assert_eq!(choose("10.1.1.2 \n"), Some("10.1.1.2".to_owned()));
        assert_eq!(choose("10.1.1.2 10.1.2.2 \n"), None);
        assert_eq!(choose("\n"), Some("c".to_owned()));
    }

    #[test]
    fn addresses_and_ids_are_asked_of_nobody() {
        for text in [
            "10.1.1.2",
            "fd00::2",
            "d2addb42-4371-5012-bee6-417003b71696",
        ] {
            assert_eq!(resolve(text.to_owned()).unwrap(), text);
        }
    }
}
