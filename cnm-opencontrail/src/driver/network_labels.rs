//! Labels of Docker's own that users give to networks by `-o`. Those that mean something here are options
//! like any other; those that Docker reads in another place must agree with that.

use crate::error::Result;
use crate::options::{DockerOption, Given, mtu, truth};

/// The longest beginning of an interface's name: Linux allows 15 bytes, and Docker appends a number.
const LONGEST_PREFIX: usize = 11;

/// What the labels say.
#[derive(Debug, Default)]
pub(super) struct NetworkLabels {
    mtu: Option<(u32, Given)>,
    prefix: Option<String>,
    ipv4: Option<(bool, Given)>,
    ipv6: Option<(bool, Given)>,
    internal: Option<(bool, Given)>,
}

/// What the options of a network are read into: it takes these labels, too.
pub(super) trait TakesLabels {
    /// The labels.
    fn labels(&mut self) -> &mut NetworkLabels;
}

/// What Docker has asked for, of which labels say the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Whether the network has an IPv4 subnet.
    pub(super) ipv4: bool,
    /// Whether the network has an IPv6 subnet.
    pub(super) ipv6: bool,
    /// Whether it was created with `--internal`.
    pub(super) internal: bool,
}

/// The rows of the labels.
pub(super) const fn network_labels<T: TakesLabels>() -> [DockerOption<T>; 8] {
    [
        DockerOption {
            key: "com.docker.network.driver.mtu",
            example: "1400",
            meaning: "as mtu",
            read: |draft, given| {
                draft.labels().mtu = Some((mtu(&given)?, given));
                Ok(())
            },
        },
        DockerOption {
            key: "com.docker.network.container_iface_prefix",
            example: "net",
            meaning: "what the names of interfaces in containers begin with; if unset, eth",
            read: |draft, given| {
                draft.labels().prefix = Some(prefix(&given)?);
                Ok(())
            },
        },
        DockerOption {
            key: "com.docker.network.enable_ipv4",
            example: "true",
            meaning: "must agree with --ipv4",
            read: |draft, given| {
                draft.labels().ipv4 = Some((truth(&given)?, given));
                Ok(())
            },
        },
        DockerOption {
            key: "com.docker.network.enable_ipv6",
            example: "true",
            meaning: "must agree with --ipv6",
            read: |draft, given| {
                draft.labels().ipv6 = Some((truth(&given)?, given));
                Ok(())
            },
        },
        DockerOption {
            key: "com.docker.network.internal",
            example: "true",
            meaning: "must agree with --internal",
            read: |draft, given| {
                draft.labels().internal = Some((truth(&given)?, given));
                Ok(())
            },
        },
        DockerOption {
            key: "com.docker.network.bridge.enable_icc",
            example: "true",
            meaning: "containers of a virtual network reach each other, so false is refused",
            read: |_, given| {
                match truth(&given)? {
                true => Ok(()),
                false => Err(given.refused(
                    "containers of a virtual network reach each other: filter by --driver-opt security-group=…",
                )),
            }
            },
        },
        DockerOption {
            key: "com.docker.network.bridge.gateway_mode_ipv4",
            example: "routed",
            meaning: "the vRouter translates no addresses, so other modes are refused",
            read: |_, given| routed(&given),
        },
        DockerOption {
            key: "com.docker.network.bridge.gateway_mode_ipv6",
            example: "routed",
            meaning: "the vRouter translates no addresses, so other modes are refused",
            read: |_, given| routed(&given),
        },
    ]
}

impl NetworkLabels {
    /// The MTU: that of the option `mtu`, if it is set, or of the label.
    ///
    /// # Errors
    /// If both are set and differ.
    pub(super) fn mtu(&self, option: Option<u32>) -> Result<Option<u32>> {
        match (&self.mtu, option) {
            (Some((label, given)), Some(option)) if *label != option => {
                Err(given.refused(format!("option mtu is {option}: one of them is enough")))
            }
            (label, option) => Ok(option.or(label.as_ref().map(|(label, _)| *label))),
        }
    }

    /// What the names of interfaces in containers begin with.
    pub(super) fn interface_prefix(&self) -> Option<String> {
        self.prefix.clone()
    }

    /// Refuses labels that say something else than what Docker has asked for.
    ///
    /// # Errors
    /// The first such label, with what to do instead.
    pub(super) fn check(&self, asked: Asked) -> Result<()> {
        for (label, asked, flag) in [
            (&self.ipv4, asked.ipv4, "--ipv4"),
            (&self.ipv6, asked.ipv6, "--ipv6"),
            (&self.internal, asked.internal, "--internal"),
        ] {
            if let Some((_, given)) = label.as_ref().filter(|(says, _)| *says != asked) {
                let reason = format!(
                    "Docker does not read this label, and has created the network with {flag}={asked}: \
                     leave the label out, and use {flag}"
                );
                return Err(given.refused(reason));
            }
        }
        Ok(())
    }
}

fn prefix(given: &Given) -> Result<String> {
    let text = given.text();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    match starts && text.len() <= LONGEST_PREFIX && text.chars().all(is_allowed) {
        true => Ok(text.to_owned()),
        false => Err(given.refused(format!(
            "a letter and up to {} letters, digits, '-', '_' or '.' are expected",
            LONGEST_PREFIX - 1
        ))),
    }
}

fn routed(given: &Given) -> Result<()> {
    match given.text() {
        "routed" => Ok(()),
        _ => Err(given.refused(
            "the vRouter routes and translates no addresses: routed is possible; -o gateway=none or --internal \
             leave the default route out",
        )),
    }
}
