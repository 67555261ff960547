//! Making changes one after the other, and rolling them back when one fails.

use super::change::Change;
use super::error::{Error, Result};
use crate::api::Client;
use crate::error::{self, Layered};

/// Makes the changes in their order. When one fails, those before it are rolled back in reverse; also
/// the one that failed, unless it is known to have had no effect.
///
/// # Errors
/// The first one; [`Error::Undo`] with it when something could not be rolled back.
pub(super) fn run(client: &Client, changes: &[Change]) -> Result<()> {
    let mut done: Vec<&Change> = Vec::new();
    run_after(client, changes, &mut done)
}

/// Makes the changes of several stages, with `between` between them. A failure in one also rolls back
/// those before it.
///
/// # Errors
/// As [`run`].
pub(super) fn run_in_stages(
    client: &Client,
    stages: &[Vec<Change>],
    between: impl Fn(),
) -> Result<()> {
    let mut done: Vec<&Change> = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        if index > 0 {
            between();
        }
        run_after(client, stage, &mut done)?;
    }
    Ok(())
}

fn run_after<'a>(client: &Client, changes: &'a [Change], done: &mut Vec<&'a Change>) -> Result<()> {
    for change in changes {
        match change.run(client) {
            Ok(true) => {
                log::info!("{change}");
                done.push(change);
            }
            Ok(false) => log::info!("{change}: another client has done it in the meantime"),
            Err(cause) => {
                if !cause.had_no_effect() {
                    done.push(change);
                }
                return Err(take_back(client, done, cause));
            }
        }
    }
    Ok(())
}

fn take_back(client: &Client, done: &[&Change], cause: Error) -> Error {
    log::warn!(
        "rolling back {} after: {}",
        error::counted(done.len(), "change"),
        error::report(&cause)
    );
    let mut left = Vec::new();
    for change in done.iter().rev() {
        let inverse = change.inverse();
        match inverse.run(client) {
            Ok(_) => log::info!("{inverse}"),
            // What it would remove is already gone.
            Err(error) if error.is_not_found() => {}
            Err(error) => left.push(error),
        }
    }
    match left.is_empty() {
        true => cause,
        false => Error::Undo {
            cause: Box::new(cause),
            left,
        },
    }
}
