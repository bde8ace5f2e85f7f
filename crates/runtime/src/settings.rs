//! How entities of a kind, and the runtime as a whole, behave.

mod batching;
mod command_window;
mod entity_settings;
mod journal_wait;
mod runtime_settings;
mod snapshot_settings;

pub use batching::Batching;
pub use command_window::CommandWindow;
pub use entity_settings::EntitySettings;
pub use journal_wait::JournalWait;
pub use runtime_settings::RuntimeSettings;
pub use snapshot_settings::SnapshotSettings;
