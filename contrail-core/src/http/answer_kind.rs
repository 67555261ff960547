//! What a request is answered with, and how much of it is read: a server that is broken or hostile must not
//! cost a host its memory.

/// What a request is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnswerKind {
    /// One object, or the acknowledgement of a change.
    Object,
    /// A list of objects. Servers before 5.0 answer a look-up with all of them: ten thousand ports have
    /// about 20 MB.
    List,
    /// A token of Keystone with its catalogue.
    Token,
    /// A port of the vRouter agent.
    Port,
}

impl AnswerKind {
    /// The largest body, in bytes.
    ///
    /// ```
    /// use contrail_core::http::AnswerKind;
    ///
    /// assert!(AnswerKind::List.max_bytes() > AnswerKind::Object.max_bytes());
    /// ```
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Object => 8 << 20,
            Self::List => 32 << 20,
            Self::Token => 2 << 20,
            Self::Port => 256 << 10,
        }
    }
}
