//! What a store owes: five object-safe traits that speak bytes and numbers.
//!
//! A product usually implements all five, which makes it a [`Store`]; an application may also mix, for example events
//! in one database and snapshots in another, see [`Stores`].

mod append;
mod batch_check;
pub mod bounds;
mod claim_check;
mod error;
mod event;
mod event_store;
mod filter_check;
mod layout;
mod page;
mod page_room;
mod payload_check;
mod recovery_store;
mod resolution;
mod snapshot_check;
mod snapshot_store;
mod state_store;
mod stores;
mod writer_store;

pub use append::{AppendBatch, AppendOutcome, EntityAppend, NewEvent};
pub use error::{Cause, ClaimError, StoreError};
pub use event::{EventId, JournalEvent, StoredEvent};
pub use event_store::EventStore;
pub use layout::JournalLayout;
pub use page::{EntityPage, EntityRead, EventFilter, LanePage, PageLimit};
pub use page_room::PageRoom;
pub use recovery_store::{Recovered, RecoveryRead, RecoveryStore, SeparateRecovery};
pub use resolution::Resolution;
pub use snapshot_store::{Snapshot, SnapshotStore};
pub use state_store::{
    DurableStateStore, StateBatch, StateChange, StateOutcome, StateRecord, StateWrite,
};
pub use stores::{Store, Stores};
pub use writer_store::{Incarnation, WriterClaim, WriterStore};
