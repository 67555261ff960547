//! The table of the keys of a network.

use contrail_core::settings;

use super::given::Given;
use super::options::Options;
use super::{dns, ipam, mtu, network, service};
use crate::protocol::command::Command;
use crate::protocol::error::CniError;

/// A key of a network, besides the settings.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its meaning, as `docs/cni.md` has it.
    pub help: &'static str,
    /// The commands that read it, so that DEL never fails for what only ADD needs.
    pub read_by: &'static [Command],
    /// Whether a document may give it once for all of its networks.
    pub is_inherited: bool,
    /// Puts its value into the options.
    pub read: fn(&Given, &mut Options) -> Result<(), CniError>,
}

impl Key {
    /// Whether `command` reads the key.
    pub fn is_read_by(&self, command: Command) -> bool {
        self.read_by.contains(&command)
            || command.asks_as_add() && self.read_by.contains(&Command::Add)
    }
}

/// A key that gives an option.
const fn option(
    name: &'static str,
    read_by: &'static [Command],
    is_inherited: bool,
    read: fn(&Given, &mut Options) -> Result<(), CniError>,
    help: &'static str,
) -> Key {
    Key {
        name,
        help,
        read_by,
        is_inherited,
        read,
    }
}

/// A key of the protocol, which is read where the protocol needs it.
const fn protocol(name: &'static str, help: &'static str) -> Key {
    option(name, &[], false, |_, _| Ok(()), help)
}

/// Every key of a network, in the order of the documentation.
#[rustfmt::skip] // read as a table
pub static KEYS: &[Key] = &[
    protocol("cniVersion", "version of the protocol; 0.1.0 if unset"),
    protocol("name", "name of the virtual network in the tenant's project"),
    protocol("type", "`opencontrail` or `cni-opencontrail`"),
    option("network", &[Command::Add, Command::Check, Command::Gc], false,
        |given, options| { if let Some(name) = network::parse(given)? { options.network = name } Ok(()) },
        "the virtual network, if its name is not `name`: `net1` or `default-domain:other:net1`"),
    option("mtu", &[Command::Add], true,
        |given, options| { options.mtu = mtu::parse(given)?; Ok(()) },
        "MTU of both ends of the veth pair, in bytes, from 68 to 65535; defaults to the kernel's 1500"),
    option("ipam", &[Command::Add], false,
        |given, options| { options.ipam = ipam::parse(given.value, given.place)?; Ok(()) },
        "[subnets and routes](#keys-of-ipam)"),
    option("dns", &[Command::Add], true,
        |given, options| { options.dns = dns::parse(given)?; Ok(()) },
        "`nameservers`, `domain`, `search` and `options` of the result, instead of the name servers of the virtual network"),
    option("service", &[Command::Add, Command::Check], false,
        |given, options| { options.service = Some(service::parse(given)?); Ok(()) },
        "makes the interface a member of a [service instance](#keys-of-service)"),
    protocol("networks", "[several networks in one document](#several-networks-in-one-document)"),
    protocol("capabilities", "the capabilities `ips`, `mac` and `dns`, which the runtime replaces by `runtimeConfig`"),
    protocol("runtimeConfig", "`ips`, `mac` and `dns` [for this attachment](#request-an-address), set by the runtime"),
    protocol("args", "`args.cni.ips` and `args.cni.mac`: the same, in the older form"),
    protocol("prevResult", "the result of the plugins before this one, or of ADD; set by the runtime"),
];

/// Whether a network or a document has the key: one of its own or a setting.
pub fn is_network_key(key: &str) -> bool {
    key.starts_with("cni.dev/")
        || KEYS.iter().any(|own| own.name.eq_ignore_ascii_case(key))
        || settings::find(key).is_some()
}

/// The names that a key of a network or document may have been meant to be.
pub fn network_keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name).chain(settings::names())
}
