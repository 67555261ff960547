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
    use clap::CommandFactory as _;

    use super::super::Cli;
    use super::*;

    #[test]
    fn completions_and_the_manual_page_know_the_flags() {
        let script = String::from_utf8(completions(&mut Cli::command(), Shell::Bash)).unwrap();
        let page = String::from_utf8(man(Cli::command()).unwrap()).unwrap();
        assert!(script.contains("--keystone_server"));
        assert!(page.contains("keystone_server"));
    }
}
