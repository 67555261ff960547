//! What follows from the definition of the command line: completions and the manual page.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;
use crate::error::{Error, Result};

/// The completions for a shell.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cnm-opencontrail", &mut script);
    script
}

/// The manual page, as roff.
pub(super) fn man() -> Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|source| Error::system("write the manual page", source))?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_and_the_manual_page_know_the_flags() {
        let script = String::from_utf8(completions(Shell::Bash)).unwrap();
        let page = String::from_utf8(man().unwrap()).unwrap();
        assert!(script.contains("--keystone_server"));
        assert!(page.contains("keystone_server"));
    }
}
