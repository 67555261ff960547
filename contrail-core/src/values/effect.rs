//! What is known about the effect of a request that got no usable answer.

/// What a request may have changed on the other side, as far as its sender knows. It decides whether
/// the request may be sent again and whether there is something to undo.
///
/// ```
/// use contrail_core::http::{Effect, TransportError};
///
/// assert_eq!(TransportError::Timeout { sent: false }.effect(), Effect::NotSent);
/// assert!(Effect::NotSent.is_excluded());
/// assert!(!TransportError::Timeout { sent: true }.effect().is_excluded());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing was sent: no connection was made, or the request cannot be expressed in HTTP.
    NotSent,
    /// The other side received the request and did not carry it out.
    None,
    /// The request may have been carried out, or may still be in progress: its answer did not arrive in
    /// time, or does not tell.
    Possible,
    /// The connection broke before the whole answer arrived: the request may have been carried out, but
    /// is no longer in progress.
    Interrupted,
}

impl Effect {
    /// Whether the request certainly changed nothing.
    pub fn is_excluded(self) -> bool {
        matches!(self, Self::NotSent | Self::None)
    }
}
