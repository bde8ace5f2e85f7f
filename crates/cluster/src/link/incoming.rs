//! What a peer sends: a pure machine that checks batches and puts long messages together.

use super::{LinkViolation, outgoing::CHUNK_BYTES_MAX};
use actum_proto::link::v1::{Batch, Chunk};
use bytes::{Bytes, BytesMut};

/// What has arrived on one connection.
#[derive(Debug)]
pub(super) struct Incoming {
    message_bytes_max: usize,
    taken_through: u64,
    partial: Option<Partial>,
}

/// A long message of which pieces are missing.
#[derive(Debug)]
struct Partial {
    total_bytes: usize,
    bytes: BytesMut,
}

impl Incoming {
    /// Nothing has arrived yet. At most one message of at most `message_bytes_max` is put together at a time.
    pub(super) fn new(message_bytes_max: usize) -> Self {
        Self { message_bytes_max, taken_through: 0, partial: None }
    }

    /// The messages that are complete with a batch: the small ones first, then the long one that ends with it.
    pub(super) fn take(&mut self, batch: Batch) -> Result<Vec<Bytes>, LinkViolation> {
        let expected = self.taken_through + 1;
        if batch.number != expected {
            return Err(LinkViolation::OutOfOrder { expected, got: batch.number });
        }
        let mut messages = batch.messages;
        for message in &messages {
            self.check_length(message.len() as u64)?;
        }
        for chunk in batch.chunks {
            messages.extend(self.take_chunk(&chunk)?);
        }
        self.taken_through = batch.number;
        Ok(messages)
    }

    fn take_chunk(&mut self, chunk: &Chunk) -> Result<Option<Bytes>, LinkViolation> {
        self.check_length(chunk.total_bytes)?;
        let total_bytes = chunk.total_bytes as usize;
        let so_far = self.partial.get_or_insert_with(|| Partial {
            total_bytes,
            bytes: BytesMut::with_capacity(total_bytes.min(2 * CHUNK_BYTES_MAX)),
        });
        let end = so_far.bytes.len() + chunk.data.len();
        let goes_on = chunk.offset == so_far.bytes.len() as u64
            && so_far.total_bytes == total_bytes
            && end <= total_bytes
            && !chunk.data.is_empty();
        if !goes_on {
            let Chunk { offset, total_bytes, .. } = *chunk;
            return Err(LinkViolation::MisplacedChunk { offset, total_bytes });
        }
        so_far.bytes.extend_from_slice(&chunk.data);
        if end < total_bytes {
            return Ok(None);
        }
        Ok(self.partial.take().map(|whole| whole.bytes.freeze()))
    }

    fn check_length(&self, bytes: u64) -> Result<(), LinkViolation> {
        let bytes_max = self.message_bytes_max;
        if bytes > bytes_max as u64 {
            return Err(LinkViolation::TooLong { bytes, bytes_max });
        }
        Ok(())
    }

    /// How much of long messages is held until they are complete, in bytes.
    pub(super) fn partial_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.bytes.len())
    }
}
