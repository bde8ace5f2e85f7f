//! The codecs, side by side: [`Json`] and [`Cbor`] for serde types, [`Prost`] for protobuf messages.
//!
//! A payload names its codec by type, so one entity may keep its events in one and its snapshots in another. What they
//! have in common: what `encode` accepts `decode` reads back as the same value; `decode` reads all of the bytes or fails,
//! and no input makes it panic.

mod cbor;
mod checked;
mod fingerprint;
mod format;
mod json;
mod prost;
mod prost_hash;
mod prost_levels;
mod refusal;

pub use cbor::Cbor;
pub use json::Json;
pub use prost::Prost;
