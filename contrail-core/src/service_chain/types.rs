//! The words of a description: roles, modes, directions, protocols and ports.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::api::objects::PolicyPorts;
use crate::values::Invalid;

/// What a port is to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leg {
    /// On the side of the chain's left network.
    Left,
    /// On the side of the chain's right network.
    Right,
    /// Outside the chain.
    Management,
}

impl Leg {
    /// All of them, in the order of a template's interfaces.
    pub const ALL: [Leg; 3] = [Leg::Left, Leg::Right, Leg::Management];

    /// The spelling of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Leg::Left => "left",
            Leg::Right => "right",
            Leg::Management => "management",
        }
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Leg {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Leg::ALL.into_iter().find(|leg| leg.as_str() == text);
        found.ok_or_else(|| {
            let allowed = "left, right or management is expected";
            Invalid::new("service interface", text, allowed)
        })
    }
}

/// How a service sees the packets.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// As a router: its ports have addresses in both networks.
    #[default]
    InNetwork,
    /// As a router that hides the left network behind its own right address.
    InNetworkNat,
    /// As a wire: it needs no addresses and forwards Ethernet frames.
    Transparent,
}

impl Mode {
    /// All of them.
    const ALL: [Mode; 3] = [Mode::InNetwork, Mode::InNetworkNat, Mode::Transparent];

    /// The mode of that spelling.
    pub(super) fn from_api(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }

    /// The spelling of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::InNetwork => "in-network",
            Mode::InNetworkNat => "in-network-nat",
            Mode::Transparent => "transparent",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which way connections may be opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// From either side.
    #[default]
    #[serde(rename = "<>")]
    Both,
    /// From the left to the right only.
    #[serde(rename = ">")]
    LeftToRight,
}

impl Direction {
    /// The spelling of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Both => "<>",
            Direction::LeftToRight => ">",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A protocol above IP, as a policy spells it: `any`, a name, or a number up to 255.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Protocol(String);

impl Protocol {
    /// The names that the API knows.
    const NAMES: [&'static str; 10] = [
        "any", "tcp", "udp", "icmp", "icmp6", "sctp", "gre", "esp", "ah", "igmp",
    ];
    /// The protocols that have ports.
    const WITH_PORTS: [&'static str; 7] = ["any", "tcp", "udp", "sctp", "6", "17", "132"];

    /// The spelling of the API.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has ports.
    pub fn has_ports(&self) -> bool {
        Self::WITH_PORTS.contains(&self.as_str())
    }
}

impl Default for Protocol {
    fn default() -> Self {
        Self("any".to_owned())
    }
}

impl FromStr for Protocol {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let lower = text.to_ascii_lowercase();
        if Self::NAMES.contains(&lower.as_str()) || lower.parse::<u8>().is_ok() {
            return Ok(Self(lower));
        }
        let allowed = format!("one of {}, or 0 to 255 is expected", Self::NAMES.join(", "));
        Err(Invalid::new("protocol", text, allowed))
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Word::deserialize(deserializer)? {
            Word::Text(text) => text,
            Word::Number(number) => number.to_string(),
        };
        text.parse().map_err(D::Error::custom)
    }
}

/// Ranges of ports; if empty, all ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports(Vec<(u16, u16)>);

impl Ports {
    /// Whether every port is meant.
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges as a policy spells them.
    pub fn ranges(&self) -> Vec<PolicyPorts> {
        let range = |&(start, end): &(u16, u16)| PolicyPorts {
            start_port: start.into(),
            end_port: end.into(),
        };
        match self.is_any() {
            true => vec![PolicyPorts::ANY],
            false => self.0.iter().map(range).collect(),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("any");
        }
        let ranges = self.0.iter().map(|&(start, end)| match start == end {
            true => start.to_string(),
            false => format!("{start}-{end}"),
        });
        f.write_str(&ranges.collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Ports {
    type Err = Invalid;

    /// Reads `any`, `80`, `8000-8080` and lists of those with commas.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text == "any" {
            return Ok(Self::default());
        }
        let range = |word: &str| {
            let (start, end) = word.split_once('-').unwrap_or((word, word));
            let (start, end) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
            (start <= end).then_some((start, end))
        };
        let ranges: Option<Vec<(u16, u16)>> = text.split(',').map(range).collect();
        ranges.map(Self).ok_or_else(|| {
            let allowed =
                "any, a port, a range such as 8000-8080, or several with commas is expected";
            Invalid::new("ports", text, allowed)
        })
    }
}

impl Serialize for Ports {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Word::deserialize(deserializer)? {
            Word::Text(text) => text,
            Word::Number(number) => number.to_string(),
        };
        text.parse().map_err(D::Error::custom)
    }
}

/// A word that may be written as a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a number")]
enum Word {
    Text(String),
    Number(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_in_every_form_and_printed_in_one() {
        for (text, printed) in [
            ("\"any\"", "any"),
            ("80", "80"),
            ("\"80\"", "80"),
            ("\"8000-8080, 443\"", "8000-8080,443"),
        ] {
            let ports: Ports = serde_json::from_str(text).unwrap();
            assert_eq!(ports.to_string(), printed);
        }
        for text in [
            "\"\"",
            "\"90-80\"",
            "70000",
            "\"http\"",
            "\"1,\"",
            "[80]",
            "-1",
        ] {
            assert!(serde_json::from_str::<Ports>(text).is_err(), "{text}");
        }
        assert_eq!(Ports::default().ranges(), [PolicyPorts::ANY]);
    }

    #[test]
    fn protocols_are_those_that_the_api_takes() {
        for (text, spelled) in [("\"TCP\"", "tcp"), ("47", "47"), ("\"icmp6\"", "icmp6")] {
            let protocol: Protocol = serde_json::from_str(text).unwrap();
            assert_eq!(protocol.as_str(), spelled);
        }
        for text in ["\"http\"", "256", "\"\"", "null"] {
            assert!(serde_json::from_str::<Protocol>(text).is_err(), "{text}");
        }
        assert!(
            Protocol::default().has_ports() && !"icmp".parse::<Protocol>().unwrap().has_ports()
        );
    }
}
