use std::{borrow::Cow, fmt::Debug, hash::Hash};

/// The longest id of an entity, in bytes of its text.
pub const ID_BYTES_MAX: usize = 512;

/// Names one entity among its kind.
///
/// `String`, `u64` and [`uuid::Uuid`] implement it; a newtype of the user's does so in a few lines. The text is what is
/// stored, so one entity has exactly one text: `from_text` refuses any spelling that `to_text` does not produce.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the id of an entity",
    note = "use `String`, `u64` or `Uuid`, or implement `actum::EntityId` for your newtype"
)]
pub trait EntityId: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// The text that is stored: 1 to [`ID_BYTES_MAX`] bytes of UTF-8 without NUL.
    fn to_text(&self) -> Cow<'_, str>;

    /// Reads the text back.
    ///
    /// # Errors
    /// [`InvalidId::Malformed`] when the text is not one that `to_text` produces.
    fn from_text(text: &str) -> Result<Self, InvalidId>;
}

/// Why a text is not the id of an entity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// The text has no character.
    #[error("an entity id must not be empty")]
    Empty,
    /// The text is longer than allowed.
    #[error("an entity id has at most {ID_BYTES_MAX} bytes, this one has {bytes}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The text contains NUL.
    #[error("an entity id must not contain NUL")]
    Nul,
    /// The id's own type does not accept the text.
    #[error("`{text}` is not {expected}")]
    Malformed {
        /// The text.
        text: String,
        /// What it should have been, with its article.
        expected: &'static str,
    },
}

impl InvalidId {
    /// Says that `text` is not `expected`, which is named with its article: `"an order number"`.
    #[must_use]
    pub fn malformed(text: &str, expected: &'static str) -> Self {
        Self::Malformed { text: text.to_owned(), expected }
    }
}

/// Checks what every id must keep to, whatever its type.
///
/// # Errors
/// [`InvalidId`] when the text is empty, longer than [`ID_BYTES_MAX`] bytes or contains NUL.
pub fn check_id(text: &str) -> Result<(), InvalidId> {
    match text.len() {
        0 => Err(InvalidId::Empty),
        bytes if bytes > ID_BYTES_MAX => Err(InvalidId::TooLong { bytes }),
        _ if text.contains('\0') => Err(InvalidId::Nul),
        _ => Ok(()),
    }
}

impl EntityId for String {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
    fn from_text(text: &str) -> Result<Self, InvalidId> {
        Ok(text.to_owned())
    }
}

impl EntityId for u64 {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
    fn from_text(text: &str) -> Result<Self, InvalidId> {
        let id: u64 =
            text.parse().map_err(|_| InvalidId::malformed(text, "a number of 64 bits"))?;
        // "7" and "+7" and "007" would otherwise be one value and three entities
        if id.to_string() == text {
            Ok(id)
        } else {
            Err(InvalidId::malformed(text, "a plain decimal number"))
        }
    }
}

impl EntityId for uuid::Uuid {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Owned(self.hyphenated().to_string())
    }
    fn from_text(text: &str) -> Result<Self, InvalidId> {
        let id = Self::parse_str(text).map_err(|_| InvalidId::malformed(text, "a UUID"))?;
        if id.to_text() == text {
            Ok(id)
        } else {
            Err(InvalidId::malformed(text, "a hyphenated lower-case UUID"))
        }
    }
}
