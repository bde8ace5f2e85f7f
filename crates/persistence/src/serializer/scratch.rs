use bytes::Bytes;
use std::{cell::Cell, mem};

/// What a thread keeps for the next value, at most.
const KEPT_BYTES_MAX: usize = 64 << 10;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Collects what `fill` writes in one allocation of exactly its size; none if it writes nothing.
///
/// The size is not known before, and a vector that grows would be allocated several times and keep its slack for as long
/// as the bytes wait for the journal. Copying small values once is cheaper; large ones are handed over instead.
pub(super) fn collect<E>(fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<Bytes, E> {
    // taken out, so that a codec that encodes another value inside this one finds an empty one
    let mut scratch = SCRATCH.take();
    scratch.clear();
    let bytes = fill(&mut scratch).map(|()| {
        if scratch.len() > KEPT_BYTES_MAX {
            Bytes::from(mem::take(&mut scratch).into_boxed_slice())
        } else {
            Bytes::copy_from_slice(&scratch)
        }
    });
    if scratch.capacity() <= KEPT_BYTES_MAX {
        SCRATCH.set(scratch);
    }
    bytes
}
