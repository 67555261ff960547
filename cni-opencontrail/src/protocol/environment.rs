//! The environment of a call: which variables a command needs, and what they may hold.

use std::collections::BTreeMap;

use contrail_core::error::quoted;
use contrail_core::values;

use super::command::Command;
use super::error::CniError;

const CONTAINERID: &str = "CNI_CONTAINERID";
const NETNS: &str = "CNI_NETNS";
/// The name of the container's interface.
pub const IFNAME: &str = "CNI_IFNAME";

/// The environment, without variables that are set but empty: runtimes send those for unset ones.
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Takes the environment as the process has it.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(
            variables
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        )
    }

    /// A variable that is set to something.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// The parameters of a command. Those that it does not need may hold anything, or be unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Args {
    container: Option<String>,
    netns: Option<String>,
    ifname: Option<String>,
    args: Option<String>,
}

impl Args {
    /// `CNI_CONTAINERID`.
    ///
    /// # Errors
    ///
    /// Code 4 if it is unset.
    pub fn container(&self) -> Result<&str, CniError> {
        self.container
            .as_deref()
            .ok_or_else(|| missing(&[CONTAINERID]))
    }

    /// `CNI_NETNS`, literally.
    ///
    /// # Errors
    ///
    /// Code 4 if it is unset.
    pub fn netns(&self) -> Result<&str, CniError> {
        self.netns.as_deref().ok_or_else(|| missing(&[NETNS]))
    }

    /// `CNI_IFNAME`; `None` if it is unset, as for commands that are about no interface.
    pub fn ifname(&self) -> Option<&str> {
        self.ifname.as_deref()
    }

    /// `CNI_ARGS`.
    pub fn args(&self) -> Option<&str> {
        self.args.as_deref()
    }

    /// Reads and checks the parameters of `command`.
    ///
    /// # Errors
    ///
    /// Code 4, naming every variable that is missing or the one that is invalid.
    pub fn read(command: Command, environment: &Environment) -> Result<Self, CniError> {
        Self::check(command, environment, |_| None)
    }

    /// Reads and checks the parameters for a document of several networks, which people use by hand: the
    /// interface is `eth0` unless said otherwise, and the container is called like its namespace file.
    ///
    /// # Errors
    ///
    /// As [`Args::read`]. `/proc/<pid>/ns/net` gives no name: every container's ends in `net`.
    pub fn read_for_list(command: Command, environment: &Environment) -> Result<Self, CniError> {
        let netns = environment.get(NETNS).unwrap_or_default();
        let name = netns.rsplit('/').find(|part| !part.is_empty());
        Self::check(command, environment, |variable| match variable {
            IFNAME => Some("eth0".into()),
            CONTAINERID if !netns.starts_with("/proc/") => name.map(str::to_string),
            _ => None,
        })
    }

    /// Whether only what a document of several networks may leave out is missing.
    pub fn may_be_for_list(command: Command, environment: &Environment) -> bool {
        !command.needs(NETNS) || environment.get(NETNS).is_some()
    }

    fn check(
        command: Command,
        environment: &Environment,
        default: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, CniError> {
        let value = |variable: &str| {
            let given = environment.get(variable).map(str::to_string);
            given.or_else(|| default(variable))
        };
        let unset: Vec<&str> = [CONTAINERID, NETNS, IFNAME]
            .into_iter()
            .filter(|variable| command.needs(variable) && value(variable).is_none())
            .collect();
        if !unset.is_empty() {
            return Err(missing(&unset));
        }
        let args = Self {
            container: value(CONTAINERID),
            netns: value(NETNS),
            ifname: value(IFNAME),
            args: value("CNI_ARGS"),
        };
        if let Some(id) = args.container.as_deref()
            && command.needs(CONTAINERID)
            && !is_name(id)
        {
            return Err(self::environment(format!(
                "invalid CNI_CONTAINERID {}: a letter or digit, then letters, digits, _ . and - are allowed",
                quoted(id)
            )));
        }
        if let Some(name) = args.ifname.as_deref().filter(|_| command.needs(IFNAME)) {
            check_ifname(name)?;
        }
        Ok(args)
    }
}

/// The error for variables that a command needs and the runtime has not set.
pub fn missing(variables: &[&str]) -> CniError {
    environment(format!(
        "required env variables [{}] missing",
        variables.join(",")
    ))
}

/// # Errors
///
/// Code 4 for what the kernel or the protocol does not take as the name of an interface.
pub fn check_ifname(name: &str) -> Result<(), CniError> {
    values::check_ifname(name)
        .map_err(|reason| environment(format!("invalid CNI_IFNAME {}: {reason}", quoted(name))))
}

/// Whether it is a name as the protocol wants it for containers and networks.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

fn environment(msg: String) -> CniError {
    CniError::new(CniError::ENVIRONMENT, msg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Environment {
        Environment::new(pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())))
    }

    #[test]
    fn every_missing_variable_is_named_and_empty_means_missing() {
        let error = Args::read(Command::Add, &env(&[("CNI_NETNS", "")])).unwrap_err();
        assert_eq!(
            (error.code, error.msg.as_str()),
            (
                4,
                "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME] missing"
            )
        );
        let error = Args::read(Command::Del, &env(&[])).unwrap_err();
        assert_eq!(
            error.msg,
            "required env variables [CNI_CONTAINERID,CNI_IFNAME] missing"
        );
        assert!(Args::read(Command::Gc, &env(&[])).is_ok());
    }

    #[test]
    fn names_are_checked_only_for_commands_that_need_them() {
        for (id, ifname) in [
            ("-abc", "eth0"),
            ("a/b", "eth0"),
            ("../x", "eth0"),
            ("a b", "eth0"),
            ("a", "sixteen-bytes-xx"),
            ("a", "a/b"),
            ("a", "a:b"),
            ("a", "."),
            ("a", "eth 0"),
            ("a", "eth\u{2003}0"),
            ("a", "eth%d"),
            ("a", "all"),
            ("a", "default"),
        ] {
            let env = env(&[
                ("CNI_CONTAINERID", id),
                ("CNI_NETNS", "/x"),
                ("CNI_IFNAME", ifname),
            ]);
            assert_eq!(
                Args::read(Command::Add, &env).unwrap_err().code,
                4,
                "{id:?} {ifname:?}"
            );
            assert!(Args::read(Command::Status, &env).is_ok());
        }
        assert!(check_ifname("fifteen-bytes-x").is_ok());
    }

    #[test]
    fn a_list_names_the_container_after_its_namespace() {
        let args =
            Args::read_for_list(Command::Add, &env(&[("CNI_NETNS", "/var/run/netns/cniSI")]));
        let args = args.unwrap();
        assert_eq!(
            (args.container(), args.ifname()),
            (Ok("cniSI"), Some("eth0"))
        );
        for netns in ["/proc/7/ns/net", "/var/run/netns/-x", "/"] {
            let args = Args::read_for_list(Command::Add, &env(&[("CNI_NETNS", netns)]));
            assert_eq!(args.unwrap_err().code, 4, "{netns}");
        }
    }
}
