use std::{fmt, num::NonZeroU16};
use xxhash_rust::xxh3::xxh3_64;

use crate::{ID_BYTES_MAX, KIND_BYTES_MAX};

/// One of the hash buckets of entity ids, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(u16);

/// How many partitions a journal has: 1 to 65,535, 256 by default, fixed when the journal is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartitionCount(NonZeroU16);

/// The stable hash of an entity: the same for ever, in every version and on every machine.
///
/// XXH3, 64 bits, seed 0 (Yann Collet, <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>), over the
/// bytes of the kind, one zero byte, and the bytes of the id. Neither may contain a zero byte, so no two entities hash
/// the same input. Committed vectors hold it in place.
#[must_use]
pub fn partition_hash(kind: &str, id: &str) -> u64 {
    const ROOM: usize = KIND_BYTES_MAX + 1 + ID_BYTES_MAX;
    let (k, n) = (kind.len(), kind.len() + 1 + id.len());
    let mut buffer = [0u8; ROOM];
    if let Some(input) = buffer.get_mut(..n) {
        input[..k].copy_from_slice(kind.as_bytes());
        input[k + 1..].copy_from_slice(id.as_bytes());
        return xxh3_64(input);
    }
    xxh3_64(&[kind.as_bytes(), b"\0", id.as_bytes()].concat()) // no valid key is this long
}

impl Partition {
    /// The partition of number `nr`.
    #[must_use]
    pub const fn new(nr: u16) -> Self {
        Self(nr)
    }

    /// The partition a hash falls into: `hash * count / 2^64`, Lemire's multiply-shift, which keeps to the high bits
    /// (Fast Random Integer Generation in an Interval, 2019).
    #[must_use]
    pub fn of_hash(hash: u64, count: PartitionCount) -> Self {
        let nr = (u128::from(hash) * u128::from(count.get())) >> 64;
        Self(u16::try_from(nr).expect("a 64-bit fraction of a u16 is a u16"))
    }

    /// Its number, counted from 0.
    #[must_use]
    pub const fn nr(self) -> u16 {
        self.0
    }

    /// Its number as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl PartitionCount {
    /// The count `n`, none for 0.
    #[must_use]
    pub const fn new(n: u16) -> Option<Self> {
        match NonZeroU16::new(n) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// All partitions, in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Partition> {
        (0..self.get()).map(Partition)
    }
}

impl Default for PartitionCount {
    fn default() -> Self {
        Self(NonZeroU16::new(256).expect("256 is not 0"))
    }
}
