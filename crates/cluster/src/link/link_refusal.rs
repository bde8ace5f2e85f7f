use thiserror::Error;

/// Why a message was not taken for a peer: nothing of it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkRefusal {
    /// There is no connection with it.
    #[error("the node is not connected")]
    NotConnected,
    /// What waits for it has reached its bound.
    #[error("too much waits to be sent to the node")]
    Full,
    /// The message is longer than one of both sides takes.
    #[error("the message is longer than {bytes_max} bytes")]
    TooLong {
        /// What both of them take.
        bytes_max: usize,
    },
}
