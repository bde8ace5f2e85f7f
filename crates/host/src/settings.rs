//! How the entities of one kind behave.

mod batching;
mod command_window;
mod entity_settings;
mod snapshot_settings;

pub use batching::Batching;
pub use command_window::CommandWindow;
pub use entity_settings::EntitySettings;
pub use snapshot_settings::{EncodeState, SnapshotSettings};
