//! The progress of projections in a schema of its own, and transactions that commit it with the rows of a handler.
//!
//! ```text
//! PostgresTarget ── ProgressDatabase   the ProgressStore: one statement or transaction a call
//!      │             ├─ Connections      for its calls
//!      │             └─ Connections      for the transactions of handlers, which may do to them what they like
//!      └─ PostgresTransaction           one that is open
//! ```
//!
//! Rows are locked in this order, which excludes deadlocks: the projection, its segments in order of partitions, all else.
//! Who changes one segment locks that one alone. A save locks it last, right before its commit: a handler that is slow
//! keeps no one from claiming the segment.

mod activate;
mod change;
mod claim;
mod database;
mod dead_letters;
mod divide;
mod enter;
mod key;
mod load;
mod marked;
mod parked;
mod rewind;
mod row_arrays;
mod runners;
mod save;
mod schema;
mod segment_locks;
mod store;
mod target;
mod transaction;
mod unavailable;
mod verdict;

pub use target::PostgresTarget;
pub use transaction::PostgresTransaction;
