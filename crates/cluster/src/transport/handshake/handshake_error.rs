use thiserror::Error;

/// Why two nodes were not introduced to each other.
#[derive(Debug, Error)]
pub(in crate::transport) enum HandshakeError {
    /// It was ended before anything was said: who only looks whether someone listens does that.
    #[error("the connection ended before anything was said")]
    Nothing,
    #[error("the connection broke during the handshake")]
    Io(#[source] std::io::Error),
    #[error("what was sent is not a handshake of this protocol")]
    Unreadable,
    #[error("it speaks version {theirs} of the handshake, and this node {ours}")]
    AnotherVersion { ours: u32, theirs: u32 },
    #[error("it does not know the secret of this cluster")]
    WrongSecret,
    /// It has seen this side's proof.
    #[error("it ended the handshake, as a node does that knows another secret")]
    Left,
    /// Another life of a node listens there: the one that was wanted does not any more.
    #[error("another life of a node answers")]
    AnotherLife,
    #[error("it does not know this node as a member")]
    UnknownMember,
    /// Both dial, and another connection is the one that stays.
    #[error("both sides dial, and another connection stays")]
    Busy,
}
