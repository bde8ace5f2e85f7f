use actum_model::CodecError;

/// Why a value or its metadata was not turned into bytes. Nothing was stored; the same value fails again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The payload has more bytes than [`SizeLimits::payload_bytes_max`](super::SizeLimits::payload_bytes_max).
    #[error("`{manifest}` has {bytes} bytes, a payload may have at most {max}")]
    TooLarge {
        /// The manifest of the value.
        manifest: &'static str,
        /// Its encoded size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The metadata has more bytes than [`SizeLimits::metadata_bytes_max`](super::SizeLimits::metadata_bytes_max).
    #[error("the metadata has {bytes} bytes, it may have at most {max}")]
    MetadataTooLarge {
        /// Its encoded size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The codec cannot encode the value, or the value's manifest is not of its type.
    #[error("`{manifest}` cannot be encoded")]
    Codec {
        /// The manifest of the value.
        manifest: &'static str,
        /// What the codec said.
        source: CodecError,
    },
}
