//! Everything between a value and a store: codecs, the one serializer, the contracts of stores, and group commit.
//!
//! * [`codec`]: `Json`, `Cbor` and `Prost`, by which payloads become bytes.
//! * [`serializer`]: the one way values, metadata and remembered commands become bytes and come back, within limits.
//! * [`store`]: what a store owes.
//! * [`progress`]: what is kept of those who read the journal with an offset.
//! * [`members`]: what is kept of the nodes of a cluster, and which of them owns what.
//! * [`group_commit`]: gathers the writes of many entities into few transactions.
//! * [`commits`]: what was just committed, for those who read beside the writers.
//! * [`error_chain`] and [`panics`]: how errors are printed with their causes, and how foreign code is run.
//! * [`Weight`]: how much some writes are.
//! * [`step_back`]: how a task lets others come first.
//! * [`settings_check`]: how settings are checked, and what their problems are called.

pub mod codec;
pub mod commits;
pub mod error_chain;
pub mod group_commit;
pub mod panics;
pub mod serializer;
pub mod settings_check;
mod step_back;
pub mod store;
mod weight;

pub use step_back::step_back;
#[doc(inline)]
pub use store::{members, progress};
pub use weight::Weight;
