use actum_model::CodecError;
use serde::{Serialize, de::DeserializeOwned};

/// What a serde format can write, and what of it its own decoder reads.
pub(super) trait Format: 'static {
    /// Whether types choose their form for people: what its `is_human_readable` says.
    const HUMAN_READABLE: bool;
    /// Whether the format has text alone for keys, no byte strings, and no floats that are not finite.
    const IS_TEXT: bool;
    /// How many levels of lists, maps and variants its decoder enters.
    const LEVELS_MAX: u32;

    /// Appends the bytes of `value`, whether they can be read back or not.
    ///
    /// # Errors
    /// [`CodecError`] when the format has no form for the value.
    fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads a value from all of `bytes`.
    ///
    /// # Errors
    /// [`CodecError`] when they are no encoding of a `T`.
    fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError>;
}
