//! How entities of a kind, and the runtime as a whole, behave.

mod journal_wait;
mod runtime_settings;

pub use actum_host::settings::{Batching, CommandWindow, EntitySettings, SnapshotSettings};
pub use journal_wait::JournalWait;
pub use runtime_settings::RuntimeSettings;
