//! How entities of a kind, and the runtime as a whole, behave.

mod journal_wait;
mod open_at_start;
mod runtime_settings;

pub use actum_host::settings::{Batching, CommandWindow, EntitySettings, SnapshotSettings};
pub use journal_wait::JournalWait;
pub use open_at_start::OpenAtStart;
pub use runtime_settings::RuntimeSettings;
