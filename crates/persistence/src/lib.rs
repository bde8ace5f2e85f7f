//! Everything between a value and a store: codecs, the one serializer, the contracts of stores, and group commit.

pub mod codec;
pub mod store;
