//! What the agent accepts as the body of a POST: pure functions with the real agent's order, texts
//! and leniency.

use std::net::{Ipv4Addr, Ipv6Addr};

use contrail_core::MacAddr;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::ports::{Kind, Subscription};

/// Why a body is refused, in the agent's own words and without its braces.
pub type Refusal = String;

/// A parsed body.
#[derive(Clone, Debug)]
pub enum Body {
    /// One port.
    One(Map<String, Value>),
    /// Several ports: all or none, and the answer is success either way.
    Many(Vec<Value>),
}

/// Parses the body of `POST /port`.
///
/// # Errors
/// The agent's text for what is not JSON and for JSON that is no object or array.
pub fn parse(body: &[u8]) -> Result<Body, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(Body::One(object)),
        Ok(Value::Array(items)) => Ok(Body::Many(items)),
        Ok(_) => Err(format!("Unexpected Json string ==> {}", text(body))),
        Err(_) => Err(format!("Invalid Json string ==> {}", text(body))),
    }
}

/// The body as it is repeated in a refusal.
pub fn text(body: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(body)
}

/// Reads a port. The checks come in the agent's order; the first that fails decides. Junk that the
/// agent accepts is accepted: bad ids are nil, bad addresses are absent.
///
/// # Errors
/// The agent's text.
pub fn port(object: &Map<String, Value>) -> Result<Subscription, Refusal> {
    let data = |key: &str| {
        let value = object.get(key).and_then(Value::as_str);
        value.ok_or_else(|| format!("Invalid or missing data for <{key}>"))
    };
    let field = |key: &str| {
        let value = object.get(key).and_then(Value::as_str);
        value.ok_or_else(|| format!("Invalid or missing field for <{key}>"))
    };
    let number = |key: &str| {
        integer(object.get(key)).ok_or_else(|| format!("Invalid or missing field for <{key}>"))
    };
    let id = uuid(data("id")?);
    let instance_id = uuid(data("instance-id")?);
    let vn_id = uuid(data("vn-id")?);
    let project_id = uuid(data("vm-project-id")?);
    let display_name = field("display-name")?.to_owned();
    let address = field("ip-address")?
        .parse()
        .unwrap_or(Ipv4Addr::UNSPECIFIED);
    let address6 = field("ip6-address")?
        .parse()
        .unwrap_or(Ipv6Addr::UNSPECIFIED);
    let kind = match number("type")? {
        1 => Kind::Namespace,
        2 => Kind::Remote,
        _ => Kind::Vm,
    };
    if kind == Kind::Vm && vn_id.is_nil() {
        return Err("Invalid VN uuid".into());
    }
    let host_ifname = field("system-name")?.to_owned();
    let mac_text = field("mac-address")?.to_owned();
    let mac = mac(&mac_text).ok_or("Invalid MAC, Use xx:xx:xx:xx:xx:xx format")?;
    let (rx_vlan, tx_vlan) = vlans(number("rx-vlan-id")?, number("tx-vlan-id")?)?;
    let default_state = i32::from(kind != Kind::Remote);
    Ok(Subscription {
        id,
        instance_id,
        vn_id,
        project_id,
        display_name,
        address,
        address6,
        kind,
        host_ifname,
        mac,
        mac_text,
        rx_vlan,
        tx_vlan,
        vhostuser_mode: integer(object.get("vhostuser-mode")).unwrap_or(0) as u8,
        link_state: integer(object.get("link-state")).unwrap_or(default_state) as u8,
        time: 0,
        version: 0,
    })
}

/// The VLANs as they are stored, truncated to 16 bits: -1 becomes 65535, "none".
fn vlans(rx: i32, tx: i32) -> Result<(u16, u16), Refusal> {
    let (rx, tx) = (rx as u16, tx as u16);
    if tx == 65534 && rx != 65535 {
        return Err("Invalid request. RX (isolated) vlan set, but TX vlan not set".into());
    }
    Ok((rx, tx))
}

/// Reads a port of the Kubernetes kind, the body of `POST /vm`.
///
/// # Errors
/// The agent's text.
pub fn vm_port(body: &[u8]) -> Result<Subscription, Refusal> {
    let object = match parse(body)? {
        Body::One(object) => object,
        Body::Many(_) => return Err(format!("Unexpected Json string ==> {}", text(body))),
    };
    let string = |key: &str, what: &str| {
        let value = object.get(key).and_then(Value::as_str);
        value.ok_or_else(|| format!("Invalid or missing {what} for <{key}>"))
    };
    let instance_id = uuid(string("vm-uuid", "data")?);
    let host_ifname = string("host-ifname", "field")?.to_owned();
    let display_name = string("vm-name", "field")?.to_owned();
    let vn_id = uuid(string("vn-uuid", "data")?);
    let id = uuid(string("vmi-uuid", "data")?);
    Ok(Subscription {
        id,
        instance_id,
        vn_id,
        project_id: Uuid::nil(),
        display_name,
        address: Ipv4Addr::UNSPECIFIED,
        address6: Ipv6Addr::UNSPECIFIED,
        kind: Kind::Pod,
        host_ifname,
        mac: MacAddr([0; 6]),
        mac_text: String::new(),
        rx_vlan: u16::MAX,
        tx_vlan: u16::MAX,
        vhostuser_mode: 0,
        link_state: 1,
        time: 0,
        version: 0,
    })
}

/// An integer of 32 bits: `0.0`, `"0"`, `true` and 4294967295 are none.
fn integer(value: Option<&Value>) -> Option<i32> {
    i32::try_from(value?.as_i64()?).ok()
}

/// An id as the agent's library reads it: leading blanks are skipped, what follows the 36th
/// character is ignored, and what is no id in that spelling is the nil id.
pub fn uuid(text: &str) -> Uuid {
    let text = text.trim_ascii_start();
    text.get(..36)
        .and_then(|text| Uuid::try_parse(text).ok())
        .unwrap_or_default()
}

/// A MAC address as the agent reads it: six numbers of one or two hexadecimal digits, not all zero.
fn mac(text: &str) -> Option<MacAddr> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts.next().filter(|p| (1..=2).contains(&p.len()))?;
        if !part.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    (parts.next().is_none() && bytes != [0; 6]).then_some(MacAddr(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_leniently_as_by_the_agent() {
        let id = "97556910-7aaf-11eb-9576-00163e6d1150";
        for accepted in [
            id.to_owned(),
            format!("  {id}"),
            format!("{id}junk"),
            id.to_uppercase(),
        ] {
            assert_eq!(uuid(&accepted).to_string(), id, "{accepted:?}");
        }
        let braces = format!("{{{id}}}");
        for nil in ["", "100", "None", &id.replace('-', ""), &braces] {
            assert!(uuid(nil).is_nil(), "{nil:?}");
        }
    }

    #[test]
    fn mac_addresses_may_lack_leading_zeroes_but_not_colons() {
        assert_eq!(mac("2:1:2:3:4:5"), Some(MacAddr([2, 1, 2, 3, 4, 5])));
        assert!(mac("FF:ff:ff:ff:ff:ff").is_some());
        for bad in [
            "02-1a-00-00-00-01",
            "02:1a:00:00:00:01 ",
            "0x2:1:2:3:4:5",
            "",
            "1:2:3:4:5",
        ] {
            assert!(mac(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn integers_are_strict() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for bad in ["\"0\"", "0.0", "true", "null", "4294967295"] {
            assert_eq!(integer(Some(&value(bad))), None, "{bad}");
        }
        assert_eq!(integer(Some(&value("-1"))), Some(-1));
    }
}
