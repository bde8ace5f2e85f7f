//! What a store owes: object-safe traits that speak bytes and numbers.
//!
//! A product usually implements all of them, which makes it a [`Store`]; an application may also mix, for example events
//! in one database and snapshots in another, see [`Stores`].
//!
//! # What may grow
//! What a store answers with, and what is handed out by Actum, is `#[non_exhaustive]` and has a constructor: it may get new
//! fields and variants. Everything else is exhaustive on purpose.
//! * What is stored and read back: [`NewEvent`], [`StoredEvent`], [`JournalEvent`], [`EventId`], [`Snapshot`],
//!   [`SnapshotRow`], [`StateRecord`], [`ChangedState`], [`CommandRecord`], [`StoredCommand`], [`StateChange`], [`JournalLayout`]. A new part of
//!   these is a new format, and a store that overlooked it would lose it.
//! * What is asked of a store, which only Actum builds: [`AppendBatch`], [`EntityAppend`], [`StateBatch`], [`StateWrite`],
//!   [`EntityRead`], [`RecoveryRead`], [`CommandRead`], [`EventFilter`], [`ChangeFilter`], [`EntitySearch`], [`WriterClaim`],
//!   [`SeenHolder`]. A store takes them apart in full.
//! * Outcomes, to each of which there must be an answer: [`AppendOutcome`], [`StateOutcome`], [`Resolution`].
//! * What a store says of its rows to the pure rules that all stores share: [`EventAt`], [`LastWrite`], [`Wanted`],
//!   [`NewestSnapshot`], [`Answered`], [`CoveredEvent`], [`EntityHead`].
//!
//! # For those who write a store
//! What every store must refuse, find out or put together, and needs no database for, is here once:
//! * before a write: [`AppendBatch::check`], [`StateBatch::check`], [`Snapshot::check_all`], [`EventFilter::check`],
//!   [`ChangeFilter::check`],
//!   [`EventDeletion::check_all`];
//! * before a list of entities: [`EntitySearch::check`], and behind it [`Listing::of_looked_at`];
//! * what of a write belongs to its writer: [`AppendBatch::owned_part`], [`StateBatch::owned_part`],
//!   [`OwnedPartitions`](members::OwnedPartitions);
//! * what a write amounts to: [`EntityAppend::conflict_at`], [`StateWrite::outcome_at`], [`Resolution`], and
//!   [`KnownEntities`], so that it needs no look-up;
//! * from rows to values: [`StoredRow`] says what a column must satisfy to be one, [`EntityAnswer`], [`BackwardAnswer`] and
//!   [`LaneAnswer`] what goes on a page and whether an event is missing, [`complete_recovery`] and [`SnapshotRow`] what is done about a
//!   snapshot that cannot be used.

mod append;
mod backward_answer;
mod batch_check;
pub mod bounds;
mod careful_recovery;
mod change_filter;
mod change_page;
mod changed_state;
mod claim_check;
mod claim_error;
mod covered_event;
mod current_incarnation;
mod deletion;
mod entity_answer;
mod entity_search;
mod error;
mod event;
mod event_filter;
mod event_store;
mod in_lane;
mod incarnation;
pub mod integer;
mod joint_recovery;
mod known_entities;
mod lane_answer;
mod layout;
mod lease_grace;
mod listing;
#[doc(hidden)] // its path is `actum_persistence::members`
pub mod members;
mod owned_part;
mod page;
mod page_room;
mod payload_check;
#[doc(hidden)] // its path is `actum_persistence::progress`
pub mod progress;
mod recovery_store;
mod resolution;
mod rival_slots;
mod row_layout;
mod separate_recovery;
mod skipped_snapshot;
mod snapshot_check;
mod snapshot_fit;
mod snapshot_row;
mod snapshot_store;
mod state_store;
mod state_write;
mod stored_row;
mod stores;
#[cfg(test)]
mod test_row;
mod writer_claim;
mod writer_store;

pub use append::{AppendBatch, AppendOutcome, EntityAppend, NewEvent};
pub use backward_answer::BackwardAnswer;
pub use careful_recovery::recover_carefully;
pub use change_filter::ChangeFilter;
pub use change_page::ChangePage;
pub use changed_state::ChangedState;
pub use claim_error::ClaimError;
pub use covered_event::CoveredEvent;
pub use current_incarnation::CurrentIncarnation;
pub use deletion::{EventDeletion, SnapshotDeletion};
pub use entity_answer::{Answered, EntityAnswer, MissingEvents, NewestSnapshot, Wanted};
pub use entity_search::EntitySearch;
pub use error::{Cause, StoreError};
pub use event::{EventId, JournalEvent, StoredEvent};
pub use event_filter::{EventFilter, partition_bounds};
pub use event_store::{EventStore, KIND_SAMPLE};
pub use in_lane::InLane;
pub use incarnation::Incarnation;
pub use joint_recovery::complete_recovery;
pub use known_entities::{EntityHead, KnownEntities};
pub use lane_answer::LaneAnswer;
pub use layout::JournalLayout;
pub use lease_grace::{LEASE_MAX, lease_grace};
pub use listing::{ListedEntity, ListedState, Listing};
pub use owned_part::OwnedPart;
pub use page::{EntityPage, EntityRead, LanePage, PageLimit};
pub use page_room::PageRoom;
pub use recovery_store::{Recovered, RecoveryRead, RecoveryStore};
pub use resolution::{EventAt, LastWrite, Resolution};
pub use rival_slots::JOURNAL_SLOT;
pub use separate_recovery::SeparateRecovery;
pub use snapshot_fit::SnapshotFit;
pub use snapshot_row::SnapshotRow;
pub use snapshot_store::{Snapshot, SnapshotStore};
pub use state_store::{
    COMMANDS_READ_MAX, CommandRead, DurableStateStore, StateRecord, StoredCommand,
};
pub use state_write::{CommandRecord, StateBatch, StateChange, StateOutcome, StateWrite};
pub use stored_row::{DamagedColumn, StoredRow, in_order_asked};
pub use stores::{Store, Stores};
pub use writer_claim::{HeldLease, Renewal, SeenHolder, WriterClaim};
pub use writer_store::WriterStore;
