//! The journal in one SQLite file: nothing to install, durable by default, one process that writes.
//!
//! [`SqliteStore`] keeps every promise of [`actum_persistence::store`] and [`actum_persistence::progress`]. ARCHITECTURE.md lists the
//! files that it has in common with the store for PostgreSQL.
//!
//! ```text
//! SqliteStore ── Writer        one connection, one transaction at a time, first come first served
//!             │    └ KnownHeads  keys and heads of the entities that were appended to last
//!             ├─ Readers       a few connections, opened when needed
//!             ├─ Checkpointer  a task and a connection: copies the write-ahead log into the file beside the writer
//!             ├─ Room          what a writer must leave free on a volume that is almost full
//!             ├─ SqliteTarget  the progress of projections and their rows, in the same file; usable by itself
//!             └─ JournalFiles  whether paths still name the files that are open; looked at behind each commit
//!                └ HeldLocks     one locked file for each incarnation that was claimed here
//! ```
//!
//! A transaction that appends is three trips to the connection's thread when it is small: take the lock on the file,
//! check the fence and read the lane's head; insert; commit. Heads of entities are not written anywhere: they are the
//! last row of an index that has to be there anyway (a table of them halves the rate), and mostly known.

mod append;
mod append_after;
mod backward;
mod checkpoint;
mod checkpoint_session;
mod commands;
mod connection;
mod entities;
mod entity_list;
mod entity_pages;
mod event_store;
mod fault;
mod fence;
mod file_id;
mod held_locks;
mod insert;
mod journal_files;
mod keeps_progress;
mod known_heads;
mod known_owners;
mod lane_page;
mod located;
mod lost;
mod member_store;
mod named_file;
mod obstacle;
mod open;
mod open_error;
mod ownership;
mod place;
mod progress;
mod readers;
mod recovery_store;
mod resolve;
mod retention;
mod revocation;
mod room;
mod row;
mod schema;
mod session;
mod settings;
mod shared_lock;
mod shared_texts;
mod snapshot_store;
mod state_changes;
mod state_store;
mod store;
mod volume;
mod wal_growth;
mod writer;
mod writer_lock;
mod writer_store;

pub use open_error::OpenError;
pub use progress::{SqliteTarget, SqliteTargetSettings, SqliteTx};
pub use settings::{SqliteSettings, Synchronous};
pub use store::SqliteStore;
