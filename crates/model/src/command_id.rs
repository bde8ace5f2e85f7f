use std::{fmt, sync::Arc};
use xxhash_rust::xxh3::xxh3_64;

/// Names one intention of a caller, so that sending it again does not do it again.
///
/// A command that carries an id and changes its entity is applied once, for as long as the entity remembers the id; a
/// retry gets the reply that was recorded the first time. A command that changed nothing, also one that was rejected, is
/// not remembered: a retry of it is decided again, on the state as it is then, and may take effect. Text of 1 to [`CommandId::BYTES_MAX`] bytes without NUL, for example the
/// `Idempotency-Key` of an HTTP request.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(Arc<str>);

impl CommandId {
    /// The longest id, in bytes.
    pub const BYTES_MAX: usize = 128;

    /// Checks and keeps `text`.
    ///
    /// # Errors
    /// [`InvalidCommandId`] when the text is empty, longer than [`Self::BYTES_MAX`] bytes or contains NUL.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidCommandId> {
        let text = text.as_ref();
        match text.len() {
            0 => Err(InvalidCommandId::Empty),
            n if n > Self::BYTES_MAX => Err(InvalidCommandId::TooLong { bytes: n }),
            _ if text.contains('\0') => Err(InvalidCommandId::Nul),
            _ => Ok(Self(Arc::from(text))),
        }
    }

    /// A hash of the id, the same for ever: it is stored. XXH3 with 64 bits of the text.
    #[must_use]
    pub fn hash64(&self) -> u64 {
        xxh3_64(self.0.as_bytes())
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for CommandId {
    type Error = InvalidCommandId;
    fn try_from(text: &str) -> Result<Self, InvalidCommandId> {
        Self::new(text)
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a [`CommandId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCommandId {
    /// The text has no character.
    #[error("a command id must not be empty")]
    Empty,
    /// The text is longer than allowed.
    #[error("a command id has at most {} bytes, this one has {bytes}", CommandId::BYTES_MAX)]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The text contains NUL.
    #[error("a command id must not contain NUL")]
    Nul,
}
