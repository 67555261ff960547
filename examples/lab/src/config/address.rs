//! Addresses as the server reads and counts them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reads an address as the server's library does: IPv4 also in the old forms of `inet_aton`, in
/// which parts may be octal (`10.1.0.061` is 10.1.0.49) or missing (`10.1.77` is 10.1.0.77).
pub fn parse(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    let parts: Vec<&str> = text.split('.').collect();
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 {
        return None;
    }
    let mut value: u32 = 0;
    for part in leading {
        let byte = u8::try_from(part_value(part)?).ok()?;
        value = value << 8 | u32::from(byte);
    }
    // The last part fills all bytes that are left.
    let bits = 8 * (4 - leading.len() as u32);
    let last = part_value(last)?;
    if u64::from(last) >> bits != 0 {
        return None;
    }
    let high = u64::from(value) << bits;
    Some(IpAddr::V4(Ipv4Addr::from(high as u32 | last)))
}

fn part_value(part: &str) -> Option<u32> {
    let lower = part.to_ascii_lowercase();
    let (digits, radix) = match lower.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        None => (lower.as_str(), 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

/// The address as a number.
pub fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The address of a number.
pub fn from_number(number: u128, v6: bool) -> IpAddr {
    if v6 {
        IpAddr::V6(Ipv6Addr::from(number))
    } else {
        IpAddr::V4(Ipv4Addr::from(number as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        parse(text).map_or("-".into(), |address| address.to_string())
    }

    #[test]
    fn the_old_forms_of_ipv4_are_understood() {
        assert_eq!(read("10.1.0.061"), "10.1.0.49");
        assert_eq!(read("10.1.77"), "10.1.0.77");
        assert_eq!(read("0x0a.1"), "10.0.0.1");
        assert_eq!(read("167772161"), "10.0.0.1");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "banana",
            "10.1.0.60/24",
            "",
            "1.2.3.4.5",
            "256.1.1.1",
            "1..2",
            "0x",
        ] {
            assert_eq!(read(text), "-", "{text}");
        }
    }

    #[test]
    fn ipv6_is_compressed() {
        assert_eq!(read("FD00:0001:0:0:0:0:0:00AA"), "fd00:1::aa");
    }

    #[test]
    fn numbers_convert_both_ways() {
        for text in ["10.1.0.1", "fd00::1"] {
            let address = parse(text).unwrap();
            assert_eq!(from_number(number(address), address.is_ipv6()), address);
        }
    }
}
