//! Shell completions and the manual page, generated from the definition of the command line.

use clap::Command;
use clap_complete::Shell;

use crate::error::{Error, Result};

/// The completions for a shell.
pub(super) fn completions(command: &mut Command, shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "cnm-opencontrail", &mut script);
    script
}

/// The manual page, as roff.
pub(super) fn man(command: Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|source| Error::system("write the manual page", source))?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::Cli;
    use super::*;

    #[test]
    fn the_help_of_commands_without_settings_lists_no_flags() {
        for (command, has_flags) in [
            ("completions", false),
            ("man", false),
            ("clean", true),
            ("ping", true),
            ("config", true),
        ] {
            let line = ["cnm-opencontrail", command, "--help"];
            let help = Cli::try_parse_from(line).unwrap_err().to_string();
            assert!(
                help.contains(&format!("Usage: cnm-opencontrail {command}")),
                "{help}"
            );
            for flag in ["--admin_password", "--scope", "--file"] {
                assert_eq!(help.contains(flag), has_flags, "{command}: {help}");
            }
        }
        let line = ["cnm-opencontrail", "completions", "--help"];
        let help = Cli::try_parse_from(line).unwrap_err().to_string();
        assert!(help.contains("bash"), "{help}");
    }

    #[test]
    fn a_mistyped_command_is_named_with_the_nearest() {
        for (given, near) in [
            ("clen", Some("clean")),
            ("pnig", Some("ping")),
            ("confg", Some("config")),
            ("completion", Some("completions")),
            ("remove-everything", None),
        ] {
            let refused = Cli::try_parse_from(["cnm-opencontrail", given]);
            let text = refused.unwrap_err().to_string();
            assert!(text.contains(&format!("subcommand '{given}'")), "{text}");
            let expected = near.map(|near| format!("'{near}'"));
            assert_eq!(text.contains("tip:"), near.is_some(), "{text}");
            assert!(expected.is_none_or(|near| text.contains(&near)), "{text}");
        }
    }

    #[test]
    fn completions_and_the_manual_page_know_the_flags() {
        let script = String::from_utf8(completions(&mut Cli::command(), Shell::Bash)).unwrap();
        let page = String::from_utf8(man(Cli::command()).unwrap()).unwrap();
        assert!(script.contains("--keystone_server"));
        assert!(page.contains("keystone_server"));
    }
}
