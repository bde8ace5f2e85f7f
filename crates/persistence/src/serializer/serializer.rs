use super::{
    EncodeError, MetadataError, RecentCommands, RecordedReply, SizeLimits,
    metadata::{EventMetadata, read_metadata, read_recent_commands},
    scratch,
    wire::{self, WireMessage},
};
use actum_model::{Codec, CodecError, DecodeError, Metadata, Payload, SequenceNr, StoredPayload};
use bytes::Bytes;
use std::{borrow::Cow, convert::Infallible};

/// Turns values, metadata and remembered commands into bytes and back.
///
/// Every path that stores or reads goes through it, so the limits hold and upcasts run everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Serializer {
    limits: SizeLimits,
}

impl Serializer {
    /// A serializer that keeps to `limits`, which were [validated](SizeLimits::problems).
    #[must_use]
    pub fn new(limits: SizeLimits) -> Self {
        Self { limits }
    }

    /// The limits it keeps to.
    #[must_use]
    pub fn limits(&self) -> &SizeLimits {
        &self.limits
    }

    /// Encodes `value` with its codec, in one allocation of the encoded size.
    ///
    /// # Errors
    /// [`EncodeError`] when the codec fails, the value's manifest is not of its type, or the payload is too large.
    pub fn encode<T: Payload>(&self, value: &T) -> Result<StoredPayload, EncodeError> {
        let (manifest, max) = (value.manifest(), self.limits.payload_bytes_max);
        let refused = |source| EncodeError::Codec { manifest, source };
        let bytes = scratch::collect(|out| T::Codec::encode(value, out).map_err(refused))?;
        if bytes.len() > max {
            return Err(EncodeError::TooLarge { manifest, bytes: bytes.len(), max });
        }
        let stored = StoredPayload {
            codec: Cow::Borrowed(<T::Codec as Codec<T>>::NAME),
            manifest: Cow::Borrowed(manifest),
            schema_version: T::SCHEMA_VERSION,
            bytes,
        };
        // what could never be read back must not be written
        match stored.unreadable::<T>() {
            error @ DecodeError::UnknownManifest { .. } => Err(refused(CodecError::new(error))),
            _ => Ok(stored),
        }
    }

    /// Decodes a `T`, through [`Payload::upcast`] where it is not in today's format.
    ///
    /// # Errors
    /// [`DecodeError`] when the payload is of another type, of a newer schema version, or damaged.
    pub fn decode<T: Payload>(&self, stored: &StoredPayload) -> Result<T, DecodeError> {
        stored.decode()
    }

    /// Encodes what is stored beside an event: no bytes and no allocation if there is nothing.
    ///
    /// Text that is empty counts as none.
    ///
    /// # Errors
    /// [`EncodeError::MetadataTooLarge`] when the metadata, without the reply, is too large.
    pub fn encode_metadata(
        &self,
        metadata: &Metadata,
        reply: Option<&RecordedReply>,
    ) -> Result<Bytes, EncodeError> {
        if metadata.is_empty() && reply.is_none() {
            return Ok(Bytes::new());
        }
        let bytes = wire::length(&EventMetadata { metadata, reply: None });
        let max = self.limits.metadata_bytes_max;
        if bytes > max {
            return Err(EncodeError::MetadataTooLarge { bytes, max });
        }
        Ok(collect([EventMetadata { metadata, reply }]))
    }

    /// Decodes what is stored beside an event.
    ///
    /// # Errors
    /// [`MetadataError`] when the bytes are damaged.
    pub fn decode_metadata(
        &self,
        bytes: &Bytes,
    ) -> Result<(Metadata, Option<RecordedReply>), MetadataError> {
        if bytes.is_empty() { Ok((Metadata::new(), None)) } else { read_metadata(bytes) }
    }

    /// Encodes the commands an entity remembers: no bytes and no allocation if there are none. Of whole commands, which
    /// schema version 1 stored, nothing is written.
    #[must_use]
    pub fn encode_recent_commands(&self, commands: &RecentCommands) -> Bytes {
        if commands.marks.is_empty() && commands.forgotten_to == SequenceNr::ZERO {
            return Bytes::new();
        }
        collect([commands])
    }

    /// Decodes the commands an entity remembers.
    ///
    /// # Errors
    /// [`MetadataError`] when the bytes are damaged.
    pub fn decode_recent_commands(&self, bytes: &Bytes) -> Result<RecentCommands, MetadataError> {
        if bytes.is_empty() { Ok(RecentCommands::default()) } else { read_recent_commands(bytes) }
    }
}

fn collect<M: WireMessage>(messages: impl IntoIterator<Item = M>) -> Bytes {
    let bytes = scratch::collect(|out| {
        messages.into_iter().for_each(|message| message.put(out));
        Ok::<(), Infallible>(())
    });
    match bytes {
        Ok(bytes) => bytes,
        Err(never) => match never {},
    }
}
