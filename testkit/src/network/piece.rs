use std::{io, time::Instant};

use bytes::Bytes;
use tokio::sync::mpsc::error::SendError;

use super::rule::Rule;

/// The most bytes read at once.
pub(super) const CHUNK_BYTES_MAX: usize = 16 * 1024;

/// How many pieces are under way in one direction of one connection, at most: 16 MiB. Who sends more has to wait.
pub(super) const PIECES_MAX: usize = 1024;

/// Bytes under way.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    /// When they are to be delivered, unless at once.
    pub(super) due: Option<Instant>,
}

/// What travels to the server, in order. The end of the channel is the end of what the client says.
#[derive(Debug)]
pub(super) enum ToServer {
    /// Bytes.
    Chunk(Chunk),
    /// Bytes whose answer is lost together with the client.
    Unanswered(Chunk, Rule),
    /// All that follows waits until the rule is released.
    Hold(Rule),
    /// The connection is cut here.
    Reset,
}

/// What travels to the client, in order. The end of the channel is the end of what the server says.
#[derive(Debug)]
pub(super) enum ToClient {
    /// Bytes.
    Chunk(Chunk),
    /// The connection is cut here.
    Reset,
}

/// A side of a connection ends without ceremony: who is there sees it reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut;

impl From<io::Error> for Cut {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl<T> From<SendError<T>> for Cut {
    fn from(_: SendError<T>) -> Self {
        Self
    }
}
