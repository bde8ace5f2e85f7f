//! Everything between a value and a store: codecs, the one serializer, the contracts of stores, and group commit.
//!
//! * [`codec`]: `Json`, `Cbor` and `Prost`, by which payloads become bytes.
//! * [`serializer`]: the one way values, metadata and remembered commands become bytes and come back, within limits.
//! * [`store`]: what a store owes.
//! * [`group_commit`]: gathers the writes of many entities into few transactions.

pub mod codec;
pub mod group_commit;
pub mod serializer;
pub mod store;
