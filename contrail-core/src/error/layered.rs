//! What the errors of the layers above the clients have in common: which error is behind them.

use super::variants::Error;

/// What an error of a layer is about.
#[derive(Debug)]
pub enum Behind<'a, E> {
    /// Another error of the layer made the operation fail; this one tells what else went wrong after it.
    Same(&'a E),
    /// An error of the API-client layer.
    Client(&'a Error),
    /// It is of this layer alone.
    Nothing,
}

/// An error of a layer above the clients, which may be an error of theirs.
///
/// ```
/// use contrail_core::attach;
/// use contrail_core::error::{Error, Layered};
///
/// let error = attach::Error::Undo {
///     cause: Box::new(Error::missing("a subnet", "add one").into()),
///     left: Vec::new(),
/// };
/// assert!(matches!(error.client_cause(), Some(Error::Missing { .. })));
/// ```
pub trait Layered: Sized {
    /// What is directly behind this error.
    fn behind(&self) -> Behind<'_, Self>;

    /// The error that made the operation fail, without what else went wrong after it.
    fn cause(&self) -> &Self {
        match self.behind() {
            Behind::Same(cause) => cause.cause(),
            Behind::Client(_) | Behind::Nothing => self,
        }
    }

    /// The [cause](Error::cause), if it is one of the API-client layer.
    fn client_cause(&self) -> Option<&Error> {
        match self.cause().behind() {
            Behind::Client(error) => Some(error.cause()),
            Behind::Same(_) | Behind::Nothing => None,
        }
    }

    /// As [`Error::is_not_found`].
    fn is_not_found(&self) -> bool {
        self.client_cause().is_some_and(Error::is_not_found)
    }

    /// As [`Error::is_forbidden`].
    fn is_forbidden(&self) -> bool {
        self.client_cause().is_some_and(Error::is_forbidden)
    }
}
