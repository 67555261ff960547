//! What a clean-up does with what it has found.

use crate::attach::error::Error;

/// What became of an orphan, or of a virtual machine without interfaces.
#[derive(Debug)]
pub enum Fate {
    /// It is removed, or its removal waits like others.
    Removed,
    /// It stays: nobody asked for its removal, it is too new, or somebody uses it by now.
    Stays,
    /// It could not be removed, for this reason.
    Failed(Error),
}
