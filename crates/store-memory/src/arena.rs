use bytes::{Bytes, BytesMut};

/// How many bytes are allocated at a time.
const CHUNK_BYTES: usize = 32 << 10;
/// Larger payloads keep their own allocation.
const KEPT_BYTES_MAX: usize = 512;

/// Where small payloads lie side by side, in few allocations.
///
/// A chunk lives as long as any payload in it.
#[derive(Default)]
pub(crate) struct Arena {
    chunk: BytesMut,
}

impl Arena {
    /// The same bytes, to be kept for long.
    pub(crate) fn keep(&mut self, bytes: &Bytes) -> Bytes {
        if bytes.is_empty() || bytes.len() > KEPT_BYTES_MAX {
            return bytes.clone();
        }
        if self.chunk.capacity() < bytes.len() {
            self.chunk = BytesMut::with_capacity(CHUNK_BYTES);
        }
        self.chunk.extend_from_slice(bytes);
        self.chunk.split().freeze()
    }
}
