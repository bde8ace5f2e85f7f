//! How entities of a kind, and the runtime as a whole, behave.

mod caller_context;
mod elsewhere_ref;
mod journal_wait;
mod observer_ref;
mod open_at_start;
mod runtime_settings;

pub use actum_host::settings::{Batching, CommandWindow, EntitySettings, SnapshotSettings};
pub use caller_context::CallerContext;
pub use elsewhere_ref::ElsewhereRef;
pub use journal_wait::JournalWait;
pub use observer_ref::ObserverRef;
pub use open_at_start::OpenAtStart;
pub use runtime_settings::RuntimeSettings;
