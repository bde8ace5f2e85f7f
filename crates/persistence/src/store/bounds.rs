//! How much a store takes at once. Every store takes as much, and refuses what is more before it does anything, so a
//! request that no store can carry out is [`StoreError::Invalid`](super::StoreError::Invalid) and never a reason to try
//! again. Settings of an engine allow no more than this.

/// The longest name of a writer slot, in bytes.
pub const SLOT_BYTES_MAX: usize = 255;
/// The longest description of the holder of a writer slot, in bytes.
pub const HOLDER_BYTES_MAX: usize = 4096;
/// The longest name of a codec, in bytes.
pub const CODEC_BYTES_MAX: usize = 32;
/// The longest manifest, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 255;
/// The largest payload: an encoded event, state or snapshot, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;
/// The largest metadata of an event, a recorded reply included, in bytes.
pub const METADATA_BYTES_MAX: usize = 8 << 20;
/// The most bytes of remembered commands in a snapshot.
pub const RECENT_COMMANDS_BYTES_MAX: usize = 32 << 20;
/// The most entities that one batch writes.
pub const BATCH_ENTITIES_MAX: usize = 10_000;
/// The most events of one batch, also when a single entity appends them all. As many states and commands a batch of
/// states has at most, together.
pub const BATCH_EVENTS_MAX: usize = 100_000;
/// The most bytes of one batch: payloads, metadata and remembered commands.
pub const BATCH_BYTES_MAX: usize = 64 << 20;
/// The most entities of which one call deletes events or snapshots.
pub const DELETIONS_MAX: usize = 1_000;
/// The most events of one page that is read.
pub const PAGE_EVENTS_MAX: u32 = 100_000;
/// The most bytes of one page that is read.
pub const PAGE_BYTES_MAX: usize = 512 << 20;
/// The most entities that one page of a listing looks at.
pub const LISTED_MAX: u32 = 1_000;
/// The most kinds of entities that a store lists.
pub const KINDS_LISTED_MAX: usize = 1_000;
/// The most kinds, and the most manifests, of one filter.
pub const FILTER_NAMES_MAX: usize = 1_000;
/// The highest sequence number, revision and position: what a signed number of 64 bits counts to.
pub const NUMBER_MAX: u64 = i64::MAX as u64;
