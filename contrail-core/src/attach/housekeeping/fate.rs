//! What a clean-up does with what it has found.

use crate::attach::error::Error;

/// What became of an orphan, or of a virtual machine without interfaces.
#[derive(Debug)]
pub enum Fate {
    /// It is removed, or its removal is deferred.
    Removed,
    /// It is kept: its removal was not requested, it is too new, or it is in use by now.
    Stays,
    /// It could not be removed, for this reason.
    Failed(Error),
}
